"""A bench that asks for gaps, and what a bridge says of silences and ends."""

from __future__ import annotations

from typing import Any

from strapline_protocol.asking import GapsPage, GapsParams
from strapline_protocol.publishing import Dropped, Ended, Rejected, Stream
from strapline_protocol.series import Series
from strapline_server.store.commit import Outcome, Work
from strapline_server.store.gaps import Known, read_gaps
from strapline_server.store.people import Grant
from tests.unit.server.store_kit import EPOCH, NOON, Bench, series_of, stream_named, zero_at

A, B, C = (stream_named(letter) for letter in "ABC")
SECOND, MINUTE = 1_000, 60_000

#: Beginning and end in seconds after noon, cause, evidence.
Piece = tuple[float, float, str, str | None]


def bench_at(now_s: float = 3_600) -> tuple[Bench, Grant]:
    """An hour after noon, unless it is said."""
    bench = Bench(now_ms=NOON + round(now_s * SECOND))
    bench.add_user()
    return bench, bench.grant()


def page(bench: Bench, known: Known | None = None, sub: str = "pi", **params: Any) -> GapsPage:
    asked = {"user": "ana", "from_ms": 0, "to_ms": 2**52, **params}
    found = read_gaps(bench.transaction, EPOCH, sub, GapsParams(**asked), known or Known())
    assert found is not None
    return found


def pages(bench: Bench, known: Known | None = None, **params: Any) -> list[GapsPage]:
    """All that follow one another."""
    found = [page(bench, known, **params)]
    while (after := found[-1].next) is not None:
        assert len(found) < 10_000
        found.append(page(bench, known, **params, after=after))
    return found


def pieces(*found: GapsPage) -> list[Piece]:
    return [
        ((gap.from_ms - NOON) / 1000, (gap.to_ms - NOON) / 1000, gap.cause, gap.evidence)
        for one in found
        for gap in one.gaps
    ]


def rates(*seconds: float, first: int = 0, device: str = "strap-1", **columns: Any) -> Series:
    """One reading at each of these moments of its stream."""
    times = [round(at * SECOND) for at in seconds]
    return series_of([70] * len(times), times, first=first, device=device, **columns)


def spell(
    from_s: float,
    to_s: float,
    number: int,
    cause: str = "silent",
    evidence: str | None = "linkLost",
    device: str = "strap-1",
) -> Series:
    columns: dict[str, Any] = {
        "durationMs": [round((to_s - from_s) * SECOND)],
        "cause": [cause],
        "evidence": [evidence],
    }
    at_ms = round(from_s * SECOND)
    return series_of([None], [at_ms], first=number, device=device, metric="gap", **columns)


def end(
    bench: Bench, grant: Grant, stream: str, at_s: float, *, clean: bool = True, begin_s: float = 0
) -> Outcome:
    ended = Ended(elapsed_ms=round(at_s * SECOND), clean=clean)
    zero = zero_at(NOON + round(begin_s * SECOND))
    return bench.commit(Work(grant, Stream(stream=stream, next_seq=0, zero=zero, ended=ended)))


def announce(bench: Bench, grant: Grant, stream: str, next_seq: int, begin_s: float = 0) -> None:
    zero = zero_at(NOON + round(begin_s * SECOND))
    bench.commit(Work(grant, Stream(stream=stream, next_seq=next_seq, zero=zero)))


def drop(
    bench: Bench, grant: Grant, stream: str, *ranges: tuple[int, int], why: str = "full"
) -> Outcome:
    return bench.commit(Work(grant, Dropped(stream=stream, ranges=list(ranges), reason=why)))


def reject(bench: Bench, grant: Grant, stream: str, *ranges: tuple[int, int]) -> Outcome:
    refused = Rejected(stream=stream, ranges=list(ranges), code="malformed", message="no")
    return bench.commit(Work(grant, refused))
