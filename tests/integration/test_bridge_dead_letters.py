"""Dead letters before a real server: sent again, thrown away, and killed in the middle of it."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from strapline_bridge.answering import VERIFY, VerifyParams, commands_of
from strapline_bridge.control import ControlSocket, ask
from strapline_bridge.dead_letters import HANDLE, LIST, HandleParams, LettersParams
from strapline_bridge.outbox import Outbox
from strapline_bridge.uplink import SignedTokens, Uplink
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Rejected
from strapline_server import Server
from tests.integration.bridge_kit import a_reading, an_outbox, an_uplink, drained, running, until
from tests.integration.server_kit import serving

_ROOT = Path(__file__).parents[2]


def _same(token: str, server_time_ms: int) -> str:
    return token


async def _token(server: Server, *users: str) -> str:
    for user in ("anna", "bo"):
        await server.admin.add_user(user)
    return await server.admin.issue_token("bridge-1", Role.BRIDGE, list(users))


def _uplink(outbox: Outbox, server: Server, token: str) -> Uplink:
    url = f"ws://127.0.0.1:{server.port}/ws"
    return an_uplink(outbox, url, tokens=SignedTokens(partial(_same, token)))


async def test_one_that_is_granted_at_last_is_taken_and_all_is_right(tmp_path: Path) -> None:
    folder = tmp_path / "bridge"
    async with serving(tmp_path / "server") as server, an_outbox(folder / "o.db") as outbox:
        uplink = _uplink(outbox, server, await _token(server, "anna"))
        control = ControlSocket(folder, commands_of(outbox, uplink.ask))
        await control.open()
        async with running(uplink):
            for at in range(20):
                outbox.put(a_reading(60 + at, user="bo" if at % 4 == 1 else "anna"))
                await outbox.flush()
            await drained(uplink)
            verified = await ask(folder, VERIFY, VerifyParams())
            assert verified is not None
            assert (verified.stored, verified.refused, verified.compared) == (15, 5, 15)
            page = await ask(folder, LIST, LettersParams())
            assert page is not None
            assert [letter.user for letter in page.letters] == ["bo"] * 5
            first, *_, last = page.letters
            discarded = await ask(folder, HANDLE, HandleParams(discard=True, ids=[first.id]))
            assert discarded is not None
            assert discarded.readings == 1
        await server.admin.grant("bridge-1", Role.BRIDGE, ["anna", "bo"])
        # A new connection has the new rights.
        async with running(uplink):
            handled = await ask(folder, HANDLE, HandleParams(discard=False, ids=[last.id]))
            assert handled is not None
            await drained(uplink)
            verified = await ask(folder, VERIFY, VerifyParams())
            assert verified is not None
            assert verified.all_right
            assert (verified.stored, verified.refused, verified.dropped) == (16, 3, 1)
            assert (verified.to_send, verified.dead_letters) == (0, 3)
            assert outbox.stream is not None
            record = outbox.record(outbox.stream)
            assert record is not None
            await until(lambda: not any(record.holes.values()))
        await control.close()


async def _with_letters(path: Path, count: int) -> tuple[str, IntervalSet]:
    """An outbox of which every second reading is a dead letter; the stream, and their numbers."""
    dead = IntervalSet.of(range(0, count, 2))
    async with an_outbox(path) as outbox:
        for at in range(count):
            outbox.put(a_reading(60 + at % 100))
        await outbox.flush()
        assert outbox.stream is not None
        refused = Rejected(stream=outbox.stream, ranges=dead.ranges(), code="failed", message="")
        outbox.reject(refused)
        await outbox.flush()
        return outbox.stream, dead


@pytest.mark.parametrize("what", ["resend", "discard"])
async def test_killed_in_the_middle_each_reading_is_one_thing_or_the_other(
    tmp_path: Path, what: str
) -> None:
    path, chance = tmp_path / "o.db", random.Random(5)  # noqa: S311  # when to kill
    stream, dead = await _with_letters(path, 6_000)
    caught = 0
    for _ in range(6):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.letters_process", str(path), what),
            cwd=_ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"begun\n"
        await asyncio.sleep(chance.uniform(0.0, 0.15))
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
        async with an_outbox(path) as outbox:
            record = outbox.record(stream)
            assert record is not None
            letters = IntervalSet()
            for letter in await outbox.dead_letters(10_000):
                letters.add(*letter.numbers)
            assert letters == record.dead
            here = IntervalSet()
            for series in await outbox.between(stream, 0, 6_000):
                here.update(series.ranges())
            gone = dead.minus(record.dead)
            caught += bool(gone) and bool(record.dead)
            if what == "resend":
                assert IntervalSet(record.pending()) == here
                assert gone.minus(here) == IntervalSet()
            else:
                assert record.holes.get("discarded", IntervalSet()) == gone
                assert not here.minus(here.minus(dead))
            assert outbox.status().dead_letters == len(letters)
    assert caught, "it was never in the middle"
