"""How the uplink stands, before anything has happened."""

from __future__ import annotations

from strapline_bridge.uplink import Link, UplinkState


def test_it_begins_by_connecting_with_the_largest_messages() -> None:
    state = UplinkState()
    assert (state.link, state.why, state.attempts) == (Link.CONNECTING, None, 0)
    assert state.most_bytes == 256 * 1_024
