"""The battery drains evenly and stops at nothing."""

from __future__ import annotations

import pytest

from strapline_simulator.battery import Battery


def test_it_drains_with_time() -> None:
    battery = Battery(100, drain_percent_per_h=10)
    assert battery.level == 100
    assert battery.advance(3600) == 90
    assert battery.advance(360) == 89


def test_a_started_percent_counts_as_whole() -> None:
    battery = Battery(50, drain_percent_per_h=1)
    assert battery.advance(1) == 50
    assert battery.advance(3600) == 49


def test_it_ends_at_zero() -> None:
    battery = Battery(1, drain_percent_per_h=10)
    assert battery.advance(100 * 3600) == 0


def test_it_can_be_set() -> None:
    battery = Battery()
    battery.set(17)
    assert battery.level == 17


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="battery level is 101"):
        Battery(101)
    with pytest.raises(ValueError, match="drain is -1"):
        Battery(50, drain_percent_per_h=-1)
    with pytest.raises(ValueError, match="time cannot pass"):
        Battery().advance(-1)
