"""Messages that open and keep a connection: bounds, and no token where it could be read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from strapline_protocol.codec import LARGEST_MESSAGE, decode_server, encode
from strapline_protocol.opening import (
    SUBPROTOCOL,
    Authenticate,
    Authenticated,
    Client,
    ClockState,
    Error,
    ErrorCode,
    Health,
    Hello,
    Limits,
    Refresh,
    Role,
    TokenExpiring,
)
from strapline_protocol.server_session import Deadlines

CLIENT = Client(name="watch", version="1.0")
TOKEN = "eyJhbGciOiJFZERTQSJ9.secret.signature"


@pytest.mark.parametrize(
    "message",
    [
        Authenticate(token=TOKEN, client=CLIENT),
        Refresh(token=TOKEN),
        TokenExpiring(expires_at=1, token=TOKEN),
    ],
    ids=lambda message: message.type,
)
def test_a_token_is_not_shown_with_its_message(message: Any) -> None:
    assert TOKEN not in repr(message)
    assert TOKEN not in f"{message}"
    assert TOKEN in encode(message).decode()


def test_a_greeting_says_which_versions_there_are() -> None:
    hello = Hello(store="s", epoch="e", server_time=1, clock_state=ClockState.SYNCHRONISED)
    assert hello.versions == [SUBPROTOCOL]
    assert b'"clockState":"synchronised","versions":["strapline.v1"]' in encode(hello)


def test_limits_are_what_both_ends_assume_when_nothing_is_said() -> None:
    assert Limits().message_bytes == LARGEST_MESSAGE
    assert Deadlines().authentication_ms == 5_000
    assert Deadlines().heartbeat_ms == 15_000


@pytest.mark.parametrize(
    "limits",
    [
        {"window_readings": 0},
        {"message_bytes": 1_023},
        {"requests_in_flight": 0},
        {"requests_in_flight": 65},
    ],
    ids=str,
)
def test_a_limit_under_which_nothing_works_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Limits(**limits)


def test_a_session_says_who_and_for_whom() -> None:
    session = Authenticated(
        session="s",
        principal="p",
        role=Role.VIEWER,
        users=["ada"],
        expires_at=2,
        heartbeat_ms=15_000,
        reconnect_spread_ms=5_000,
    )
    assert b"simulated" not in encode(session)
    assert decode_server(encode(session)) == session
    assert b'"simulated":true' in encode(session.model_copy(update={"simulated": True}))


def test_an_error_may_belong_to_no_request() -> None:
    error = Error(code=ErrorCode.NOT_GRANTED, message="no")
    assert encode(error) == b'{"type":"ERROR","code":"notGranted","message":"no"}'
    assert decode_server(encode(error)) == error


def test_a_client_takes_an_error_code_that_it_does_not_know() -> None:
    error = decode_server('{"type":"ERROR","code":"somethingNew","message":"x"}')
    assert isinstance(error, Error)
    assert error.code == "somethingNew"


def test_health_is_one_of_three_words_and_says_what_fails() -> None:
    assert encode(Health(status="ok", version="1", connections=0)) == (
        b'{"status":"ok","version":"1","connections":0}'
    )
    failing = Health(status="failing", version="1", connections=0, failing=["looking at rights"])
    assert b'"failing":["looking at rights"]' in encode(failing)
    with pytest.raises(ValidationError):
        Health.model_validate({"status": "fine", "version": "1", "connections": 0})
