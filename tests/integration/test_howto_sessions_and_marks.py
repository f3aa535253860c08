"""The howto of sessions and marks: its program runs, and its commands do what the page says."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from pathlib import Path

from typer.testing import CliRunner

from strapline.main import app
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Run, joined, serving

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "sessions-and-marks.md"


def commands() -> list[str]:
    text = PAGE.read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def run(command: str, folder: Path) -> str:
    """A command of the page, beside the server of this folder."""
    config = folder / "server.toml"
    if not config.exists():
        config.write_text(f'[server]\nstate_folder = "{folder / "state"}"\n')
    words = [*shlex.split(command)[1:], "--config", str(config)]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    may_mark, may_not, program, *sources = commands()
    assert program.endswith("/ws STRAPLINE_TOKEN=$(cat coach.token) python intervals.py")
    (text,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "intervals.py").write_text(text)
    async with serving(tmp_path / "state") as server:
        await server.admin.add_user("maren-holt", "Maren Holt", "UTC")
        token = (await asyncio.to_thread(run, may_mark, tmp_path)).strip()
        bridge_token = await server.admin.issue_token("pi", "bridge", "all", 600)
        async with joined(server, bridge_token) as bridge:
            for device in ("chest", "watch"):
                strap = Run(wall_ms(), user="maren-holt", device=device)
                await strap.declare(bridge)
                await strap.publish(bridge, strap.series([60], [1]))
        names = {("maren-holt", "chest"): "Chest", ("maren-holt", "watch"): "Watch"}
        await server._store.name_devices(names)
        url = f"ws://127.0.0.1:{server.port}/ws"
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(tmp_path / "intervals.py"),
            env={**os.environ, "STRAPLINE_URL": url, "STRAPLINE_TOKEN": token},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await asyncio.wait_for(child.communicate(), 30)
        assert child.returncode == 0, errors.decode()
        first, second = out.decode().splitlines()
        assert re.fullmatch(r"Intervals lasted \d+ ms", first)
        assert second == "Intervals 0 None"
        shown = [await asyncio.to_thread(run, command, tmp_path) for command in sources]
        assert [re.findall("chest|watch", one) for one in shown] == [["chest", "watch"]] * 3
        assert ["by the order set" in one for one in shown] == [False, True, False]
        await asyncio.to_thread(run, may_not, tmp_path)
        grants = {grant.sub: grant for grant in await server.admin.principals()}
        assert not grants["viewer-coach"].may_mark
