"""Radio events are values; the link states are those of the status message."""

from __future__ import annotations

from strapline_bridge.radio import LinkChange, LinkState, Notification


def test_events_compare_by_what_they_say() -> None:
    assert Notification("d", "c", b"\1", 5) == Notification("d", "c", b"\1", 5, False)
    assert LinkChange("d", LinkState.CONNECTED, 5) != LinkChange("d", LinkState.SEARCHING, 5)


def test_states_read_as_on_the_wire() -> None:
    assert [state.value for state in LinkState] == ["connected", "searching"]
