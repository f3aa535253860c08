"""Streams and devices by their ids."""

from __future__ import annotations

import sqlite3

from strapline_protocol.publishing import Anchor, ClockSource, Ended, Stream, Zero
from strapline_server.store.commit import Work
from strapline_server.store.queries import load_migrations
from strapline_server.store.streams import StreamRow, add_stream, device_key_of, find_stream
from tests.unit.server.store_kit import NOON, Bench, stream_named, zero_at

A = stream_named("A")


def test_a_stream_is_found_as_it_was_added() -> None:
    bench = Bench()
    assert find_stream(bench.transaction, A) is None
    zero = zero_at(NOON)
    added = add_stream(bench.transaction, A, "pi", zero, next_seq=7)
    assert added == StreamRow(added.key, A, "pi", zero)
    assert find_stream(bench.transaction, A) == added
    assert bench.rows("SELECT next_seq, zero_version, ended FROM streams") == [(7, 1, None)]


def test_a_run_has_the_wall_times_of_its_zero() -> None:
    bench = Bench()
    pi = bench.grant()
    bench.declare(pi, A, zero_at(NOON))
    assert times(bench) == [(NOON, None)]
    bench.commit(Work(pi, stream(zero_at(NOON), Ended(elapsed_ms=5_000, clean=True))))
    assert times(bench) == [(NOON, NOON + 5_000)]
    bench.declare(pi, A, zero_at(NOON - 700, version=2))
    assert times(bench) == [(NOON - 700, NOON + 4_300)]
    ended = Ended(elapsed_ms=6_000, clean=False)
    bench.commit(Work(pi, stream(zero_at(NOON + 900, version=3), ended)))
    assert times(bench) == [(NOON + 900, NOON + 6_900)]
    bench.declare(pi, stream_named("B"), zero_at(NOON + 90_000))
    assert times(bench) == [(NOON + 900, NOON + 6_900), (NOON + 90_000, None)]


def test_runs_of_before_have_their_times_after_the_migration() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    *before, this = load_migrations()[:7]
    for _, _, script in before:
        connection.executescript(script)
    anchors = [
        Anchor(elapsed_ms=at, wall_ms=wall, uncertainty_ms=1, source=ClockSource.SYSTEM)
        for at, wall in ((1_000, NOON), (9_000, NOON + 8_500))
    ]
    for name, zero, ended in (
        ("A", Zero(version=1, anchors=anchors), '{"elapsedMs": 10000, "clean": true}'),
        ("B", Zero(version=1, anchors=anchors[:1]), None),
    ):
        connection.execute(
            "INSERT INTO streams (id, owner, next_seq, zero_version, zero, ended) "
            "VALUES (?, 'pi', 0, 1, ?, ?)",
            (name, zero.model_dump_json(by_alias=True), ended),
        )
    connection.executescript(this[2])
    rows = connection.execute("SELECT begins_ms, ends_ms FROM streams ORDER BY id").fetchall()
    assert rows == [(NOON - 1_000, NOON + 9_500), (NOON - 1_000, None)]
    connection.close()


def stream(zero: Zero, ended: Ended) -> Stream:
    return Stream(stream=A, next_seq=0, zero=zero, ended=ended)


def times(bench: Bench) -> list[tuple[int, int | None]]:
    found = bench.rows("SELECT begins_ms, ends_ms FROM streams ORDER BY stream_key")
    return [(begins_ms, ends_ms) for begins_ms, ends_ms in found]


def test_a_device_keeps_its_number() -> None:
    bench = Bench()
    first = device_key_of(bench.transaction, "strap-1")
    assert device_key_of(bench.transaction, "watch-1") != first
    assert device_key_of(bench.transaction, "strap-1") == first
