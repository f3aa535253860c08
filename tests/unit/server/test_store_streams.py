"""Streams and devices by their ids."""

from __future__ import annotations

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


def test_a_device_keeps_its_number() -> None:
    bench = Bench()
    first = device_key_of(bench.transaction, "strap-1")
    assert device_key_of(bench.transaction, "watch-1") != first
    assert device_key_of(bench.transaction, "strap-1") == first
