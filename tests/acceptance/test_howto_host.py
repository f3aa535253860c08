"""The page on host applications, executed: FastAPI under uvicorn, real processes, real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from strapline_client import Update, WebSocketService
from strapline_protocol.opening import SUBPROTOCOL, GoingAway
from strapline_protocol.watching import HealthDataUpdate, HeartRateData, SummaryData
from tests.acceptance.host_application import (
    PAGE,
    Application,
    command,
    files,
    good_secret,
    now_ms,
    running,
    uvicorn,
    waited,
    write_files,
)
from tests.acceptance.processes import environment, program
from tests.integration.server_kit import PATIENCE_S, Run

ORIGINAL = {"steps": 10000, "heart_rate": {"average": 75}}
UPDATE = re.compile(r"receipt = await handler\.send_health_data_update\(\n(.*?)\n\)", re.DOTALL)


def got(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        text: str = answer.read().decode()
        return text


async def told(service: WebSocketService, metric: str) -> Update:
    """The next update of this metric."""
    async with asyncio.timeout(PATIENCE_S):
        async for update in service.updates():
            if isinstance(update.message, HealthDataUpdate) and update.message.metric == metric:
                return update
    raise AssertionError("the updates ended")


async def subscribed(service: WebSocketService) -> None:
    """Once it has everybody's state."""
    async with asyncio.timeout(PATIENCE_S):
        while not service.users:  # noqa: ASYNC110  # listening from here would come too late
            await asyncio.sleep(0.01)


