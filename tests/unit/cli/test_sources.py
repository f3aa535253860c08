"""Which device is meant, and why it stands where it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strapline.errors import CommandError
from strapline.sources import _meant, _why
from strapline_server.store import KnownSource

KNOWN = [("p3oX", "Chest"), ("Kq2a", "Watch"), ("Zz9b", "chest"), ("Nn0c", "")]
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
    with pytest.raises(CommandError, match="Name one: p3oX or Zz9b"):
        _meant(KNOWN, "Chest")
    with pytest.raises(CommandError, match=r"There are: p3oX \(Chest\), .*, Nn0c\."):
        _meant(KNOWN, "pod")
    with pytest.raises(CommandError, match="There is none"):
        _meant([], "pod")


def test_a_place_has_its_reason() -> None:
    assert _why(PLAIN) == ""
    assert _why(replace(PLAIN, knows_contact=True)) == "knows contact"
    assert _why(replace(PLAIN, knows_contact=True, preferred=True)) == "by the order set"
    assert _why(replace(PLAIN, strap="Zz9b")) == "one strap with Zz9b"
