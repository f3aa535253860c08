"""`strapline up --simulate` as a process: the page, the link, and stopping."""

from __future__ import annotations

import asyncio
import signal
import urllib.request
from pathlib import Path

import pytest

from strapline_client import WebSocketService
from strapline_protocol.watching import HealthDataUpdate
from tests.acceptance.processes import LINK, PATIENCE_S, Program, environment, strapline

UP = ["up", "--simulate", "--port", "0"]


def address(running: Program) -> str:
    return f"http://127.0.0.1:{running.wait_for(LINK)['port']}"


def socket(running: Program) -> str:
    return f"ws://127.0.0.1:{running.wait_for(LINK)['port']}/ws"


async def watch(url: str, token: str) -> tuple[bool, set[str]]:
    """Whether it is marked as simulated, and the names of those whose heart rate came."""
    names: set[str] = set()
    async with asyncio.timeout(PATIENCE_S), WebSocketService(url, token) as service:
        async for update in service.updates():
            if isinstance(update.message, HealthDataUpdate):
                assert update.state is not None
                if update.message.metric == "heart_rate":
                    names.add(update.state.name)
            if len(names) == 3:
                break
        assert service.session is not None
        assert service.session.may_mark, "the owner's link"
        return service.session.simulated, names


async def test_three_people_send_and_the_link_outlives_a_restart(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with strapline(UP, env) as first:
        link = await asyncio.to_thread(first.wait_for, LINK)
        simulated, names = await watch(socket(first), link["token"])
        assert simulated
        assert names == {"Ilse Brandt", "Maren Holt", "Tomás Reyes"}
        status, took_s = await asyncio.to_thread(first.stop)
        assert (status, first.err) == (0, "")
        assert took_s < 5
        assert "Stopped." in first.out
    assert (tmp_path / ".local/share/strapline-demo").is_dir()
    assert not (tmp_path / ".local/share/strapline").exists()
    with strapline(UP, env) as second:
        assert (await asyncio.to_thread(second.wait_for, LINK))["token"] != link["token"]
        assert await watch(socket(second), link["token"]) == (True, names)
        assert (await asyncio.to_thread(second.stop, signal.SIGINT))[0] == 0


def test_the_page_answers_and_the_token_is_only_in_the_fragment(tmp_path: Path) -> None:
    with strapline(UP, environment(tmp_path)) as running:
        base = address(running)
        with urllib.request.urlopen(f"{base}/") as page:
            assert page.status == 200
            assert "text/html" in page.headers["Content-Type"]
        with urllib.request.urlopen(f"{base}/healthz") as health:
            assert b'"ok"' in health.read()
        token = running.wait_for(LINK)["token"]
        running.stop()
        assert running.out.count(token) == 1
        assert token not in running.err


@pytest.mark.parametrize("flags", [["--lan"], []])
def test_it_says_who_can_read_along(tmp_path: Path, flags: list[str]) -> None:
    with strapline([*UP, *flags], environment(tmp_path)) as running:
        running.wait_for(LINK)
        if flags:
            running.wait_for(r"Anyone in this network who has the link can read along.*http")
        else:
            running.wait_for(r"Only this machine can open the link\..*--lan")


def test_debug_tells_more_but_never_a_token(tmp_path: Path) -> None:
    with strapline([*UP, "--debug"], environment(tmp_path)) as running:
        token = running.wait_for(LINK)["token"]
        running.wait_for("connected")
        running.stop()
        assert "INFO" in running.err
        assert token not in running.err
        assert "D0:5E:00" not in running.out + running.err
