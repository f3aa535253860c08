"""How many messages may come."""

from __future__ import annotations

from strapline_server.carrier import Allowance


def test_a_burst_of_ten_seconds_may_come_and_no_more() -> None:
    allowance = Allowance(3, 0)
    assert [allowance.take(0) for _ in range(31)] == [True] * 30 + [False]


def test_what_is_not_used_is_saved_up_to_the_burst_only() -> None:
    allowance = Allowance(2, 0)
    while allowance.take(0):
        pass
    assert not allowance.take(499)
    assert allowance.take(500)
    assert not allowance.take(500)
    assert [allowance.take(1_000_000) for _ in range(21)] == [True] * 20 + [False]
