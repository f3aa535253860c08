"""The cause of a silence, on evidence alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from strapline.watch.causes import (
    SPELLS_BOUND,
    Because,
    Spell,
    Why,
    because_between,
    because_now,
    cause_of,
    counted,
    noted,
    own_loss,
    refusal,
)
from strapline.watch.person import Person
from strapline.watch.rate import rate_of
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import HopState, LastValue, ServerState, SyncStatus
from tests.unit.cli.watch_kit import NOW_MS, a_point, a_rate, a_status

#: The browser page does the same at these.
READINGS = json.loads((Path(__file__).parents[2] / "vectors/client/readings.json").read_bytes())
WHY = {
    None: None,
    "notWorn": Why.NOT_WORN,
    "noSignal": Why.NO_SIGNAL,
    "implausible": Why.IMPLAUSIBLE,
    "frozen": Why.FROZEN,
}


@pytest.mark.parametrize("case", READINGS["cases"], ids=lambda case: case["name"])
def test_what_a_reading_says_of_itself(case: dict[str, Any]) -> None:
    quality, contact, value = tuple(case["quality"]), case["contact"], case["value"]
    point = a_point(NOW_MS, value, quality=quality, contact=contact)
    assert refusal(point) is WHY[case["why"]]
    # What a rate was is what would have been drawn; a state says nothing of contact.
    if contact is False:
        return
    data = a_rate(None).model_copy(
        update={"last": LastValue(value=value, at_ms=NOW_MS, quality=list(quality))}
    )
    person = Person("maren", "Maren", {"heart_rate": data}, a_status(), ())
    was = rate_of(person, NOW_MS, connected=True).was
    assert (was is not None) is (case["why"] is None)


def test_the_hop_nearest_to_the_screen_is_named() -> None:
    def cause(**more: object) -> Why | None:
        found = cause_of(a_status(SyncStatus.OFFLINE, **more), "strap")  # type: ignore[arg-type]
        return None if found is None else found.why

    searching = DeviceState.SEARCHING
    assert cause() is None
    assert cause(device=searching) is Why.OUT_OF_RANGE
    assert cause(device=DeviceState.NOT_WORN) is Why.NOT_WORN
    assert cause(device=searching, bridge=HopState.OFFLINE) is Why.BRIDGE_OFFLINE
    assert cause(bridge=HopState.OFFLINE, server=ServerState.NOT_STORING) is Why.NOT_STORING


def test_another_device_that_is_connected_does_not_speak_for_this_one() -> None:
    status = a_status(device=DeviceState.SEARCHING)
    assert cause_of(status, "strap") is not None
    assert cause_of(status, "elsewhere") is not None
    assert cause_of(a_status(), "elsewhere") is None


def test_a_spell_ends_when_the_next_begins() -> None:
    first = Spell(Why.OUT_OF_RANGE, 1_000)
    spells = noted((), first, 1_500)
    assert noted(spells, Spell(Why.OUT_OF_RANGE, 1_400), 2_000) is spells
    spells = noted(spells, Spell(Why.BRIDGE_OFFLINE, 3_000), 3_500)
    assert spells == (Spell(Why.OUT_OF_RANGE, 1_000, 3_000), Spell(Why.BRIDGE_OFFLINE, 3_000))
    assert noted(spells, None, 5_000)[-1] == Spell(Why.BRIDGE_OFFLINE, 3_000, 5_000)
    assert noted((), None, 5_000) == ()


def test_spells_are_bounded() -> None:
    spells: tuple[Spell, ...] = ()
    for at in range(SPELLS_BOUND * 2):
        why = Why.OUT_OF_RANGE if at % 2 else Why.NOT_WORN
        spells = noted(spells, Spell(why, at), at)
    assert len(spells) == SPELLS_BOUND
    assert spells[-1].from_ms == SPELLS_BOUND * 2 - 1


def test_a_refused_reading_in_a_gap_says_why() -> None:
    line = (a_point(5_000, 0),)
    spells = (Spell(Why.OUT_OF_RANGE, 0),)
    assert because_between(0, 10_000, line, spells) == Because(Why.NO_SIGNAL)
    assert because_between(5_000, 10_000, line, spells).why is Why.OUT_OF_RANGE


def test_a_spell_that_is_over_must_have_covered_a_third() -> None:
    short = (Spell(Why.OUT_OF_RANGE, 0, 2_000),)
    assert because_between(0, 10_000, (), short) == Because(Why.NO_READING)
    assert because_between(0, 6_000, (), short) == Because(Why.OUT_OF_RANGE, 0)


def test_a_spell_that_lasts_comes_before_those_that_are_over() -> None:
    spells = (Spell(Why.OUT_OF_RANGE, 0, 9_000), Spell(Why.NOT_WORN, 9_500))
    assert because_between(0, 10_000, (), spells) == Because(Why.NOT_WORN, 9_500)


def test_this_screens_own_loss_hides_what_is_beyond_once_it_is_long() -> None:
    spells = (Spell(Why.SERVER_AWAY, 8_000), Spell(Why.OUT_OF_RANGE, 1_000))
    assert because_between(0, 10_000, (), spells).why is Why.OUT_OF_RANGE
    assert because_between(0, 20_000, (), spells).why is Why.SERVER_AWAY
    assert own_loss(spells) == Because(Why.SERVER_AWAY, 8_000)
    assert own_loss((Spell(Why.SERVER_AWAY, 1, 2),)) is None


def test_the_cause_of_this_moment() -> None:
    assert because_now((Spell(Why.NOT_WORN, 5),), None) == Because(Why.NOT_WORN, 5)
    assert because_now((), a_point(1, 0)) == Because(Why.NO_SIGNAL)
    assert because_now((Spell(Why.NOT_WORN, 1, 2),), a_point(3)) is None


def test_every_cause_can_be_counted() -> None:
    assert all(counted(why) for why in Why)
