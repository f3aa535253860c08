"""A person's way to a choice, key by key."""

import io

import pytest

from strapline.choosing import Picking
from strapline.errors import CommandError
from strapline.terminal import make_console
from strapline_bridge.radio.errors import NoAdapterError
from strapline_bridge.radio.scan import Sighting

H10 = Sighting("C0:00:00:00:00:01", "Polar H10", -58, ("heart rate", "battery"), ())
WATCH = Sighting("C0:00:00:00:00:02", "InfiniTime", -70, ("steps",), ())


def shown(picking: Picking) -> str:
    out = io.StringIO()
    make_console(file=out, width=90).print(picking.screen())
    return out.getvalue()


def press(picking: Picking, keys: str) -> list[Sighting]:
    picked: list[Sighting] = []
    for key in keys:
        picked = picking.take(key)
    return picked


def test_it_says_what_to_do_while_nothing_is_heard() -> None:
    assert "Put the strap on" in shown(Picking())


def test_straps_are_chosen_by_number_while_more_are_heard() -> None:
    picking = Picking()
    picking.take(H10)
    assert press(picking, "2 ") == []
    picking.take(WATCH)
    assert press(picking, "1\n") == [WATCH, H10]


def test_a_wrong_number_is_said_and_can_be_typed_again() -> None:
    picking = Picking()
    picking.take(H10)
    assert press(picking, "4\r") == []
    assert "There is no 4." in shown(picking)
    assert press(picking, "12\x7f\r") == [H10]


def test_what_is_typed_is_bounded_and_harmless() -> None:
    picking = Picking()
    press(picking, "1" * 100 + "\x00\x07")
    assert picking.typed == "1" * 40


def test_the_end_of_the_input_is_an_error_with_a_remedy() -> None:
    with pytest.raises(CommandError, match="--device"):
        Picking().take("\x04")


def test_the_scans_own_error_comes_through() -> None:
    with pytest.raises(NoAdapterError):
        Picking().take(NoAdapterError("no adapter", "Plug one in"))


def test_other_devices_are_counted() -> None:
    picking = Picking()
    picking.take(Sighting("C0:00:00:00:00:03", "TV", -50, (), ()))
    assert "1 other device" in shown(picking)
