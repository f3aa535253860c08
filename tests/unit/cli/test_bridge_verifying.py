"""What verifying a bridge is told as, line by line."""

from __future__ import annotations

import io
from typing import Any

import pytest

from strapline.bridge_verifying import last_line, tell
from strapline.terminal import make_console
from strapline_bridge.verification import Against, GapsFound, RunVerified, Verification
from strapline_bridge.wearables import Wearables
from strapline_protocol.publishing import ClockSource
from strapline_protocol.watching import Gap

BEGAN_MS = 1_795_521_600_000
_NONE = GapsFound(gaps=0, explained=0, pieces=[])


def _run(**more: Any) -> RunVerified:
    usual: dict[str, Any] = {
        "stream": "abcdefgh" + "x" * 14,
        "began_ms": BEGAN_MS,
        "ended_ms": None,
        "clock": ClockSource.SYSTEM,
        **dict.fromkeys(
            (
                *("measured", "acknowledged", "stored", "refused", "dropped", "erased"),
                *("to_send", "kept", "compared", "missing", "doubled", "different"),
            ),
            0,
        ),
    }
    return RunVerified(**{**usual, **more})


def _verified(**more: Any) -> Verification:
    usual: dict[str, Any] = {
        "against": Against.SERVER,
        "in_runs": 1,
        "first_ms": BEGAN_MS,
        "last_ms": BEGAN_MS + 3_600_000,
        "runs": [],
        "gaps": _NONE,
        "dead_letters": 0,
        **dict.fromkeys(
            (
                *("readings", "stored", "refused", "dropped", "erased", "to_send", "kept"),
                *("compared", "missing", "doubled", "different"),
            ),
            0,
        ),
    }
    return Verification(**{**usual, **more})


def _told(verified: Verification, wearables: Wearables | None = None) -> str:
    out = io.StringIO()
    tell(make_console(file=out, width=200), verified, wearables or Wearables())
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _gap(cause: str, seconds: int = 900, **more: Any) -> Gap:
    return Gap(
        from_ms=BEGAN_MS,
        to_ms=BEGAN_MS + 1_000 * seconds,
        cause=cause,
        device="kP3xqv0bQmKXyYyA0nqT9w",
        **more,
    )


def test_all_right_is_said_in_few_lines() -> None:
    gaps = GapsFound(gaps=3, explained=3, pieces=[_gap("radioLost", evidence="heard")])
    verified = _verified(readings=41_203, stored=41_203, compared=12_000, kept=12_000, gaps=gaps)
    gap = (
        "    15 min 0 s   2026-11-24 12:00:00   kP3xqv0b   radio lost: it was heard, without a link"
    )
    assert _told(verified).splitlines() == (
        [
            " ──●  Strapline   verify   this bridge, with its server",
            "",
            "  Readings",
            "    41,203   measured in 1 run, 2026-11-24 12:00 to 13:00 UTC",
            "    41,203   stored by the server; 12,000 compared one by one",
            "    12,000   kept here, for a server that is put back from a copy",
            "",
            "  Gaps",
            gap,
            "",
            "  41,203 readings, none missing, none twice, 3 gaps explained.",
        ]
    )


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "5 readings, none missing, none twice, no gaps."),
        ({"to_send": 2}, "5 readings, none missing, none twice, 2 still to send, no gaps."),
        ({"missing": 1}, "5 readings, 1 missing, none twice, no gaps."),
        ({"doubled": 2}, "5 readings, none missing, 2 twice, no gaps."),
        (
            {"different": 1, "refused": 2, "dropped": 3, "erased": 4},
            (
                "5 readings, none missing, none twice, 1 different at the server, 2 refused, "
                "3 dropped, 4 erased, no gaps."
            ),
        ),
        (
            {"gaps": GapsFound(gaps=2, explained=1, pieces=[])},
            "5 readings, none missing, none twice, 1 gap explained, 1 gap without a known cause.",
        ),
        (
            {"gaps": GapsFound(gaps=1, explained=0, pieces=[])},
            "5 readings, none missing, none twice, 1 gap without a known cause.",
        ),
    ],
)
def test_the_last_line_says_all_of_it(more: dict[str, Any], line: str) -> None:
    assert last_line(_verified(readings=5, **more)) == line


def test_what_is_wrong_is_named_with_what_to_do() -> None:
    run = _run(
        missing=12,
        missing_numbers=[(3, 3), (10, 12), (20, 25), (30, 31)],
        doubled=1,
        doubled_numbers=[(7, 7)],
    )
    told = _told(_verified(readings=100, missing=12, doubled=1, runs=[run]))
    assert "12   missing   run abcdefgh   readings 3, 10 to 12, 20 to 25, …" in told
    assert "1   twice     run abcdefgh   readings 7" in told
    assert "`strapline server verify`" in told
    assert "What is missing" not in _told(_verified(readings=100, runs=[_run()]))


def test_without_a_server_it_claims_nothing_of_one() -> None:
    told = _told(_verified(readings=5, stored=5, against=Against.NOTHING))
    assert "without its server" in told
    assert "acknowledged by a server, which was not asked now" in told
    assert "stored by the server" not in told


def test_what_was_refused_or_dropped_says_where_it_is() -> None:
    run = _run(dropped=4, untold={"sizeBound": 3, "discarded": 1})
    told = _told(_verified(readings=9, refused=2, dead_letters=1, dropped=4, runs=[run]))
    assert "refused, 1 of them dead letters: `strapline bridge dead-letters` shows them" in told
    assert "not told to the server yet: 1 discarded, 3 sizeBound" in told
    assert "dropped, as the server knows" in _told(_verified(dropped=4, runs=[_run(dropped=4)]))


def test_a_strange_run_and_an_older_copy_are_explained() -> None:
    told = _told(_verified(runs=[_run(stranger=True), _run(beyond=5)]))
    assert "The server has no run abcdefgh of this bridge" in told
    assert "the server has 5 readings more: this outbox is an older copy" in told


def test_a_wearable_has_the_name_that_its_owner_gave() -> None:
    wearables, added = Wearables().add(
        address="C0:00:00:00:00:01", user="anna", name="Anna's strap", added_at=1
    )
    piece = _gap("somethingNew", count=7).model_copy(update={"device": added.device})
    told = _told(_verified(gaps=GapsFound(gaps=1, explained=1, pieces=[piece])), wearables)
    assert "Anna's strap   somethingNew (7 readings)" in told


def test_of_many_gaps_the_newest_are_shown() -> None:
    gaps = GapsFound(gaps=50, explained=50, pieces=[_gap("off")] * 50)
    told = _told(_verified(gaps=gaps))
    assert told.count("2026-11-24 12:00:00") == 20
    assert "the newest 20; all of them with --json" in told
