"""Air that cannot be is refused."""

from __future__ import annotations

import pytest

from strapline_simulator.conditions import Conditions


def test_the_defaults_are_kind() -> None:
    assert Conditions() == Conditions(100.0, 0.0, 0.0)


def test_an_interval_below_the_specification_is_refused() -> None:
    with pytest.raises(ValueError, match="advertising_interval_ms is 19"):
        Conditions(advertising_interval_ms=19)


@pytest.mark.parametrize("name", ["latency_s", "supervision_timeout_s"])
def test_negative_times_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Conditions(**{name: -0.1})
