"""The registry: UUIDs as bleak spells them, metrics that the protocol knows."""

from __future__ import annotations

import math
import uuid

from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.decoders import DECODERS, OFFERS, SPEAKS_ON_CHANGE, UndecodableError
from strapline_protocol.metrics import METRICS


def test_entries_are_keyed_by_full_lower_case_uuids() -> None:
    for key, decoder in DECODERS.items():
        assert key == decoder.characteristic == str(uuid.UUID(key))
        assert decoder.service == str(uuid.UUID(decoder.service))


def test_metrics_are_the_protocols() -> None:
    assert {decoder.metric for decoder in DECODERS.values()} <= set(METRICS)


def test_every_service_is_offered_in_words() -> None:
    services = {decoder.service for decoder in DECODERS.values()}
    assert set(OFFERS) == services
    assert services >= SPEAKS_ON_CHANGE


def test_running_totals_say_how_wide_they_are() -> None:
    totals = {d.characteristic for d in DECODERS.values() if d.field_bits is not None}
    assert totals == {d.characteristic for d in DECODERS.values() if d.metric == "steps"}
    # Only what a cadence comes from can have steps derived.
    assert [d.metric for d in DECODERS.values() if d.strides] == ["speed"]


def test_every_format_has_a_name_of_its_own() -> None:
    names = [decoder.name for decoder in DECODERS.values()]
    assert all(names)
    assert len(set(names)) == len(names)


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=64))
def test_any_bytes_are_readings_or_are_refused(characteristic: str, value: bytes) -> None:
    """Nothing but the one error, and nothing but numbers that the wire can carry."""
    decoder = DECODERS[characteristic]
    try:
        reading = decoder.decode(value)
    except UndecodableError:
        return
    assert reading.metric == decoder.metric
    assert all(one.also == () for one in reading.also)
    for one in (reading, *reading.also):
        assert one.metric in METRICS
        assert one.value is None or (math.isfinite(one.value) and one.value >= 0)
