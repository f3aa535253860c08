"""What follows the end of a connection."""

import pytest

from strapline_client.events import Reason
from strapline_client.retry import LONGEST_ASKED_MS, Again, Ending, Renew, Retry, Stop
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


def test_another_token_is_tried_at_once_and_without_one_it_backs_off() -> None:
    refused = Ending(CloseCode.UNAUTHENTICATED)
    once, step = Retry().after(refused, 0.5, other_token=True)
    assert step == Renew(250)
    twice, again = once.after(refused, 0.5)
    assert again == Again(250)
    assert (once.backoff.attempt, twice.backoff.attempt) == (0, 1)


def test_a_token_with_nobody_to_ask_for_another_is_given_up() -> None:
    refused = Ending(CloseCode.UNAUTHENTICATED, "token: expired")
    assert Retry().after(refused, 0.5, asks=False)[1] == Stop(4401, "token: expired")
    assert Retry().after(refused, 0.5, other_token=True, asks=False)[1] == Renew(250)
    assert Retry().after(Ending(), 0.5, asks=False)[1] == Again(250)


def test_no_server_keeps_a_viewer_away_for_longer_than_minutes() -> None:
    ending = Ending(CloseCode.OVERLOADED, "busy; retry after 99999999 ms")
    assert Retry().after(ending, 0)[1] == Again(LONGEST_ASKED_MS)


def test_a_server_that_is_lost_while_it_drains_has_said_when_to_come_back() -> None:
    assert Retry().after(Ending(return_after_ms=700), 0.9)[1] == Again(700)
    busy = Ending(CloseCode.OVERLOADED, return_after_ms=700)
    assert Retry().after(busy, 0.5)[1] == Again(250)


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        (["strapline.v0"], Reason.UPGRADE_SERVER),
        (["strapline.v2", "other"], Reason.UPGRADE_CLIENT),
        ([], Reason.UPGRADE_CLIENT),
    ],
)
def test_without_a_common_version_it_says_which_side_is_behind(
    versions: list[str], why: Reason
) -> None:
    assert Ending(CloseCode.NO_COMMON_VERSION, versions=versions).why is why


@pytest.mark.parametrize(
    "code",
    [CloseCode.NOT_ALLOWED, CloseCode.PROTOCOL_VIOLATION, CloseCode.NO_COMMON_VERSION],
)
def test_it_stops_where_nothing_but_a_person_helps(code: CloseCode) -> None:
    _, step = Retry().after(Ending(code, "revoked", useful=True), 0.5)
    assert step == Stop(code, "revoked")
