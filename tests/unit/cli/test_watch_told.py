"""What the server says of gaps in words, and beside what the screen noticed itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from strapline.watch.causes import Because, Why, counted
from strapline.watch.told import agreed, because_told, spelled, told
from strapline_protocol.gaps import GapCause
from strapline_protocol.watching import Gap

#: The page says the same.
VECTORS = json.loads((Path(__file__).parents[2] / "vectors/client/gaps.json").read_bytes())


def a_gap(from_ms: int, to_ms: int, cause: str, evidence: str | None = None) -> Gap:
    return Gap(from_ms=from_ms, to_ms=to_ms, cause=cause, evidence=evidence)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_cause_is_said_in_the_words_of_the_page(case: dict[str, Any]) -> None:
    gap = a_gap(0, 1, case["cause"], case["evidence"])
    assert told(gap)._asdict() == {name: case[name] for name in ("short", "long", "counted")}
    assert spelled(gap) == (case["long"] or case["short"])


@pytest.mark.parametrize("cause", list(GapCause))
def test_every_cause_has_words_whatever_it_rests_on(cause: GapCause) -> None:
    assert told(a_gap(0, 1, cause)) == told(a_gap(0, 1, cause, "ofANewerBridge"))
    assert told(a_gap(0, 1, cause)).short in list(Why)


def test_the_vectors_name_every_cause() -> None:
    assert {case["cause"] for case in VECTORS["cases"]} >= set(GapCause)


def test_the_cause_of_most_of_a_stretch_is_its_cause() -> None:
    gaps = [
        a_gap(0, 4_000, "silent"),
        a_gap(4_000, 9_000, "notWorn", "contact"),
        a_gap(9_000, 12_000, "silent", "linkLost"),
        a_gap(50_000, 99_000, "bridgeAsleep"),
    ]
    assert because_told(1_000, 12_000, gaps) == Because(Why.SILENT, 0)
    assert because_told(3_000, 9_000, gaps) == Because(Why.NOT_WORN, 4_000)
    assert because_told(12_000, 50_000, gaps) is None
    assert because_told(0, 9, [a_gap(0, 9, "solarStorm")]) == Because("solar storm", 0)
    assert counted("solar storm") == "with cause “solar storm”"


SAW = Because(Why.OUT_OF_RANGE, 5)
NOTHING = Because(Why.NO_READING)


@pytest.mark.parametrize(
    ("own", "cause", "lasts", "agreed_on"),
    [
        # The present is what this screen notices itself, where it notices anything.
        (SAW, "notWorn", True, Why.OUT_OF_RANGE),
        (NOTHING, "notWorn", True, Why.NOT_WORN),
        # Of what is over the server has the evidence.
        (SAW, "notWorn", False, Why.NOT_WORN),
        (NOTHING, "silent", False, Why.SILENT),
        # A cause that names nothing gives way to one that was seen.
        (SAW, "silent", False, Why.OUT_OF_RANGE),
        (SAW, "pending", False, Why.OUT_OF_RANGE),
        (SAW, None, False, Why.OUT_OF_RANGE),
        (NOTHING, None, True, Why.NO_READING),
    ],
)
def test_the_screens_own_knowledge_counts_for_the_present(
    own: Because, cause: str | None, lasts: bool, agreed_on: Why
) -> None:
    gaps = [] if cause is None else [a_gap(0, 10, cause)]
    assert agreed(own, gaps, 0, 10, lasts=lasts).why is agreed_on
