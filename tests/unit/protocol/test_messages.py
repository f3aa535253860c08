"""The two unions and the registry of methods."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from pydantic import TypeAdapter

from strapline_protocol import server_session
from strapline_protocol.asking import HistoryPage, SyncResult
from strapline_protocol.base import Code, WireModel
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.link import LinkState
from strapline_protocol.messages import METHODS, ClientMessage, ServerMessage
from strapline_protocol.viewer_session import ViewerSession


def members(union: Any) -> tuple[type[WireModel], ...]:
    return typing.get_args(typing.get_args(union)[0])


@pytest.mark.parametrize("union", [ClientMessage, ServerMessage], ids=["client", "server"])
def test_a_type_is_one_name_in_the_originals_style(union: Any) -> None:
    types = [member.model_fields["type"].default for member in members(union)]
    assert len(set(types)) == len(types)
    for name, member in zip(types, members(union), strict=True):
        assert name == name.upper()
        assert name.replace("_", "").isalpha()
        assert typing.get_args(member.model_fields["type"].annotation) == (name,)


def test_a_server_hears_each_client_message_in_some_state() -> None:
    heard = frozenset[type[WireModel]]().union(*server_session.ALLOWED.values())
    assert heard == set(members(ClientMessage))


def test_a_client_hears_each_server_message_in_some_state() -> None:
    tables = (BridgeSession.EXPECTED, ViewerSession.EXPECTED)
    heard = {one for table in tables for state in LinkState for one in table[state]}
    assert heard == set(members(ServerMessage))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_named_as_a_request_may_name_it(name: str) -> None:
    assert TypeAdapter(Code).validate_python(name) == name
    assert issubclass(METHODS[name].params, WireModel)


def test_answers_are_those_of_their_methods() -> None:
    assert METHODS["history"].result is HistoryPage
    assert METHODS["sync"].result is SyncResult
