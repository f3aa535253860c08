"""The registry: UUIDs as bleak spells them, metrics that the protocol knows."""

from __future__ import annotations

import uuid

from strapline_bridge.decoders import DECODERS, OFFERS, SPEAKS_ON_CHANGE
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
    assert {d.metric for d in DECODERS.values() if d.field_bits is not None} == {"steps"}
