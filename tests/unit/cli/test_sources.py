"""Which device is meant, and why it stands where it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strapline.errors import CommandError
from strapline.sources import _check_wearers, _Known, _meant, _why
from strapline_server.store import KnownSource

MAREN, TOMAS = {"maren": "Maren Holt"}, {"tomas": "Tomás Reyes"}
KNOWN = [
    _Known("p3oX", "Chest", MAREN),
    _Known("Kq2a", "Watch", {**MAREN, **TOMAS}),
    _Known("Zz9b", "chest", TOMAS),
    _Known("Nn0c", ""),
]
PLAIN = KnownSource(
    metric="heart_rate",
    device="p3oX",
    name="Chest",
    strap="p3oX",
    preferred=False,
    knows_contact=False,
    newest_ms=None,
)


def test_a_device_is_meant_by_its_id_or_a_name_that_it_has_alone() -> None:
    assert _meant(KNOWN, "Zz9b") == "Zz9b"
    assert _meant(KNOWN, "watch") == "Kq2a"
    with pytest.raises(
        CommandError, match=r"Name one by its id: p3oX \(Chest, of Maren Holt\) or Zz9b"
    ):
        _meant(KNOWN, "Chest")
    with pytest.raises(CommandError, match=r"There are: p3oX \(Chest, of Maren.*, Nn0c\."):
        _meant(KNOWN, "pod")
    with pytest.raises(CommandError, match="There is none"):
        _meant([], "pod")


def test_straps_of_different_people_are_not_one() -> None:
    chest, watch, other, unknown = KNOWN
    for pair in ((chest, watch), (watch, other), (chest, unknown), (unknown, other)):
        _check_wearers(*pair)
    with pytest.raises(CommandError, match=r"Chest, of Maren Holt\) and Zz9b \(chest, of Tomás"):
        _check_wearers(chest, other)


def test_a_place_has_its_reason() -> None:
    assert _why(PLAIN) == ""
    assert _why(replace(PLAIN, knows_contact=True)) == "knows contact"
    assert _why(replace(PLAIN, knows_contact=True, preferred=True)) == "by the order set"
    assert _why(replace(PLAIN, strap="Zz9b")) == "one strap with Zz9b"
