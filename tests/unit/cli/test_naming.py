"""Straps named on the command line."""

import pytest

from strapline.choosing import Choice
from strapline.errors import CommandError
from strapline.naming import find_named, paired
from strapline_bridge.radio import RadioBackend
from strapline_simulator import chest_strap, simulation

MAREN = "Maren Holt"


def test_devices_and_people_go_in_pairs() -> None:
    assert paired(["Polar H10", "TICKR"], [MAREN, " Ilse "]) == [
        ("Polar H10", MAREN),
        ("TICKR", "Ilse"),
    ]


@pytest.mark.parametrize(
    ("devices", "people"), [(["a"], []), ([], ["x"]), (["a", "A"], ["x", "y"])]
)
def test_what_does_not_pair_is_refused(devices: list[str], people: list[str]) -> None:
    with pytest.raises(CommandError, match=r"--device"):
        paired(devices, people)


async def test_an_address_needs_no_scan() -> None:
    chosen = await find_named(RadioBackend(), [("c0:00:00:00:00:01", MAREN)])
    assert chosen == [Choice("C0:00:00:00:00:01", MAREN)]


async def test_a_name_is_found_in_whatever_case() -> None:
    async with simulation([chest_strap("Strap One"), chest_strap("Two")]) as near:
        chosen = await find_named(near.backend, [("strap one", MAREN), ("Two", "Ilse")])
        assert [choice.address for choice in chosen] == [strap.address for strap in near.straps]


async def test_a_name_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    async with simulation([chest_strap("Strap One")]) as near:
        with pytest.raises(CommandError, match=r"'Nobody'.*0\.3 s.*'Strap One'.*Put the strap on"):
            await find_named(near.backend, [("Nobody", MAREN)], search_s=0.3)


async def test_a_name_that_two_have_asks_for_the_address() -> None:
    async with simulation([chest_strap("Twin"), chest_strap("Twin"), chest_strap("Other")]) as near:
        with pytest.raises(CommandError, match="address"):
            await find_named(near.backend, [("Twin", MAREN), ("Nobody", "x")], search_s=0.3)
