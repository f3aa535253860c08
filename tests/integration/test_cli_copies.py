"""`strapline server backup` and `restore`, as they are typed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from strapline.people import add_person
from strapline_server import Server, ServerConfig


async def _typed(*arguments: str) -> tuple[int | None, str]:
    """A command's status, and all that it says."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "strapline", "server", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await command.communicate()
    return command.returncode, " ".join(said.decode().split())


async def test_a_copy_is_made_beside_a_server_and_put_back_without_one(tmp_path: Path) -> None:
    settings, copy = tmp_path / "server.toml", tmp_path / "copy.db"
    settings.write_text(f'[server]\nstate_folder = "{tmp_path / "state"}"\nport = 0\n')
    config = ServerConfig(state_folder=tmp_path / "state", port=0)
    named = (str(copy), "--config", str(settings))
    async with Server(config) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        status, said = await _typed("backup", *named)
        assert (status, "1 person, 0 readings; " in said) == (0, True)
        status, said = await _typed("backup", *named)
        assert (status, "is there already" in said) == (1, True)
        status, said = await _typed("restore", *named)
        assert (status, "Stop it" in said) == (1, True)
    await add_person(config, "Ben", None, "UTC")
    status, said = await _typed("restore", *named)
    assert (status, "1 person" in said, "server.db.replaced-1" in said) == (0, True, True)
    async with Server(config) as server:
        assert [user.id for user in await server.admin.users()] == ["ana"]
