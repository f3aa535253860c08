"""The bridge's end: what may be sent, and what an answer means."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from strapline_protocol.base import WireModel
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.codec import decode_client, encode
from strapline_protocol.errors import LocalProtocolError, RemoteProtocolError
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.link import HEARTBEAT_UNTIL_TOLD_MS, LinkState
from strapline_protocol.opening import Authenticate, Heartbeat, Refresh, Request, Role
from strapline_protocol.publishing import (
    Acknowledged,
    Dropped,
    Lane,
    Rejected,
    Status,
    Stream,
)
from tests.unit.protocol.examples import (
    CLIENT,
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    STREAM,
    ZERO,
    authenticated,
    readings,
    series,
)

HELLO = SERVER_MESSAGES[0]
DECLARED = Stream(stream=STREAM, next_seq=5, zero=ZERO)
ASKED = Request(request="b1", method="accounts", params={"stream": STREAM})
DROPPED = Dropped(stream=STREAM, ranges=[(0, 1)], reason="full")
(STATUS,) = (one for one in CLIENT_MESSAGES if isinstance(one, Status))


def session(state: LinkState) -> BridgeSession:
    """A session in that state, at 0."""
    made = BridgeSession(0, CLIENT)
    if state is LinkState.CLOSED:
        made.closed()
    elif state is not LinkState.WAITING:
        made.receive(encode(HELLO), 0)
        if state is not LinkState.GREETED:
            made.authenticate("t")
        if state is LinkState.READY:
            made.receive(encode(authenticated(Role.BRIDGE)), 0)
    assert made.state is state
    return made


def ready() -> BridgeSession:
    """A session that has declared its stream."""
    made = session(LinkState.READY)
    made.declare(DECLARED)
    return made


def name(value: object) -> str:
    return value.name if isinstance(value, LinkState) else type(value).__name__


@pytest.mark.parametrize("message", SERVER_MESSAGES, ids=name)
@pytest.mark.parametrize("state", LinkState, ids=name)
def test_each_message_in_each_state(state: LinkState, message: WireModel) -> None:
    made = session(state)
    if type(message) in BridgeSession.EXPECTED[state]:
        assert made.receive(encode(message), 1) == message
        opened = {LinkState.WAITING: LinkState.GREETED}
        if message == authenticated():
            opened = {LinkState.AUTHENTICATING: LinkState.READY}
        assert made.state is opened.get(state, state)
    else:
        with pytest.raises(RemoteProtocolError, match=f"while {state.name}"):
            made.receive(encode(message), 1)
        assert made.state is state


@pytest.mark.parametrize("state", LinkState, ids=name)
def test_a_message_of_a_newer_server_is_passed_over(state: LinkState) -> None:
    made = session(state)
    assert made.receive('{"type":"FUTURE"}', 1) is None
    assert made.state is state


def test_a_malformed_message_is_the_servers_fault() -> None:
    with pytest.raises(RemoteProtocolError, match="serverTime"):
        session(LinkState.READY).receive('{"type":"HEARTBEAT"}', 1)


@pytest.mark.parametrize("state", LinkState, ids=name)
def test_one_authenticates_once_and_after_the_greeting(state: LinkState) -> None:
    made = session(state)
    if state is LinkState.GREETED:
        assert decode_client(made.authenticate("t")) == Authenticate(token="t", client=CLIENT)
    with pytest.raises(LocalProtocolError, match="authenticate in state"):
        made.authenticate("t")


@pytest.mark.parametrize("state", LinkState, ids=name)
@pytest.mark.parametrize(
    "say",
    [
        lambda made: made.refresh("t"),
        lambda made: made.declare(DECLARED),
        lambda made: made.publish(STREAM, Lane.LIVE, [series(0)], 0),
        lambda made: made.drop(DROPPED),
        lambda made: made.report(STATUS),
        lambda made: made.ask(ASKED),
    ],
    ids=["refresh", "declare", "publish", "drop", "report", "ask"],
)
def test_nothing_is_sent_before_the_session_stands(
    say: Callable[[BridgeSession], bytes], state: LinkState
) -> None:
    made = session(state)
    if state is LinkState.READY:
        made.declare(DECLARED)
        assert decode_client(say(made))
    else:
        with pytest.raises(LocalProtocolError, match=f"in state {state.name}"):
            say(made)
        assert made.room(Lane.LIVE) == made.room(Lane.BACKLOG) == 0


def test_frames_say_what_they_were_given() -> None:
    made = ready()
    assert decode_client(made.refresh("new")) == Refresh(token="new")
    assert decode_client(made.declare(DECLARED)) == DECLARED
    assert decode_client(made.drop(DROPPED)) == DROPPED
    assert decode_client(made.report(STATUS)) == STATUS
    assert decode_client(made.ask(ASKED)) == ASKED
    assert decode_client(made.publish(STREAM, Lane.LIVE, [series(1, 3)], 0)) == readings(1, 3)


def test_a_stream_is_declared_before_anything_is_said_of_it() -> None:
    made = session(LinkState.READY)
    assert made.declared(STREAM) is None
    with pytest.raises(LocalProtocolError, match="READINGS before STREAM"):
        made.publish(STREAM, Lane.LIVE, [series(0)], 0)
    with pytest.raises(LocalProtocolError, match="DROPPED before STREAM"):
        made.drop(DROPPED)
    made.declare(DECLARED)
    assert made.declared(STREAM) == ZERO.version
    assert made.publish(STREAM, Lane.LIVE, [series(0)], 0)
    assert made.under_way(STREAM) == IntervalSet([(0, 0)])


def test_what_is_under_way_is_what_was_not_answered() -> None:
    made = ready()
    assert made.room(Lane.LIVE) == 20
    made.publish(STREAM, Lane.LIVE, [series(0, 1, 2), series(7, 9)], 0)
    assert made.room(Lane.LIVE) == 15
    assert made.under_way(STREAM) == IntervalSet([(0, 2), (7, 7), (9, 9)])
    made.receive(encode(Acknowledged(stream=STREAM, ranges=[(0, 7)])), 1)
    assert made.under_way(STREAM) == IntervalSet([(9, 9)])
    rejected = Rejected(stream=STREAM, ranges=[(9, 9)], code="x", message="x")
    made.receive(encode(rejected), 1)
    assert made.room(Lane.LIVE) == 20


def test_more_than_there_is_room_for_is_not_sent() -> None:
    made = ready()
    made.publish(STREAM, Lane.LIVE, [series(*range(15))], 0)
    with pytest.raises(LocalProtocolError, match="6 readings where 5"):
        made.publish(STREAM, Lane.LIVE, [series(*range(20, 26))], 0)
    assert made.under_way(STREAM) == IntervalSet([(0, 14)])
    made.publish(STREAM, Lane.LIVE, [series(*range(20, 25))], 0)
    assert made.room(Lane.LIVE) == 0


def test_a_frame_that_cannot_be_is_not_under_way() -> None:
    made = ready()
    with pytest.raises(ValidationError):
        made.publish(STREAM, Lane.LIVE, [], 0)
    with pytest.raises(ValidationError):
        made.publish(STREAM, Lane.LIVE, [series(n) for n in range(257)], 0)
    assert made.room(Lane.LIVE) == 20


def test_it_is_useful_once_readings_of_its_own_were_acknowledged() -> None:
    made = ready()
    made.receive(encode(Acknowledged(stream=STREAM, ranges=[(0, 99)], zero_version=1)), 1)
    assert not made.useful
    made.publish(STREAM, Lane.LIVE, [series(5)], 0)
    made.receive(encode(Acknowledged(stream=STREAM, ranges=[(6, 6)])), 1)
    assert not made.useful
    made.receive(encode(Acknowledged(stream=STREAM, ranges=[(5, 5)])), 1)
    assert made.useful


def test_before_the_session_stands_nothing_is_under_way() -> None:
    assert not session(LinkState.AUTHENTICATING).under_way(STREAM)


def test_silence_is_two_and_a_half_heartbeats() -> None:
    made = session(LinkState.GREETED)
    assert made.silence_allowed_ms == HEARTBEAT_UNTIL_TOLD_MS * 5 // 2 == 37_500
    made = session(LinkState.READY)
    assert made.silence_allowed_ms == 25_000
    assert not made.silent(25_000)
    assert made.silent(25_001)
    made.receive(encode(Heartbeat(server_time=1)), 25_001)
    assert not made.silent(50_001)
    # What cannot be understood was heard all the same.
    made.receive('{"type":"FUTURE"}', 50_001)
    assert not made.silent(75_001)


def test_a_closed_session_takes_nothing() -> None:
    made = ready()
    made.closed()
    assert made.room(Lane.LIVE) == 0
    with pytest.raises(RemoteProtocolError):
        made.receive(encode(Heartbeat(server_time=1)), 1)
