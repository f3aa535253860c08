"""`WebSocketHandler` as a host application meets it: made, forgotten, started, stopped."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from strapline_protocol.opening import ErrorCode
from strapline_server import (
    ConfigError,
    NoteError,
    NotRunningError,
    Receipt,
    SecretError,
    StoreError,
    UnknownUserError,
    UpdateError,
    WebSocketHandler,
)
from strapline_server.errors import FolderTakenError
from strapline_server.host.asgi import Event
from strapline_server.host.handler import default_folder
from tests.unit.server.asgi_kit import SECRET, Client, answered, scope

MAKE = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'


@pytest.fixture
def handler(tmp_path: Path) -> WebSocketHandler:
    return WebSocketHandler(SECRET, state_folder=tmp_path / "state")


# Making one


@pytest.mark.parametrize("secret", ["your-jwt-secret", b"short", "", "x" * 31])
def test_a_short_secret_fails_at_once_with_the_command_for_a_good_one(secret: str | bytes) -> None:
    with pytest.raises(SecretError) as caught:
        WebSocketHandler(secret)
    assert str(caught.value).startswith("WebSocketHandler: the secret has ")
    assert MAKE in str(caught.value)


def test_the_documentations_secret_fails_however_long_it_is_made() -> None:
    with pytest.raises(SecretError, match="sample"):
        WebSocketHandler("your-jwt-secret" * 3)


def test_no_framework_is_needed() -> None:
    frameworks = ("fastapi", "starlette", "uvicorn")
    # A module that is None cannot be imported.
    block = f"import sys; sys.modules.update(dict.fromkeys({frameworks}))"
    make = f"from strapline_server import WebSocketHandler; WebSocketHandler({SECRET!r})"
    subprocess.run([sys.executable, "-c", f"{block}; {make}"], check=True)


def test_making_one_touches_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    handler = WebSocketHandler(SECRET.encode(), state_folder=str(folder))
    assert not folder.exists()
    assert SECRET not in repr(handler)
    assert repr(folder.as_posix()) in repr(handler)


def test_a_setting_that_is_wrong_fails_at_once() -> None:
    with pytest.raises(ConfigError, match=r"allowed_origins: 'coach.example.org' is no origin"):
        WebSocketHandler(SECRET, allowed_origins=["coach.example.org"])


def test_where_its_state_is_when_nothing_is_said(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert default_folder({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}) == Path("/var/lib/x")
    assert default_folder({"XDG_STATE_HOME": home}) == tmp_path / "strapline-host"
    by_default = Path("~/.local/state/strapline-host").expanduser()
    assert default_folder({"STATE_DIRECTORY": "", "XDG_STATE_HOME": ""}) == by_default


# The lifespan forgotten


async def test_without_its_lifespan_the_first_call_says_the_line_to_add(
    handler: WebSocketHandler,
) -> None:
    for line in ("FastAPI(lifespan=handler.lifespan)", "async with handler.running(): yield"):
        with pytest.raises(NotRunningError) as caught:
            await handler.send_health_data_update("user123", {"steps": 1})
        assert line in str(caught.value)
    with pytest.raises(NotRunningError, match="was not started"):
        _ = handler.admin


async def test_without_its_lifespan_a_socket_is_closed_and_the_log_says_the_line_once(
    handler: WebSocketHandler, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        client = Client({"type": "websocket.connect"})
        await asyncio.wait_for(handler(scope("websocket"), client.receive, client.send), 5)
        accepted, closed = client.sent
        assert accepted == {"type": "websocket.accept", "subprotocol": "strapline.v1"}
        assert (closed["type"], closed["code"]) == ("websocket.close", 1011)
        assert "not started" in closed["reason"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "FastAPI(lifespan=handler.lifespan)" in errors[0].getMessage()


async def test_without_its_lifespan_plain_requests_are_answered_503(
    handler: WebSocketHandler,
) -> None:
    client = Client()
    await handler(scope("http", path="/realtime/healthz"), client.receive, client.send)
    assert client.sent[0]["status"] == 503
    assert b"did not start its WebSocketHandler" in client.sent[1]["body"]


# Starting and stopping


async def test_it_runs_again_after_it_was_stopped_and_never_twice_at_once(
    handler: WebSocketHandler,
) -> None:
    for _ in range(2):
        async with handler.running() as same:
            assert same is handler
            with pytest.raises(NotRunningError, match="runs already"):
                async with handler.running():
                    pass
            await handler.admin.add_user("user123")
    with pytest.raises(NotRunningError, match="has been stopped"):
        await handler.send_health_data_update("user123", {"steps": 1})


async def test_two_on_one_folder_are_refused_and_told_of_workers(
    handler: WebSocketHandler, tmp_path: Path
) -> None:
    other = WebSocketHandler(SECRET, state_folder=tmp_path / "state")
    async with handler.running():
        with pytest.raises(FolderTakenError) as caught:
            async with other.running():
                pass
    assert str(tmp_path / "state") in str(caught.value)
    assert "uvicorn --workers 1" in str(caught.value)
    async with other.running():
        pass


async def test_as_the_outermost_application_it_takes_the_lifespan(
    handler: WebSocketHandler,
) -> None:
    stop = asyncio.Event()
    client = Client({"type": "lifespan.startup"})
    first = client.receive

    async def receive() -> Event:
        if client._events:
            return await first()
        await stop.wait()
        return {"type": "lifespan.shutdown"}

    task = asyncio.create_task(handler({"type": "lifespan"}, receive, client.send))
    async with asyncio.timeout(5):
        while not client.sent:  # noqa: ASYNC110  # it says when it is so
            await asyncio.sleep(0)
    await handler.admin.add_user("user123")
    stop.set()
    await task
    assert [event["type"] for event in client.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_a_start_that_fails_is_told_to_the_server(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, and no folder")
    handler = WebSocketHandler(SECRET, state_folder=tmp_path / "state")
    client = Client({"type": "lifespan.startup"})
    await handler({"type": "lifespan"}, client.receive, client.send)
    (failed,) = client.sent
    assert failed["type"] == "lifespan.startup.failed"
    assert str(tmp_path / "state") in failed["message"]
    with pytest.raises(StoreError):
        async with handler.running():
            pass
    with pytest.raises(NotRunningError):
        _ = handler.admin


async def test_a_scope_that_nobody_knows_is_a_fault_of_the_server(
    handler: WebSocketHandler,
) -> None:
    client = Client()
    with pytest.raises(ValueError, match="scope 'http/4'"):
        await handler({"type": "http/4"}, client.receive, client.send)


# Updates


async def test_an_update_is_stored_and_has_a_receipt(handler: WebSocketHandler) -> None:
    async with handler.running():
        await handler.admin.add_user("user123")
        one = await handler.send_health_data_update(
            "user123", {"steps": 10000, "heart_rate": {"average": 75}}
        )
        two = await handler.send_health_data_update("user123", {"heartRate": {"average": 76}})
    assert (one.user, one.position[1], one.seq, one.viewers) == ("user123", 1, 0, 0)
    assert (two.position, two.stream, two.seq) == ((one.position[0], 2), one.stream, 1)
    assert two.stored_ms >= one.stored_ms > 1_700_000_000_000
    with pytest.raises(FrozenInstanceError):
        one.viewers = 3  # type: ignore[misc]  # that is what is tried
    assert isinstance(one, Receipt)


@pytest.mark.parametrize("user", ["user124", "", "a b", "x" * 200, None])
async def test_an_unknown_user_is_named_with_the_call_that_adds_them(
    handler: WebSocketHandler, user: Any
) -> None:
    async with handler.running():
        with pytest.raises(UnknownUserError) as caught:
            await handler.send_health_data_update(user, {"steps": 1})
    wanted = "await handler.admin.add_user('user124')" if user == "user124" else "is no id"
    assert wanted in str(caught.value)


async def test_what_is_no_update_is_refused_before_anything_is_stored(
    handler: WebSocketHandler,
) -> None:
    async with handler.running():
        await handler.admin.add_user("user123")
        with pytest.raises(UpdateError, match=r"steps: -1 is not plausible"):
            await handler.send_health_data_update("user123", {"steps": -1})
        receipt = await handler.send_health_data_update("user123", {"steps": 1})
    assert receipt.position[1] == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ErrorCode.BAD_REQUEST, UpdateError),
        (ErrorCode.NOT_GRANTED, UnknownUserError),
        (ErrorCode.NOT_STORING, NoteError),
        (ErrorCode.TOO_MANY, NoteError),
    ],
)
async def test_a_refusal_of_the_store_says_whose_fault_it_is(
    handler: WebSocketHandler,
    monkeypatch: pytest.MonkeyPatch,
    code: ErrorCode,
    kind: type[Exception],
) -> None:
    async def refuse(note: object) -> None:
        raise NoteError(code, "that is why")

    async with handler.running():
        monkeypatch.setattr(handler._running(), "note", refuse)
        with pytest.raises(kind):
            await handler.send_health_data_update("user123", {"steps": 1})


async def test_a_stop_ends_what_waits_for_the_store(
    handler: WebSocketHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def never(note: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with handler.running():
        monkeypatch.setattr(handler._running(), "note", never)
        waiting = asyncio.create_task(handler.send_health_data_update("user123", {"steps": 1}))
        await begun.wait()
    with pytest.raises(NotRunningError, match="before this update was confirmed"):
        await asyncio.wait_for(waiting, 5)


# Plain requests


@pytest.mark.parametrize(
    ("path", "root", "method", "status"),
    [
        ("/", "", "GET", 200),
        ("/healthz", "", "GET", 200),
        ("/healthz", "", "POST", 405),
        ("/nowhere", "", "GET", 404),
        ("/realtime/healthz", "/realtime", "GET", 200),
        ("/realtime/healthz", "/realtime", "DELETE", 405),
        # The page would look for its parts at the root.
        ("/realtime/", "/realtime", "GET", 404),
        ("/realtime/index.html", "/realtime", "GET", 404),
    ],
)
async def test_plain_requests(
    handler: WebSocketHandler, path: str, root: str, method: str, status: int
) -> None:
    first = await answered(handler, "http", path=path, root_path=root, method=method)
    assert first["status"] == status


async def test_a_token_in_a_plain_address_is_refused_and_in_no_log(
    handler: WebSocketHandler,
) -> None:
    client, one = Client(), scope("http", query_string=b"access_token=abcdef")
    async with handler.running():
        await handler(one, client.receive, client.send)
    assert client.sent[0]["status"] == 400
    assert "abcdef" not in repr(one)
