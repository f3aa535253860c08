"""Whatever touches a stretch of time is found, however long it is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from strapline_protocol.base import SAFE_INTEGER
from strapline_server.store.noticed import level_of, note_spell, noticed
from strapline_server.store.streams import add_stream, device_key_of
from tests.unit.server.store_kit import NOON, Bench, stream_named, zero_at

MOMENTS = st.integers(0, 60).map(lambda power: NOON + (-1) ** power * (1 << power // 2) * 997)
LENGTHS = st.integers(0, 53).flatmap(lambda power: st.integers(0, (1 << power) - 1))


@given(st.integers(0, SAFE_INTEGER))
def test_a_level_is_longer_than_what_is_on_it(duration_ms: int) -> None:
    level = level_of(duration_ms)
    assert duration_ms < 1 << level
    assert level in range(16, 57, 4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(MOMENTS, LENGTHS), max_size=30), MOMENTS, MOMENTS)
def test_what_touches_a_stretch_is_found(
    spells: list[tuple[int, int]], one_ms: int, other_ms: int
) -> None:
    bench = Bench()
    bench.add_user()
    stream = add_stream(bench.transaction, stream_named("A"), "pi", zero_at(NOON))
    device_key = device_key_of(bench.transaction, "strap-1")
    for number, (at_ms, lasts_ms) in enumerate(spells):
        key = {"user_key": 1, "device_key": device_key, "stream_key": stream.key, "seq": number}
        for _ in range(2):
            note_spell(bench.transaction, dict(key), at_ms, lasts_ms, "silent", None)
    from_ms, to_ms = sorted((one_ms, other_ms))
    found = noticed(bench.transaction, 1, from_ms, to_ms)
    assert [one.spell.from_ms for one in found] == sorted(one.spell.from_ms for one in found)
    assert sorted((one.spell.from_ms, one.spell.to_ms) for one in found) == sorted(
        (at_ms, at_ms + lasts_ms)
        for at_ms, lasts_ms in spells
        if at_ms < to_ms and at_ms + lasts_ms > from_ms
    )
    assert {(one.device_key, one.spell.device) for one in found} <= {(device_key, "strap-1")}


def test_what_others_lack_is_not_found() -> None:
    bench = Bench()
    bench.add_user()
    bench.add_user("ben")
    stream = add_stream(bench.transaction, stream_named("A"), "pi", zero_at(NOON))
    device_key = device_key_of(bench.transaction, "strap-1")
    key = {"user_key": 2, "device_key": device_key, "stream_key": stream.key, "seq": 0}
    note_spell(bench.transaction, dict(key), NOON, 60_000, "off", "battery")
    assert noticed(bench.transaction, 1, 0, SAFE_INTEGER) == []
    (found,) = noticed(bench.transaction, 2, NOON, NOON + 1)
    assert (found.spell.cause, found.spell.evidence) == ("off", "battery")
