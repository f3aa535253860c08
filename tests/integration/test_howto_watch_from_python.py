"""The page on watching from Python, executed: its programs beside a real server."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from strapline_server.clock import wall_ms
from tests.integration.server_kit import PATIENCE_S, Run, joined, serving

_PAGES = Path(__file__).parents[2] / "docs"
_HOWTO = (_PAGES / "howto" / "watch-from-python.md").read_text()
_REFERENCE = (_PAGES / "reference" / "python-client.md").read_text()
_BLOCK = re.compile(r"`([^`\n]+)`:\n\n```python\n(.*?)```", re.DOTALL)
_PROGRAMS = dict(_BLOCK.findall(_HOWTO))


async def _start(
    name: str, folder: Path, port: int, token: str, stderr: int | None = None
) -> asyncio.subprocess.Process:
    program = folder / name
    program.write_text(_PROGRAMS[name])
    place = {"STRAPLINE_URL": f"ws://127.0.0.1:{port}/ws", "STRAPLINE_TOKEN": token}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        program,
        env={**os.environ, **place},
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
    )


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().strip()


async def test_the_programs_print_live_rates_with_age_and_the_past(tmp_path: Path) -> None:
    async with serving(tmp_path / "server") as server:
        await server.admin.add_user("maren-holt", "Maren Holt", "UTC")
        issue = server.admin.issue_token
        bridge_token = await issue("pi", "bridge", ["maren-holt"], 600)
        token = await issue("Program", "viewer", "all", 600)
        async with joined(server, bridge_token) as bridge:
            run = Run(wall_ms() - 1_000, user="maren-holt")
            await run.declare(bridge)
            live = await _start("live.py", tmp_path, server.port, token)
            try:
                assert await _line(live) == "connecting"
                assert await _line(live) == "Maren Holt — bpm, None ms old"
                beat = run.series([72], [wall_ms() - run.began_ms])
                await run.publish(bridge, beat)
                seen = []
                while "72" not in (line := await _line(live)):
                    assert line == "connected" or line.startswith("Maren Holt")
                    seen.append(line)
                assert "connected" in seen
                said = re.fullmatch(r"Maren Holt 72 bpm, (\d+) ms old", line)
                assert said is not None
                assert int(said[1]) < PATIENCE_S * 1_000
            finally:
                live.kill()
                await live.communicate()
            past = await _start("past.py", tmp_path, server.port, token)
            output, _ = await asyncio.wait_for(past.communicate(), PATIENCE_S)
    assert past.returncode == 0
    assert output.decode() == "1 minutes, 1 readings\n"


async def test_the_program_prints_what_is_missing_and_why(tmp_path: Path) -> None:
    async with serving(tmp_path / "server") as server:
        await server.admin.add_user("maren-holt", "Maren Holt", "UTC")
        issue = server.admin.issue_token
        bridge_token = await issue("pi", "bridge", ["maren-holt"], 600)
        token = await issue("Program", "viewer", "all", 600)
        async with joined(server, bridge_token) as bridge:
            run = Run(wall_ms() - 100_000, user="maren-holt")
            await run.declare(bridge)
            # A reading a second, but for forty of them; the strap said that it was not worn.
            beats = [*range(0, 20_000, 1_000), *range(60_000, 99_000, 1_000)]
            gap = run.series(
                [None],
                [19_000],
                metric="gap",
                durationMs=[41_000],
                cause=["notWorn"],
                evidence=["contact"],
            )
            await run.publish(bridge, run.series([72] * len(beats), beats), gap)
            missing = await _start("missing.py", tmp_path, server.port, token)
            output, _ = await asyncio.wait_for(missing.communicate(), PATIENCE_S)
    assert missing.returncode == 0
    first, *_ = output.decode().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 41 s notWorn contact", first)


async def test_the_programs_say_that_no_server_is_there(tmp_path: Path) -> None:
    for name in _PROGRAMS:
        program = await _start(name, tmp_path, 1, "t", stderr=asyncio.subprocess.STDOUT)
        try:
            assert await _line(program) == "connecting"
            assert (await _line(program)).startswith("reconnecting ")
        finally:
            program.kill()
            await program.communicate()


def test_the_program_is_of_twelve_lines() -> None:
    lines = [line for line in _PROGRAMS["live.py"].splitlines() if line.strip()]
    assert len(lines) <= 12


def test_the_reference_names_everything_that_there_is() -> None:
    import strapline_client  # its names are looked at, nothing else

    service = strapline_client.WebSocketService
    public = [name for name in vars(service) if not name.startswith("_")]
    missing = [
        name for name in public if f"`{name}" not in _REFERENCE and f"{name}(" not in _REFERENCE
    ]
    assert not missing
    events = [kind.value for kind in strapline_client.WebSocketEventType]
    states = [one.value for one in strapline_client.ConnectionStatus]
    reasons = [one.value for one in strapline_client.Reason]
    assert [one for one in [*events, *states, *reasons] if f"`{one}`" not in _REFERENCE] == []
