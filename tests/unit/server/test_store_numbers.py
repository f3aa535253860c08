"""Numbers that did not come: how they are accounted for, and between which moments they are."""

from __future__ import annotations

from strapline_protocol.publishing import Zero
from strapline_server.store.numbers import Hole, Moments, Numbers, Part
from tests.unit.server.gap_kit import A, bench_at, drop, rates, reject, spell
from tests.unit.server.store_kit import NOON, Bench, zero_at


def holes(bench: Bench, next_seq: int = 0, first: int = 0) -> list[Hole]:
    zero: Zero = zero_at(NOON)
    moments = Moments(bench.transaction)
    return list(Numbers(bench.transaction, moments, 1, zero, next_seq, first).holes())


def at(second: float) -> int:
    return NOON + round(second * 1_000)


def test_a_stream_without_holes_is_two_questions() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(100)))
    asked: list[str] = []
    bench.connection.set_trace_callback(asked.append)
    assert holes(bench, next_seq=100) == []
    assert len(asked) == 2


def test_each_hole_is_between_what_came_and_says_what_is_in_it() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(10, 11, first=5), rates(40, first=20), rates(50, first=22))
    drop(bench, pi, A, (0, 2), (7, 9))
    reject(bench, pi, A, (8, 12))
    assert holes(bench, next_seq=30) == [
        Hole(None, at(10), [Part("dropped", "full", 3), Part("pending", "announced", 2)]),
        Hole(
            at(11),
            at(40),
            [
                Part("dropped", "full", 3),
                Part("rejected", "malformed", 3),
                Part("pending", "announced", 7),
            ],
        ),
        Hole(at(40), at(50), [Part("pending", "announced", 1)]),
        Hole(at(50), None, [Part("pending", "announced", 7)]),
    ]
    assert holes(bench, first=20) == [Hole(at(40), at(50), [Part("pending", "announced", 1)])]


def test_what_was_dropped_beyond_what_was_announced_is_told() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(1))
    drop(bench, pi, A, (3, 4))
    parts = [Part("dropped", "full", 2), Part("pending", "announced", 2)]
    assert holes(bench) == [Hole(at(1), None, [parts[0], Part("pending", "announced", 2)])]


def test_what_is_said_of_a_stretch_is_said_at_its_end() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, spell(10, 70, 0), rates(90, first=2))
    assert holes(bench) == [Hole(at(70), at(90), [Part("pending", "announced", 1)])]


def test_who_was_erased_is_missing_to_nobody() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(1), rates(90, first=5))
    bench.connection.execute("INSERT INTO accounts VALUES (1, 4, 1, 4, '')")
    assert holes(bench) == []


def test_a_number_in_a_merged_block_has_its_moment_and_a_damaged_one_none() -> None:
    bench, pi = bench_at(3 * 3_600)
    bench.declare(pi, A, zero_at(NOON))
    for second in range(0, 50, 2):
        bench.publish(pi, A, rates(second, first=second))
        bench.publish(pi, A, rates(second + 1, first=second + 1, metric="speed"))
    assert bench.cool() == 2
    moments = Moments(bench.transaction)
    assert [moments.of(1, number) for number in (0, 1, 30, 49)] == [0, 1_000, 30_000, 49_000]
    assert moments.of(1, 50) is None
    bench.connection.execute("UPDATE blocks SET data = x'00'")
    assert Moments(bench.transaction).of(1, 30) is None