async def test_an_update_reaches_every_viewer_and_measured_values_stay_apart(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as app:
        await app.post("/people/user123?name=Maren")
        tokens = [(await app.post("/login/user123"))["token"] for _ in range(3)]
        async with AsyncExitStack() as stack:
            services = [
                await stack.enter_async_context(WebSocketService(app.url, token))
                for token in tokens
            ]
            for service in services:
                await subscribed(service)
            waiting = [asyncio.create_task(told(one, "summary")) for one in services]
            # Each of them listens before anything is sent.
            await asyncio.sleep(0)
            receipt = await app.post("/people/user123/health", ORIGINAL)
            assert receipt["viewers"] == 3
            for update in await asyncio.gather(*waiting):
                assert isinstance(update.message, HealthDataUpdate)
                assert list(update.message.position) == receipt["position"]
                assert isinstance(update.message.data, SummaryData)
                expected = {"steps": 10000, "heartRate": {"average": 75}}
                assert update.message.data.summary == expected
                health = update.health
                assert health is not None
                assert health.steps == 10000
                assert health.heart_rate is not None
                assert health.heart_rate.average == 75

            bridge_token = (await app.post("/people/user123/bridge"))["token"]
            bridge = await stack.enter_async_context(app.joined(bridge_token))
            measured = asyncio.create_task(told(services[0], "heart_rate"))
            await asyncio.sleep(0)
            run = Run(now_ms() - 1_000, user="user123")
            await run.declare(bridge)
            acknowledged = await run.publish(bridge, run.series([61, 63], [0, 900]))
            assert acknowledged.ranges == [(0, 1)]
            update = await measured
            assert isinstance(update.message, HealthDataUpdate)
            assert isinstance(update.message.data, HeartRateData)
            assert update.message.data.average == 62
            assert update.health is not None
            assert update.health.heart_rate is not None
            assert update.health.heart_rate.average == 62
            assert update.health.steps == 10000


async def test_what_is_wrong_is_said_in_the_caller_s_face(tmp_path: Path) -> None:
    async with running(tmp_path) as app:
        await app.post("/people/user123?name=Maren")
        await app.post("/people/user123?name=Maren%20Holt")
        assert (await app.refusal("/login/nobody", {}))[0] == 404
        status, text = await app.refusal("/people/user123/health", {"heart_rate": {"average": 7}})
        assert status == 422
        quoted = "heart_rate.average: 7 is not plausible. Give a number from 25 to 250 (bpm)."
        assert quoted in text
        assert quoted in PAGE
        status, text = await app.refusal("/people/somebody/health", ORIGINAL)
        assert status == 422
        assert "await handler.admin.add_user('somebody')" in text


async def test_the_page_s_viewer_prints_what_the_page_sends(tmp_path: Path) -> None:
    async with running(tmp_path) as app:
        await app.post("/people/user123?name=Maren")
        token = (await app.post("/login/user123"))["token"]
        assert command("export STRAPLINE_URL")[1].endswith(":8000/realtime/ws")
        _, file = command("python3 watch.py")
        env = environment(tmp_path)
        env |= {"STRAPLINE_URL": app.url, "STRAPLINE_TOKEN": token}
        with program([str(tmp_path / file)], env) as watching:
            await asyncio.to_thread(watching.wait_for, r"user123 \{")
            (sent,) = UPDATE.findall(PAGE)
            user, data = eval(sent)  # noqa: S307  # our page
            await app.post(f"/people/{user}/health", data)
            line = r'user123 (\{.*"steps":10000.*\})'
            shown = json.loads((await asyncio.to_thread(watching.wait_for, line))[1])
            assert shown["heartRate"]["average"] == 75


async def test_a_token_of_the_application_s_own_is_good(tmp_path: Path) -> None:
    async with running(tmp_path) as app:
        await app.post("/people/user123?name=Maren")
        # Granted by this call; its token is not used.
        await app.post("/login/user123")
        secret = (await asyncio.to_thread(_token, tmp_path, app)).strip()
        async with app.joined(secret) as viewer:
            snapshot = (await viewer.subscribe()).snapshot
            assert snapshot["user123"].name == "Maren"


def _token(folder: Path, app: Application) -> str:
    """What the page's `tokens.py` makes with the secret of the running application."""
    env = environment(folder, STRAPLINE_SECRET=app.secret)
    call = "from tokens import token_for; print(token_for('eye-user123'))"
    begin = f"import sys; sys.path.insert(0, {str(folder)!r}); {call}"
    with program(["-c", begin], env) as making:
        assert making.wait() == 0, making.err
        return making.out


@pytest.mark.parametrize(
    ("application", "options"),
    [
        ("own_lifespan:app", []),
        ("starlette_main:app", []),
        ("main:app", ["--loop", "uvloop", "--ws", "websockets-sansio"]),
    ],
)
async def test_every_way_to_start_it_says_goodbye_at_the_end(
    tmp_path: Path, application: str, options: list[str]
) -> None:
    async with running(tmp_path, application, *options) as app:
        token = await _granted(tmp_path, app)
        async with app.joined(token) as viewer:
            await viewer.subscribe()
            status = asyncio.create_task(asyncio.to_thread(app.process.stop, signal.SIGTERM))
            going = await viewer.expect(GoingAway)
            assert 0 <= going.reconnect_after_ms <= 5_000
            assert (await viewer.ended())[0] == 1012
            code, took_s = await status
        # uvicorn raises the signal again once it has ended.
        assert code == -signal.SIGTERM
        assert took_s < 10
        assert "Application shutdown complete" in app.process.err
        assert "Traceback" not in app.process.err


async def _granted(folder: Path, app: Application) -> str:
    """A viewer's token, by the store beside the running application where it has no route."""
    from strapline_server import ServerConfig, open_admin

    async with open_admin(ServerConfig(state_folder=folder / "realtime")) as admin:
        await admin.add_user("user123", "Maren")
        await admin.grant("eye-user123", "viewer", ["user123"])
    return (await asyncio.to_thread(_token, folder, app)).strip()


async def test_by_itself_it_is_an_application_too(tmp_path: Path) -> None:
    async with running(tmp_path, "main:handler") as app:
        for path, text in (("/", "<!doctype html>"), ("/healthz", '"status":"ok"')):
            assert text in await asyncio.to_thread(got, app.port, path)
        await asyncio.to_thread(app.process.stop)
        assert "Application shutdown complete" in app.process.err


# What is forgotten, or wrong


async def test_without_the_lifespan_it_is_said_and_nothing_hangs(
    tmp_path: Path,
) -> None:
    forgotten = files()["main.py"].replace("FastAPI(lifespan=handler.lifespan)", "FastAPI()")
    assert forgotten != files()["main.py"]
    (tmp_path / "forgotten.py").write_text(forgotten)
    async with running(tmp_path, "forgotten:app") as app:
        async with connect(app.url, subprotocols=[Subprotocol(SUBPROTOCOL)]) as socket:
            await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
            assert socket.close_code == 1011
            assert socket.close_reason == "the server was not started; its log says how"
        said = await asyncio.to_thread(waited, app.process, "FastAPI(lifespan=handler.lifespan)")
        assert "WebSocketHandler was not started" in said
        assert (await app.refusal("/people/user123/health", ORIGINAL))[0] == 500
        await asyncio.to_thread(waited, app.process, "NotRunningError: WebSocketHandler was not")
        assert (await asyncio.to_thread(app.process.stop))[0] == -signal.SIGTERM


@pytest.mark.parametrize("secret", ["your-jwt-secret", "short"])
def test_the_original_s_secret_fails_with_the_command_for_a_good_one(
    tmp_path: Path, secret: str
) -> None:
    write_files(tmp_path)
    with uvicorn(tmp_path, "main:app", secret=secret) as process:
        assert process.wait() != 0
        made = re.search(r"Make a good one: (python3 -c .*)", process.err)
        assert made is not None, process.err
        assert made[1] in PAGE
        assert secret not in process.err
    assert not (tmp_path / "realtime").exists()


def test_a_second_worker_is_refused_and_told_why(tmp_path: Path) -> None:
    write_files(tmp_path)
    options = ["--workers", "2", "--timeout-worker-healthcheck", "60"]
    with uvicorn(tmp_path, "main:app", *options, secret=good_secret(), port=free_port()) as process:
        said = waited(process, "uvicorn --workers 1")
        assert f"{tmp_path / 'realtime'}" in said
        assert "another server (process " in said
        process.stop()


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
