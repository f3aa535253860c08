"""When to come back: each close code, full jitter, and never an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.uplink.retrying import Ending, after
from strapline_protocol.closing import HOUR_MS, Backoff, CloseCode

_START = Backoff()
_random = st.floats(0, 1, exclude_max=True)


@given(_random)
def test_the_first_retry_is_jittered_too(random: float) -> None:
    following = after(Ending(CloseCode.LOST, ""), _START, random)
    assert following.wait_ms == int(500 * random)
    assert following.backoff.attempt == 1


@given(_random, st.integers(0, 10**6))
def test_it_never_gives_up_and_never_waits_longer_than_a_minute(
    random: float, attempt: int
) -> None:
    following = after(Ending(CloseCode.SERVER_FAULT, ""), Backoff(attempt), random)
    assert 0 <= following.wait_ms < 60_000
    assert following.backoff.attempt == attempt + 1
    assert following.stopped is None


def test_only_a_useful_session_begins_from_the_beginning() -> None:
    worn = Backoff(9)
    assert after(Ending(CloseCode.LOST, "", useful=False), worn, 0.5).backoff.attempt == 10
    assert after(Ending(CloseCode.LOST, "", useful=True), worn, 0.5).backoff.attempt == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (CloseCode.PROTOCOL_VIOLATION, "messages wrong"),
        (CloseCode.NOT_ALLOWED, "does not allow this bridge"),
        (CloseCode.NO_COMMON_VERSION, "no version in common"),
        (CloseCode.TAKEN_OVER, "another connection of this same bridge"),
    ],
)
@given(random=_random)
def test_where_a_viewer_stops_a_bridge_says_so_and_tries_hourly(
    code: CloseCode, says: str, random: float
) -> None:
    following = after(Ending(code, "the reason"), Backoff(3), random)
    assert following.stopped is not None
    assert says in following.stopped
    assert following.stopped.endswith(": the reason")
    assert 0.9 * HOUR_MS - 1 <= following.wait_ms <= 1.1 * HOUR_MS


@pytest.mark.parametrize("code", [CloseCode.GOING_AWAY, CloseCode.RESTART])
def test_a_server_that_goes_away_gives_the_moment_or_the_spread(code: CloseCode) -> None:
    assert after(Ending(code, "", come_back_ms=1_234), _START, 0.9).wait_ms == 1_234
    assert after(Ending(code, "", spread_ms=4_000), _START, 0.25).wait_ms == 1_000


def test_a_moment_given_holds_when_the_connection_is_lost_before_the_close() -> None:
    assert after(Ending(CloseCode.LOST, "", come_back_ms=777), _START, 0.9).wait_ms == 777


@pytest.mark.parametrize("code", [CloseCode.OVERLOADED, CloseCode.RATE_LIMITED])
def test_the_time_that_a_reason_asks_for_comes_before_the_backoff(code: CloseCode) -> None:
    following = after(Ending(code, "too many; retry after 5000 ms"), _START, 0.5)
    assert following.wait_ms == 5_250


@pytest.mark.parametrize("code", [CloseCode.TOO_BIG, CloseCode.MESSAGE_TOO_LARGE])
def test_a_message_too_large_makes_them_smaller(code: CloseCode) -> None:
    following = after(Ending(code, ""), _START, 0.5)
    assert following.split
    assert following.stopped is None


def test_a_refused_token_is_asked_for_anew_after_a_backoff() -> None:
    following = after(Ending(CloseCode.UNAUTHENTICATED, "expired"), _START, 0.5)
    assert (following.wait_ms, following.stopped) == (250, None)


@given(st.integers(0, 65_535), _random)
def test_any_code_has_an_answer(code: int, random: float) -> None:
    following = after(Ending(code, ""), _START, random)
    assert 0 <= following.wait_ms <= 1.1 * HOUR_MS
