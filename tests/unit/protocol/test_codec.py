"""Frames to messages and back: nothing is lost, nothing lax comes in, nothing secret comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strapline_protocol.asking import SyncResult
from strapline_protocol.codec import (
    LARGEST_FIRST_MESSAGE,
    decode_client,
    decode_params,
    decode_server,
    encode,
    encode_result,
    result_of,
)
from strapline_protocol.errors import (
    LocalProtocolError,
    MalformedMessageError,
    MessageTooLargeError,
    StraplineError,
    UnknownTypeError,
)
from strapline_protocol.messages import METHODS, ClientMessage, ServerMessage
from strapline_protocol.opening import Refresh, Request, Result
from tests.unit.protocol.strategies import CONTENT, wire

SECRET = "eyJhbGciOiJFZERTQSJ9.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl"

#: The strategies are wide: drawing one message takes longer than judging it.
patient = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def frame(**message: Any) -> str:
    return json.dumps(message)


def readings(**columns: Any) -> dict[str, Any]:
    series = {
        "user": "ada",
        "device": "d1",
        "metric": "heart_rate",
        "seq": [5],
        "elapsedMs": [1_000],
        "value": [72],
    } | columns
    return {"type": "READINGS", "stream": "A" * 22, "lane": "live", "series": [series]}


def said(sent: Any, again: Any) -> bool:
    """Whether all that was sent is in what came back; defaults may be added or left out."""
    if isinstance(sent, dict):
        return isinstance(again, dict) and all(
            said(value, again[name]) if name in again else not value for name, value in sent.items()
        )
    if isinstance(sent, list):
        return len(sent) == len(again) and all(map(said, sent, again))
    return bool(sent == again) and type(sent) is type(again)


@patient
@given(wire(ClientMessage))
def test_every_client_message_comes_back_as_it_was(sent: dict[str, Any]) -> None:
    message = decode_client(json.dumps(sent))
    encoded = encode(message)
    assert said(sent, json.loads(encoded))
    assert decode_client(encoded) == message
    assert encode(decode_client(encoded.decode())) == encoded


@patient
@given(wire(ServerMessage))
def test_every_server_message_comes_back_as_it_was(sent: dict[str, Any]) -> None:
    message = decode_server(json.dumps(sent))
    encoded = encode(message)
    assert said(sent, json.loads(encoded))
    assert decode_server(encoded) == message
    assert encode(decode_server(encoded.decode())) == encoded


@patient
@given(st.data())
@pytest.mark.parametrize("method", METHODS)
def test_a_methods_question_and_answer_come_back_as_they_were(
    method: str, data: st.DataObject
) -> None:
    params = METHODS[method].params
    asked = data.draw(wire(params))
    request = decode_client(frame(type="REQUEST", request="r1", method=method, params=asked))
    assert isinstance(request, Request)
    assert decode_params(request) == params.model_validate_json(json.dumps(asked))
    answer = METHODS[method].result.model_validate_json(
        json.dumps(data.draw(wire(METHODS[method].result)))
    )
    got = decode_server(encode_result("r1", answer))
    assert isinstance(got, Result)
    assert got.request == "r1"
    assert result_of(method, got.result) == answer


def test_fields_of_a_newer_peer_are_ignored() -> None:
    assert decode_client(frame(type="REFRESH", token="t", hint={"a": [1]})) == Refresh(token="t")


@pytest.mark.parametrize("value", ["true", '"72"', "NaN", "Infinity", "-Infinity", "1e400"])
def test_a_value_is_a_strict_finite_number(value: str) -> None:
    with pytest.raises(MalformedMessageError, match=r"series\.0\.value\.0"):
        decode_client(frame(**readings(value=["?"])).replace('"?"', value))


@pytest.mark.parametrize("value", ["9007199254740992", "-9007199254740992", "9007199254740992.0"])
def test_a_number_stays_below_2_to_the_53(value: str) -> None:
    with pytest.raises(MalformedMessageError, match="9007199254740991"):
        decode_client(frame(**readings(value=["?"])).replace('"?"', value))
    assert decode_client(frame(**readings(value=["?"])).replace('"?"', "9007199254740991"))


@pytest.mark.parametrize("first", ["1.0", "true", '"1"', "-1", "9007199254740992", "null"])
def test_a_range_is_of_whole_numbers(first: str) -> None:
    text = frame(type="DROPPED", stream="A" * 22, ranges=[["?", 5]], reason="full")
    with pytest.raises(MalformedMessageError, match=r"ranges\.0\.0"):
        decode_client(text.replace('"?"', first))


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400", "9007199254740992"])
def test_open_content_has_strict_numbers_too(number: str) -> None:
    asked = frame(type="REQUEST", request="r", method="sync", params={"a": [{"b": "?"}]})
    with pytest.raises(MalformedMessageError, match="params: a number"):
        decode_client(asked.replace('"?"', number))


def test_a_number_that_is_none_does_not_turn_into_null() -> None:
    page: dict[str, Any] = {"user": "a", "metric": "m", "series": [], "position": ["e", 1]}
    assert result_of("history", {**page, "next": None})
    with pytest.raises(MalformedMessageError, match="next"):
        result_of("history", {**page, "next": float("nan")})


def test_pythons_own_names_are_not_the_wires() -> None:
    text = frame(**readings()).replace("elapsedMs", "elapsed_ms")
    with pytest.raises(MalformedMessageError, match="elapsedMs: Field required"):
        decode_client(text)
    with pytest.raises(MalformedMessageError, match="camelCase"):
        decode_client(frame(**readings(elapsed_ms=[1_000])))
    asked = Request(request="r", method="history", params={"from_ms": 0})
    with pytest.raises(MalformedMessageError, match="fromMs: Field required"):
        decode_params(asked)


def test_the_last_of_two_equal_names_counts() -> None:
    assert decode_client('{"type":"REFRESH","token":"a","token":"b"}') == Refresh(token="b")


@pytest.mark.parametrize("text", ["", "[]", "1", "null", '"REFRESH"', "{", "{}", '{"token":"t"}'])
def test_what_is_no_object_with_a_type_is_malformed(text: str) -> None:
    with pytest.raises(MalformedMessageError):
        decode_client(text)
    with pytest.raises(MalformedMessageError):
        decode_server(text.encode())


@pytest.mark.parametrize(
    "text", [b'{"type":"\xff"}', b"\xef\xbb\xbf{}", b"\x00", '{"type":"\\ud800"}', "\ud800"]
)
def test_bad_unicode_is_malformed(text: str | bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode_client(text)


def test_bad_unicode_is_malformed_also_where_the_size_is_in_question() -> None:
    with pytest.raises(MalformedMessageError):
        decode_client('{"type":"\ud800"}' + " " * 100, largest=200)


@pytest.mark.parametrize("depth", [300, 100_000])
@pytest.mark.parametrize("bracket", ["[]", '{"a":}'])
def test_deep_nesting_is_malformed_and_cheap(depth: int, bracket: str) -> None:
    opening, closing = bracket[:-1], bracket[-1]
    inner = opening * depth + "1" + closing * depth
    text = frame(type="REQUEST", request="r", method="sync", params={"a": "?"})
    with pytest.raises(MalformedMessageError):
        decode_client(text.replace('"?"', inner), largest=10**7)


def test_a_frame_of_the_largest_size_passes_and_one_byte_more_does_not() -> None:
    text = frame(type="REFRESH", token="t")
    exact = text + " " * (LARGEST_FIRST_MESSAGE - len(text))
    assert decode_client(exact, LARGEST_FIRST_MESSAGE)
    assert decode_client(exact.encode(), LARGEST_FIRST_MESSAGE)
    for over in (exact + " ", exact.encode() + b" "):
        with pytest.raises(MessageTooLargeError, match="17408 bytes"):
            decode_client(over, LARGEST_FIRST_MESSAGE)


@pytest.mark.parametrize("character", ["x", "é", "€", "♥", "\U0001f493"])
def test_the_size_of_a_text_is_that_of_its_bytes(character: str) -> None:
    text = '{"type":"REFRESH","token":"t","x":"' + character * 99 + '"}'
    size = len(text.encode())
    assert decode_client(text, size)
    with pytest.raises(MessageTooLargeError):
        decode_client(text, size - 1)


def test_the_first_message_has_room_for_the_longest_token() -> None:
    opening = {"type": "AUTHENTICATE", "client": {"name": "x" * 128, "version": "y" * 128}}
    assert decode_client(frame(**opening, token="t" * 16_384), LARGEST_FIRST_MESSAGE)
    with pytest.raises(MalformedMessageError):
        decode_client(frame(**opening, token="t" * 16_385))


def test_an_unknown_type_is_told_apart_from_a_malformed_one() -> None:
    with pytest.raises(UnknownTypeError) as caught:
        decode_client(frame(type="READINGS_2", token=SECRET))
    assert caught.value.type_name == "READINGS_2"
    # A message of the other direction is as unknown as one of the future.
    with pytest.raises(UnknownTypeError):
        decode_client(frame(type="HELLO"))


@pytest.mark.parametrize("tag", [5, 1.5, True, None, [SECRET], {SECRET: SECRET}, SECRET, "A" * 65])
def test_a_type_that_is_no_name_is_malformed_and_not_repeated(tag: Any) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        decode_client(frame(type=tag))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("data", [5, None, "today", ["today"], True, {}])
def test_a_state_that_is_no_object_is_malformed(data: Any) -> None:
    with pytest.raises(MalformedMessageError, match=r"data\.ValueData"):
        decode_server(
            frame(type="HEALTH_DATA_UPDATE", user="a", metric="m", stream="A" * 22, data=data)
        )


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a JSON value something stands."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    found = [at]
    for key, inner in pairs:
        found += places(inner, (*at, key)) if isinstance(inner, (dict, list)) else [(*at, key)]
    return found


def spoilt(value: Any, at: tuple[Any, ...], evil: Any) -> Any:
    """The value with something else at that place."""
    if not at:
        return evil
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = spoilt(value[at[0]], at[1:], evil)
    return copy


@patient
@given(
    wire(ClientMessage),
    st.data(),
    st.sampled_from([SECRET, [SECRET], {SECRET: SECRET}, {SECRET: ["e", 1]}]),
)
def test_no_error_text_holds_what_was_sent(
    sent: dict[str, Any], data: st.DataObject, evil: Any
) -> None:
    at = data.draw(st.sampled_from(places(sent)))
    error = refusal(json.dumps(spoilt(sent, at, evil)))
    if error is not None:
        assert SECRET not in str(error)
        assert SECRET not in repr(error)
        assert error.__cause__ is None
        assert error.__suppress_context__


def refusal(text: str) -> StraplineError | None:
    try:
        decode_client(text)
    except StraplineError as error:
        return error
    return None


def test_a_key_that_was_sent_is_not_told_either() -> None:
    with pytest.raises(MalformedMessageError) as caught:
        decode_client(frame(type="SUBSCRIBE", request="r", since={SECRET: 5}))
    assert str(caught.value) == "SUBSCRIBE.since.*: Input should be a valid array"


def test_an_error_text_stays_short_whatever_was_sent() -> None:
    many = {f"no user {i}": ["e", 1] for i in range(500)}
    with pytest.raises(MalformedMessageError) as caught:
        decode_client(frame(type="SUBSCRIBE", request="r", since=many))
    assert len(str(caught.value)) < 1_000
    assert str(caught.value).endswith("; and 497 more")


def test_a_column_fails_at_its_first_fault() -> None:
    with pytest.raises(MalformedMessageError) as caught:
        decode_client(frame(**readings(rr=[["x"] * 60])))
    assert str(caught.value) == "READINGS.series.0.rr.0.0: Input should be a valid integer"


def test_an_unknown_method_is_an_unknown_type() -> None:
    with pytest.raises(UnknownTypeError, match="teleport"):
        decode_params(Request(request="r", method="teleport"))
    with pytest.raises(LocalProtocolError, match="teleport"):
        result_of("teleport", {})


def test_parameters_of_another_shape_name_the_field() -> None:
    with pytest.raises(MalformedMessageError, match="user: Field required"):
        decode_params(Request(request="r", method="history", params={}))
    with pytest.raises(MalformedMessageError, match="asked: Input should be a valid integer"):
        result_of("sync", {"asked": "7"})


@given(CONTENT)
def test_params_are_passed_on_as_they_are(content: dict[str, Any]) -> None:
    request = decode_client(frame(type="REQUEST", request="r", method="sync", params=content))
    assert isinstance(request, Request)
    assert json.loads(encode(request))["params"] == content


def test_a_request_number_is_escaped_in_a_result() -> None:
    got = decode_server(encode_result('"\\', SyncResult(asked=3)))
    assert got == Result(request='"\\', result={"asked": 3})


def test_faults_are_told_without_pydantics_prefix() -> None:
    with pytest.raises(MalformedMessageError, match=r"series\.0: seq: starts below 0"):
        decode_client(frame(**readings(seq=[-1, 1], elapsedMs=[1, 1], value=[1, 1])))
