"""Step totals: the table of what each kind of change means, and what it means for all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.steps import Counter, StepState, Total, count, random_counter_id

_S = 1_000_000_000
_TOP = 2**32


def _total(steps: int, *, at_s: float = 1_000, user: str = "ada", boot: str = "b1") -> Total:
    return Total(
        device="watch",
        user=user,
        steps=steps,
        field_bits=32,
        wall_ms=int(at_s * 1_000),
        boot_ns=int(at_s * _S),
        boot_id=boot,
        outage=False,
    )


def _ids() -> str:
    return "new"


_LAST = StepState(
    device="watch",
    user="ada",
    total=5_000,
    counter=Counter("old", 1_200),
    wall_ms=1_000_000,
    boot_ns=1_000 * _S,
    boot_id="b1",
)


def test_first_sight_is_a_baseline() -> None:
    counted = count(_total(5_000), None, _ids)
    assert counted.state.counter == Counter("new", 5_000)
    assert counted.state.total == 5_000
    assert counted.quality == ()


def test_more_belongs_to_the_same_count() -> None:
    counted = count(_total(5_040, at_s=1_020), _LAST, _ids)
    assert counted.state.counter == _LAST.counter
    assert counted.state.total == 5_040
    assert counted.quality == ()


def test_the_same_total_again_changes_no_count() -> None:
    assert count(_total(5_000, at_s=1_001), _LAST, _ids).state.counter == _LAST.counter


def test_another_wearer_begins_anew() -> None:
    counted = count(_total(5_001, user="bob"), _LAST, _ids)
    assert counted.state.counter == Counter("new", 5_001)
    assert counted.state.user == "bob"


def test_less_is_a_reset_and_the_new_total_counts() -> None:
    counted = count(_total(12, at_s=1_003), _LAST, _ids)
    assert counted.state.counter == Counter("new", 0)
    assert counted.quality == ()


def test_zero_at_midnight_is_a_reset() -> None:
    assert count(_total(0, at_s=1_001), _LAST, _ids).state.counter == Counter("new", 0)


def test_less_near_the_top_is_a_wrap() -> None:
    last = replace(_LAST, total=_TOP - 10)
    counted = count(_total(15, at_s=1_005), last, _ids)
    assert counted.state.counter == Counter("new", -10)
    assert counted.state.total - counted.state.counter.counted_from == 25


def test_a_reset_from_near_the_top_to_more_than_a_wrap_could_make_is_no_wrap() -> None:
    last = replace(_LAST, total=_TOP - 200_000)
    assert count(_total(10, at_s=1_005), last, _ids).state.counter == Counter("new", 0)


def test_more_than_legs_can_make_is_marked_and_not_counted() -> None:
    counted = count(_total(6_000, at_s=1_010), _LAST, _ids)
    assert counted.state.counter == Counter("new", 6_000)
    assert counted.quality == ("implausible",)


def test_the_same_difference_over_a_longer_time_is_counted() -> None:
    assert count(_total(6_000, at_s=1_200), _LAST, _ids).state.counter == _LAST.counter


def test_the_bound_is_five_a_second_and_a_little() -> None:
    allowed = 5 * 100 + 30
    assert count(_total(5_000 + allowed, at_s=1_100), _LAST, _ids).quality == ()
    assert count(_total(5_001 + allowed, at_s=1_100), _LAST, _ids).quality == ("implausible",)


def test_a_reset_to_more_than_legs_can_make_is_implausible_too() -> None:
    counted = count(_total(4_000, at_s=1_010), _LAST, _ids)
    assert counted.state.counter == Counter("new", 4_000)
    assert counted.quality == ("implausible",)


def test_across_boots_a_clock_that_stood_still_is_forgiven() -> None:
    counted = count(_total(20_000, at_s=1_001, boot="b2"), _LAST, _ids)
    assert counted.state.counter == _LAST.counter
    assert counted.quality == ()


def test_across_boots_a_clock_set_back_is_forgiven() -> None:
    assert count(_total(20_000, at_s=1, boot="b2"), _LAST, _ids).quality == ()


def test_across_boots_a_week_is_a_week() -> None:
    later = 1_000 + 7 * 86_400
    assert count(_total(205_000, at_s=later, boot="b2"), _LAST, _ids).quality == ()
    assert count(_total(205_000, at_s=1_001, boot="b2"), _LAST, _ids).quality == ("implausible",)


def test_steps_made_during_an_outage_are_counted_and_marked() -> None:
    counted = count(replace(_total(5_040, at_s=1_100), outage=True), _LAST, _ids)
    assert counted.state.counter == _LAST.counter
    assert counted.quality == ("afterGap",)


def test_an_outage_without_steps_is_not_worth_a_mark() -> None:
    assert count(replace(_total(5_000, at_s=1_100), outage=True), _LAST, _ids).quality == ()
    assert count(replace(_total(5_000), outage=True), None, _ids).quality == ()


def test_counter_ids_are_random() -> None:
    assert len({random_counter_id() for _ in range(20)}) == 20


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(10, 600), st.booleans()), min_size=1, max_size=30
    )
)
def test_a_walk_adds_up_across_resets(pieces: list[tuple[int, int, bool]]) -> None:
    """However often a device starts again, the counters add up to the steps that were made."""
    state = count(_total(1_000, at_s=0), None).state
    made = at_s = 0
    reported = 1_000
    spans: dict[Counter, int] = {}
    for steps, after_s, wants_reset in pieces:
        at_s += after_s
        made += steps
        # A device that starts again and comes up with as much as before gives nobody a sign.
        reported = steps if wants_reset and steps < reported else reported + steps
        state = count(_total(reported, at_s=at_s), state).state
        spans[state.counter] = state.total - state.counter.counted_from
    assert sum(spans.values()) == made


@given(
    steps=st.integers(0, _TOP - 1),
    last_total=st.integers(0, _TOP - 1),
    seconds=st.integers(0, 10**6),
    boot=st.sampled_from(["b1", "b2"]),
    user=st.sampled_from(["ada", "bob"]),
)
def test_no_total_ever_adds_more_than_it_may(
    steps: int, last_total: int, seconds: int, boot: str, user: str
) -> None:
    last = replace(_LAST, total=last_total, counter=Counter("old", 0))
    counted = count(_total(steps, at_s=1_000 + seconds, boot=boot, user=user), last, _ids)
    counter = counted.state.counter
    before = last_total if counter == last.counter else counter.counted_from
    added = counted.state.total - before
    assert 0 <= added <= max(5 * seconds + 30, 100_000 if boot == "b2" else 0)
    assert counted.state.total == steps


def test_another_way_of_counting_begins_from_its_present_total() -> None:
    last = replace(_LAST, source="cadence")
    counted = count(replace(_total(9_000), source="totals"), last, _ids)
    assert counted.state.counter == Counter("new", 9_000)
    assert (counted.state.source, counted.quality) == ("totals", ())


def test_what_an_earlier_version_saved_goes_on() -> None:
    counted = count(replace(_total(5_010, at_s=1_010), source="totals"), _LAST, _ids)
    assert counted.state.counter == _LAST.counter


def test_another_session_counts_from_nothing_even_when_it_is_ahead() -> None:
    last = replace(_LAST, total=40, session="1.1")
    counted = count(replace(_total(50, at_s=1_020), session="1.2"), last, _ids)
    assert counted.state.counter == Counter("new", 0)
    assert counted.state.session == "1.2"


def test_another_session_that_nobody_can_have_walked_is_implausible() -> None:
    last = replace(_LAST, total=40, session="1.1")
    counted = count(replace(_total(5_000, at_s=1_020), session="1.2"), last, _ids)
    assert counted.quality == ("implausible",)


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_each_width_wraps_at_its_own_top(bits: int) -> None:
    last = replace(_LAST, total=2**bits - 10)
    counted = count(replace(_total(15, at_s=1_005), field_bits=bits), last, _ids)
    assert counted.state.counter == Counter("new", -10)


@pytest.mark.parametrize("bits", [24, 32])
def test_near_the_top_of_a_narrower_field_is_a_reset(bits: int) -> None:
    last = replace(_LAST, total=2**16 - 10)
    counted = count(replace(_total(15, at_s=1_005), field_bits=bits), last, _ids)
    assert counted.state.counter == Counter("new", 0)


def test_a_daily_total_that_is_more_after_midnight_is_still_todays() -> None:
    # Midnight at 5,000 s; by then 5,000 steps, and at 7,000 s today's 6,000.
    today = replace(_total(6_000, at_s=7_000), midnight_ms=5_000_000, outage=True)
    counted = count(today, _LAST, _ids)
    assert counted.state.counter == Counter("new", 0)
    assert counted.quality == ("afterGap",)


def test_a_daily_total_that_cannot_be_todays_goes_on() -> None:
    # Ten seconds after midnight nobody has 5,010 steps: this watch's midnight is another one.
    soon = replace(_total(5_010, at_s=1_020), midnight_ms=1_010_000)
    assert count(soon, _LAST, _ids).state.counter == _LAST.counter


def test_within_a_day_a_daily_total_goes_on() -> None:
    later = replace(_total(6_000, at_s=7_000), midnight_ms=900_000)
    assert count(later, _LAST, _ids).state.counter == _LAST.counter
