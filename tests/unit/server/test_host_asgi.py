"""ASGI in plain Python: paths below a mount, headers, responses, what is taken out of a log."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from strapline_server.host.asgi import (
    Event,
    asked,
    deny,
    path_below,
    redact,
    request_of,
    respond,
    values_of,
)
from strapline_server.http import refuse


class Sent(list[Event]):
    async def __call__(self, event: Event) -> None:
        self.append(event)


def scope(**fields: Any) -> dict[str, Any]:
    return {"path": "/realtime/ws", "root_path": "/realtime", "headers": [], **fields}


@pytest.mark.parametrize(
    ("path", "root", "below"),
    [
        ("/realtime/ws", "/realtime", "/ws"),
        ("/realtime/ws", "/realtime/", "/ws"),
        ("/realtime", "/realtime", "/"),
        ("/realtime/", "/realtime", "/"),
        ("/ws", "", "/ws"),
        ("/", "", "/"),
        ("/ws", "/realtime", "/ws"),
        ("/realtimer/ws", "/realtime", "/realtimer/ws"),
        ("/a/b/ws", "/a/b", "/ws"),
    ],
)
def test_the_path_below_a_mount(path: str, root: str, below: str) -> None:
    assert path_below(scope(path=path, root_path=root)) == below


def test_a_scope_without_a_root_path_is_at_the_root() -> None:
    assert path_below({"path": "/ws"}) == "/ws"


def test_what_was_asked_for_is_seen_and_taken_out() -> None:
    one = scope(query_string=b"%74oken=eyJ", raw_path=b"/realtime/ws")
    assert asked(one) == "/realtime/ws?token=eyJ"
    redact(one)
    assert asked(one) == "/"
    assert "eyJ" not in repr(one)
    assert "realtime" not in repr(one)


def test_all_values_of_a_header_whatever_its_letters() -> None:
    headers = [(b"Origin", b"a"), (b"host", b"h"), (b"origin", b"b")]
    assert values_of(scope(headers=headers), b"origin") == ["a", "b"]


async def test_a_response_without_what_is_the_servers_own() -> None:
    sent = Sent()
    await respond(sent, refuse(HTTPStatus.NOT_FOUND, "There is nothing here."))
    start, body = sent
    assert (start["type"], start["status"]) == ("http.response.start", 404)
    names = [name for name, _ in start["headers"]]
    assert (b"x-content-type-options", b"nosniff") in start["headers"]
    assert not {b"date", b"connection"} & set(names)
    assert body == {"type": "http.response.body", "body": b"There is nothing here.\n"}


async def test_a_denial_says_its_status_where_the_server_can() -> None:
    response = refuse(HTTPStatus.BAD_REQUEST, "No.")
    with_status, without = Sent(), Sent()
    await deny(scope(extensions={"websocket.http.response": {}}), with_status, response)
    assert [event["type"] for event in with_status] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert with_status[0]["status"] == 400
    for one in (scope(extensions={}), scope(extensions=None)):
        await deny(one, without, response)
    assert [event["type"] for event in without] == ["websocket.close"] * 2


def test_a_request_as_the_servers_own_sockets_have_it() -> None:
    request = request_of(scope(method="HEAD", headers=[(b"if-none-match", b'"x"')]), "/ws")
    assert (request.method, request.path) == ("HEAD", "/ws")
    assert request.headers["If-None-Match"] == '"x"'
