"""Each moment is covered by a reading or in one gap, of one cause, however it is asked."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from strapline_protocol.publishing import Dropped, Ended, Rejected, Stream
from strapline_protocol.series import Series
from strapline_server.store import causes, gaps
from strapline_server.store.commit import Work
from strapline_server.store.gaps import Known
from strapline_server.store.people import Grant
from tests.unit.server.gap_kit import pages
from tests.unit.server.gap_oracle import Oracle, Said, Taken, Why
from tests.unit.server.store_kit import NOON, Bench, series_of, stream_named, zero_at

STEPS = [500, 1_000, 1_000, 1_000, 1_000, 2_000, 3_000, 9_000, 70_000, 200_000]
FATES = ["received"] * 6 + ["late", "dropped", "rejected", "pending"]


@st.composite
def runs(draw: st.DrawFn, stream: str, owner: str, begin_ms: int, kind: str) -> Taken:
    """One run of a bridge, with its straps and what became of each number."""
    at_ms = begin_ms
    said: list[Said] = []
    devices = [f"{owner}-1", f"{owner}-1", f"{owner}-1", f"{owner}-2"]
    for number in range(draw(st.integers(0, 18))):
        at_ms += draw(st.sampled_from(STEPS))
        what = draw(st.sampled_from([kind] * 6 + ["spell", "heart_rate", "speed"]))
        device, fate = draw(st.sampled_from(devices)), draw(st.sampled_from(FATES))
        from_ms = at_ms - draw(st.sampled_from([500, 5_000, 60_000, 600_000]))
        cause = draw(st.sampled_from(["silent", "radioLost", "notWorn", "bridgeAsleep"]))
        said.append(Said(number, at_ms, device, what, fate, from_ms, cause))
    ends_ms = draw(st.sampled_from([None, at_ms, at_ms + 3_000]))
    next_seq = draw(st.sampled_from([0, len(said)]))
    return Taken(stream, owner, begin_ms, said, next_seq, ends_ms, draw(st.booleans()))


@st.composite
def days(draw: st.DrawFn, kind: str) -> list[Taken]:
    """Two runs of one bridge, and one of another beside them."""
    first = draw(runs(stream_named("A"), "pi", NOON, kind))
    after = max([first.begins_ms, first.ends_ms or 0, *(one.at_ms for one in first.said)])
    second_ms = after + draw(st.sampled_from([0, 1_000, 30_000, 400_000]))
    second = draw(runs(stream_named("B"), "pi", second_ms, kind))
    beside = draw(runs(stream_named("C"), "den", NOON + draw(st.integers(0, 40)) * 500, kind))
    return [first, second, beside]


def series(run: Taken, one: Said) -> Series:
    place: dict[str, Any] = {"first": one.number, "device": one.device}
    if one.kind == "spell":
        place |= {"durationMs": [one.at_ms - one.from_ms], "cause": [one.cause]}
        at_ms = one.from_ms - run.begins_ms
        return series_of([None], [at_ms], metric="gap", evidence=["linkLost"], **place)
    on_change = one.kind == "speed"
    at_ms = one.at_ms - run.begins_ms
    return series_of([60], [at_ms], metric=one.kind, on_change=on_change, **place)


def record(bench: Bench, grant: Grant, run: Taken, data: st.DataObject) -> None:
    """Let it come in pieces; of the time something else may be believed at first."""
    wrong_ms = data.draw(st.sampled_from([0, 0, 7_000, -86_400_000]))
    bench.declare(grant, run.stream, zero_at(run.begins_ms + wrong_ms, version=1))
    for one in run.said:
        ranges = [(one.number, one.number)]
        if one.fate in {"dropped", "late"}:
            bench.commit(Work(grant, Dropped(stream=run.stream, ranges=ranges, reason="full")))
        elif one.fate == "rejected":
            no = Rejected(stream=run.stream, ranges=ranges, code="malformed", message="")
            bench.commit(Work(grant, no))
        elif one.fate == "received":
            bench.publish(grant, run.stream, series(run, one))
    for one in run.said:
        if one.fate == "late":
            bench.publish(grant, run.stream, series(run, one))
    ended = None
    if run.ends_ms is not None:
        ended = Ended(elapsed_ms=run.ends_ms - run.begins_ms, clean=run.clean)
    stream = Stream(
        stream=run.stream, next_seq=run.next_seq, zero=zero_at(run.begins_ms, 2), ended=ended
    )
    bench.commit(Work(grant, stream))


def asked(bench: Bench, known: Known, **params: Any) -> list[Why]:
    return [
        (gap.from_ms, gap.to_ms, gap.cause, gap.evidence or "", gap.device or "")
        for one in pages(bench, known, **params)
        for gap in one.gaps
    ]


def joined(pieces: list[Why]) -> list[Why]:
    """Pieces that differ in their count alone, and those that a page ended within, as one."""
    found: list[Why] = []
    for one in pieces:
        if found and found[-1][1:] == (one[0], *one[2:]):
            found[-1] = (found[-1][0], *one[1:])
        else:
            found.append(one)
    return found


def clipped(whole: list[Why], from_ms: int, to_ms: int) -> list[Why]:
    return [
        (max(one[0], from_ms), min(one[1], to_ms), *one[2:])
        for one in whole
        if max(one[0], from_ms) < min(one[1], to_ms)
    ]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_each_moment_is_covered_or_in_one_gap_of_one_cause(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["heart_rate", "heart_rate", "speed"]))
    taken = data.draw(days(kind))
    moments = [run.begins_ms for run in taken]
    moments += [one.at_ms for run in taken for one in run.said]
    now_ms = max(moments) + data.draw(st.sampled_from([1, 2_000, 500_000]))
    bench = Bench(now_ms=now_ms)
    bench.add_user()
    for run in taken:
        record(bench, bench.grant(run.owner), run, data)
    if data.draw(st.booleans()):
        bench.cool()
    heard = data.draw(st.sampled_from([{}, {"pi": now_ms}, {"pi": now_ms, "den": now_ms - 5_000}]))
    known = Known(heard_ms=heard)
    oracle = Oracle(taken, heard, now_ms, kind)
    expected = joined(oracle.gaps(oracle.devices()))
    whole = asked(bench, known, metric=kind)
    assert joined(whole) == expected
    for limit in (1, 2, 5):
        assert asked(bench, known, metric=kind, limit=limit) == whole
    with patch.object(gaps, "MOST_READ", data.draw(st.integers(1, 9))):
        assert joined(asked(bench, known, metric=kind)) == expected
    with patch.object(causes, "_AT_ONCE", 1), patch.object(causes, "_STRIDE_MS", 7_000):
        assert asked(bench, known, metric=kind) == whole
    begin_ms, end_ms = sorted(NOON + data.draw(st.integers(0, 800)) * 500 for _ in "ab")
    part = asked(bench, known, metric=kind, from_ms=begin_ms, to_ms=end_ms)
    assert joined(part) == clipped(expected, begin_ms, min(end_ms, now_ms))
    for device in oracle.devices():
        alone = asked(bench, known, metric=kind, device=device)
        assert joined(alone) == joined(oracle.gaps([device]))
