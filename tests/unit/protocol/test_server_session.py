"""The server's end: what may be said when, deadlines, window and tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode, retry_after_ms
from strapline_protocol.codec import LARGEST_FIRST_MESSAGE, LARGEST_MESSAGE, encode
from strapline_protocol.errors import LocalProtocolError
from strapline_protocol.opening import Error, Limits, Refresh, Request, Role
from strapline_protocol.publishing import Readings
from strapline_protocol.server_session import (
    ALLOWED,
    Close,
    Deadlines,
    Due,
    Received,
    ServerSession,
    SessionState,
)
from tests.unit.protocol.examples import CLIENT_MESSAGES, readings
from tests.unit.protocol.test_judging import frame, one

LIMITS = Limits(window_readings=10, message_bytes=2_048, requests_in_flight=2)
HOUR = 3_600_000
OPENING, OTHERS = CLIENT_MESSAGES[0], CLIENT_MESSAGES[1:]


def session(state: SessionState, lifetime_ms: int = HOUR, age_ms: int = 0) -> ServerSession:
    """A session in that state, opened and authenticated at 0."""
    made = ServerSession(0, LIMITS)
    if state is SessionState.CLOSED:
        made.closed()
    elif state is not SessionState.OPENING:
        assert made.receive(encode(OPENING)).message == OPENING
        if state is not SessionState.VERIFYING:
            role = Role.BRIDGE if state is SessionState.PUBLISHING else Role.VIEWER
            made.authenticated(role, lifetime_ms, 0, age_ms)
    assert made.state is state
    return made


def name(message: object) -> str:
    return message.name if isinstance(message, SessionState) else type(message).__name__


def test_the_table_knows_all_states() -> None:
    assert ALLOWED.keys() == set(SessionState)


@pytest.mark.parametrize("message", CLIENT_MESSAGES, ids=name)
@pytest.mark.parametrize("state", SessionState, ids=name)
def test_each_message_in_each_state(state: SessionState, message: WireModel) -> None:
    made = session(state)
    received = made.receive(encode(message))
    if type(message) in ALLOWED[state]:
        assert (received.message, received.replies, received.close) == (message, (), None)
        after = SessionState.VERIFYING if message is OPENING else state
    elif state is SessionState.CLOSED:
        assert received == Received()
        after = state
    elif state in (SessionState.OPENING, SessionState.VERIFYING) or message is OPENING:
        assert received.message is None
        assert received.close is not None
        assert received.close.code is CloseCode.PROTOCOL_VIOLATION
        after = SessionState.CLOSED
    else:
        (reply,) = received.replies
        assert isinstance(reply, Error)
        assert reply.code == "notAllowed"
        assert reply.request == getattr(message, "request", None)
        assert (received.message, received.close) == (None, None)
        after = state
    assert made.state is after


@pytest.mark.parametrize("state", [SessionState.PUBLISHING, SessionState.WATCHING], ids=name)
def test_an_unknown_type_is_answered_and_changes_nothing(state: SessionState) -> None:
    made = session(state)
    received = made.receive('{"type":"FUTURE"}')
    assert received == Received(
        replies=(Error(code="unknownType", message="unknown message type 'FUTURE'"),)
    )
    assert made.state is state


@pytest.mark.parametrize("text", ["{", "[]", '{"type":"REFRESH","token":7}', '{"type":"FUTURE"}'])
@pytest.mark.parametrize("state", [SessionState.OPENING, SessionState.VERIFYING], ids=name)
def test_before_it_is_authenticated_anything_else_closes(state: SessionState, text: str) -> None:
    made = session(state)
    received = made.receive(text)
    assert received.close is not None
    assert received.close.code is CloseCode.PROTOCOL_VIOLATION
    assert made.receive(encode(OPENING)) == Received()


@given(st.binary(max_size=200) | st.text(st.characters(), max_size=200))
def test_whatever_comes_nothing_is_raised_and_a_reason_fits_its_frame(noise: str | bytes) -> None:
    for state in SessionState:
        received = session(state).receive(noise)
        if received.close:
            assert len(received.close.reason.encode()) <= 123


def test_a_malformed_message_closes_with_its_fault() -> None:
    received = session(SessionState.WATCHING).receive('{"type":"SUBSCRIBE"}')
    assert received.close == Close(
        CloseCode.PROTOCOL_VIOLATION, "SUBSCRIBE.request: Field required"
    )


@pytest.mark.parametrize(
    ("state", "limit"),
    [
        (SessionState.OPENING, LARGEST_FIRST_MESSAGE),
        (SessionState.VERIFYING, LIMITS.message_bytes),
        (SessionState.PUBLISHING, LIMITS.message_bytes),
        (SessionState.WATCHING, LIMITS.message_bytes),
    ],
    ids=name,
)
def test_a_message_over_its_states_limit_closes(state: SessionState, limit: int) -> None:
    text = encode(OPENING if state is SessionState.OPENING else Refresh(token="t"))
    assert session(state).receive(text.ljust(limit)).close in (
        None,
        Close(CloseCode.PROTOCOL_VIOLATION, "wait for AUTHENTICATED"),
    )
    over = session(state).receive(text.ljust(limit + 1))
    assert over.close == Close(CloseCode.MESSAGE_TOO_LARGE, f"message is over {limit} bytes")


def test_a_session_without_limits_of_its_own_has_the_usual_ones() -> None:
    assert ServerSession(0).limits.message_bytes == LARGEST_MESSAGE


# ------------------------------------------------------------------------------------- deadlines


@pytest.mark.parametrize("state", [SessionState.OPENING, SessionState.VERIFYING], ids=name)
def test_authentication_has_five_seconds_in_all(state: SessionState) -> None:
    made = session(state)
    assert made.next_due_ms() == 5_000
    assert made.tick(4_999) == Due()
    late = Close(CloseCode.AUTHENTICATION_TIMEOUT, "no authentication in time")
    assert made.tick(5_000) == Due(close=late)
    assert made.state is SessionState.CLOSED
    assert made.tick(9_000) == Due()
    assert made.next_due_ms() is None


def test_a_heartbeat_is_due_after_silence_and_speech_puts_it_off() -> None:
    made = session(SessionState.WATCHING)
    assert made.next_due_ms() == 15_000
    assert made.tick(14_999) == Due()
    assert made.tick(15_000) == Due(heartbeat=True)
    assert made.tick(15_001) == Due(heartbeat=True)
    made.spoke(15_001)
    assert made.tick(30_000) == Due()
    assert made.next_due_ms() == 30_001


def test_a_token_is_half_over_once_and_then_over() -> None:
    made = session(SessionState.WATCHING, lifetime_ms=20_000)
    assert made.next_due_ms() == 10_000
    assert made.tick(9_999) == Due()
    assert made.tick(10_000) == Due(token_expiring=True)
    assert made.tick(10_000) == Due()
    assert made.next_due_ms() == 15_000
    made.spoke(19_000)
    assert made.next_due_ms() == 20_000
    assert made.tick(20_000) == Due(close=Close(CloseCode.UNAUTHENTICATED, "the token expired"))
    assert made.state is SessionState.CLOSED


def test_half_of_its_life_counts_from_when_it_was_made() -> None:
    day = 24 * HOUR
    made = session(SessionState.WATCHING, lifetime_ms=20 * day, age_ms=10 * day)
    assert made.tick(5 * day - 1) == Due(heartbeat=True)
    assert made.tick(5 * day) == Due(heartbeat=True, token_expiring=True)
    # One who comes for minutes a day hears of it in the first of them.
    brief = session(SessionState.WATCHING, lifetime_ms=1 * day, age_ms=29 * day)
    assert brief.next_due_ms() is not None
    assert brief.tick(0) == Due(token_expiring=True)
    assert brief.tick(1) == Due()


def test_a_newer_token_starts_a_new_life() -> None:
    made = session(SessionState.PUBLISHING, lifetime_ms=20_000)
    assert made.tick(10_000).token_expiring
    made.renewed(40_000, 12_000)
    made.spoke(31_000)
    assert made.tick(31_999) == Due()
    assert made.tick(32_000) == Due(token_expiring=True)
    made.spoke(51_000)
    assert made.tick(51_999) == Due()
    assert made.tick(52_000).close is not None


def test_a_token_that_was_over_already_closes_at_once() -> None:
    made = session(SessionState.WATCHING, lifetime_ms=0)
    assert made.tick(0).close == Close(CloseCode.UNAUTHENTICATED, "the token expired")


@given(
    st.integers(0, 10**6),
    st.integers(-(10**6), 10**6),
    st.lists(st.tuples(st.integers(0, 30_000), st.booleans()), max_size=20),
)
def test_nothing_is_due_before_the_moment_that_was_named(
    lifetime_ms: int, age_ms: int, steps: list[tuple[int, bool]]
) -> None:
    made = session(SessionState.WATCHING, lifetime_ms, age_ms)
    now = 0
    for step_ms, speaks in steps:
        due_ms = made.next_due_ms()
        if due_ms is None:
            break
        if due_ms > now:
            assert made.tick(due_ms - 1) == Due()
        now = max(now + step_ms, due_ms)
        assert made.tick(now) != Due()
        if speaks:
            made.spoke(now)


def test_authenticated_is_for_one_who_asked() -> None:
    for state in SessionState:
        if state is not SessionState.VERIFYING:
            with pytest.raises(LocalProtocolError, match=state.name):
                session(state).authenticated(Role.VIEWER, 1, 0)


def test_deadlines_can_be_shorter() -> None:
    made = ServerSession(100, deadlines=Deadlines(authentication_ms=10, heartbeat_ms=20))
    assert made.next_due_ms() == 110


# ----------------------------------------------------------------------------- window and requests


def test_a_bridge_that_runs_over_its_window_is_limited() -> None:
    made = session(SessionState.PUBLISHING)
    # Twice as much is taken as is told, since the two ends count at different moments.
    assert made.receive(encode(readings(*range(20)))).close is None
    over = made.receive(encode(readings(20)))
    assert over.message is None
    assert over.close is not None
    assert over.close.code is CloseCode.RATE_LIMITED
    assert over.close.reason.startswith("over 10 readings without acknowledgement")
    assert retry_after_ms(over.close.reason) == 5_000


def test_what_is_settled_leaves_the_window() -> None:
    made = session(SessionState.PUBLISHING)
    for _ in range(5):
        assert isinstance(made.receive(encode(readings(*range(10)))).message, Readings)
        made.settled(4)
        made.settled(6)
    with pytest.raises(LocalProtocolError, match="1 settled of 0"):
        made.settled(1)


def test_requests_under_way_are_bounded() -> None:
    made = session(SessionState.WATCHING)
    for number in ("1", "2"):
        assert made.receive(encode(Request(request=number, method="sync"))).message
    third = made.receive(encode(Request(request="3", method="sync")))
    assert third.message is None
    assert third.replies == (Error(request="3", code="tooMany", message="wait for an answer"),)
    made.answered()
    assert made.receive(encode(Request(request="4", method="sync"))).message
    made.answered()
    made.answered()
    with pytest.raises(LocalProtocolError, match="without a request"):
        made.answered()


# ------------------------------------------------------------------------ series that are none


def test_a_bad_series_closes_nothing_and_spoils_no_neighbour() -> None:
    made = session(SessionState.PUBLISHING)
    received = made.receive(frame(one(seq=[1, 1]), one(seq=[7, 1], value=[1]), one(seq=[9, 1])))
    assert received.close is None
    assert received.replies == ()
    assert isinstance(received.message, Readings)
    assert [series.ranges() for series in received.message.series] == [[(1, 2)], [(9, 10)]]
    assert [(bad.ranges, bad.code) for bad in received.rejected] == [([(7, 8)], "malformed")]
    made.settled(4)
    with pytest.raises(LocalProtocolError):
        made.settled(1)


def test_readings_of_which_nothing_is_good_are_no_message() -> None:
    made = session(SessionState.PUBLISHING)
    received = made.receive(frame(one(seq=[1, 1], value=[1])))
    assert received.message is None
    assert [bad.ranges for bad in received.rejected] == [[(1, 2)]]
    assert made.state is SessionState.PUBLISHING


def test_what_is_good_of_them_still_needs_its_room() -> None:
    made = session(SessionState.PUBLISHING)
    made.receive(encode(readings(*range(19))))
    received = made.receive(frame(one(), one(value=[])))
    assert received.close is not None
    assert received.close.code is CloseCode.RATE_LIMITED
    assert received.rejected == ()


@pytest.mark.parametrize(
    "state", [SessionState.OPENING, SessionState.VERIFYING, SessionState.WATCHING], ids=name
)
def test_only_a_bridges_readings_are_judged(state: SessionState) -> None:
    received = session(state).receive(frame(one(value=[1])))
    assert received.rejected == ()
    assert received.close is not None
