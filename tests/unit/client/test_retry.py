"""What follows the end of a connection."""

import pytest

from strapline_client.retry import Again, Ending, Retry, Stop
from strapline_protocol.closing import Backoff, CloseCode, reason_text


def test_the_first_retry_is_jittered_and_the_ceiling_doubles() -> None:
    retry, first = Retry().after(Ending(), 0.5)
    _, second = retry.after(Ending(), 0.5)
    assert (first, second) == (Again(250), Again(500))


def test_a_useful_session_starts_the_backing_off_anew() -> None:
    retry = Retry(Backoff(attempt=9))
    _, step = retry.after(Ending(useful=True), 0.999)
    assert step == Again(499)


def test_a_session_that_only_opened_does_not() -> None:
    retry = Retry(Backoff(attempt=3))
    later, _ = retry.after(Ending(useful=False), 0.5)
    assert later.backoff.attempt == 4


@pytest.mark.parametrize("code", [CloseCode.GOING_AWAY, CloseCode.RESTART])
def test_after_a_restart_it_comes_back_within_the_spread(code: CloseCode) -> None:
    _, step = Retry(Backoff(attempt=9)).after(Ending(code, spread_ms=4_000), 0.25)
    assert step == Again(1_000)


def test_it_comes_back_at_its_own_moment_where_the_server_gave_one() -> None:
    _, step = Retry().after(Ending(CloseCode.RESTART, return_after_ms=1_234), 0.9)
    assert step == Again(1_234)


def test_restarts_that_never_become_useful_still_count_as_failures() -> None:
    retry, _ = Retry().after(Ending(CloseCode.RESTART), 0.0)
    assert retry.backoff.attempt == 1


@pytest.mark.parametrize("code", [CloseCode.OVERLOADED, CloseCode.RATE_LIMITED])
def test_it_stays_away_for_as_long_as_the_server_asks(code: CloseCode) -> None:
    reason = reason_text("too many messages", retry_after_ms=5_000)
    _, step = Retry().after(Ending(code, reason), 0.5)
    assert step == Again(5_250)


def test_a_fresh_token_is_tried_once_before_backing_off() -> None:
    refused = Ending(CloseCode.UNAUTHENTICATED)
    once, _ = Retry().after(refused, 0.5)
    twice, _ = once.after(refused, 0.5)
    assert (once.backoff.attempt, twice.backoff.attempt) == (0, 1)


@pytest.mark.parametrize(
    "code",
    [CloseCode.NOT_ALLOWED, CloseCode.PROTOCOL_VIOLATION, CloseCode.NO_COMMON_VERSION],
)
def test_it_stops_where_nothing_but_a_person_helps(code: CloseCode) -> None:
    _, step = Retry().after(Ending(code, "revoked", useful=True), 0.5)
    assert step == Stop(code, "revoked")
