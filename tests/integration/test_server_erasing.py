"""A person is erased beside a running server: screens, bridges and their clones lose them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

from strapline_bridge.uplink import SignedTokens
from strapline_protocol.opening import Role
from strapline_protocol.watching import SubscriptionChanged
from strapline_server import Server, verify
from tests.integration.bridge_kit import a_reading, an_outbox, an_uplink, drained, running, until
from tests.integration.server_kit import joined, serving


def _same(token: str, server_time_ms: int) -> str:
    return token


async def _typed(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """A `strapline server` command's status, and all that it says."""
    settings = folder.parent / "server.toml"
    settings.write_text(f'[server]\nstate_folder = "{folder}"\nport = 0\n')
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "strapline", "server", *arguments, "--config", str(settings)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await command.communicate()
    return command.returncode, " ".join(said.decode().split())


def _of(outbox: Path, user: str) -> int:
    """How many readings of a user an outbox has, to be sent, kept or dead."""
    count = 0
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as one:
        for table in ("series_row", "dead_letter"):
            found = one.execute(
                f"SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM {table} "  # noqa: S608  # one of two names
                "WHERE payload ->> '$.user' = ?",
                (user,),
            )
            count += found.fetchone()[0]
    return count


async def _tokens(server: Server) -> tuple[SignedTokens, str]:
    for user in ("anna", "ben"):
        await server.admin.add_user(user)
    token = await server.admin.issue_token("pi", Role.BRIDGE, ["anna", "ben"])
    viewer = await server.admin.issue_token("eye", Role.VIEWER, "all")
    return SignedTokens(partial(_same, token)), viewer


async def test_a_bridge_and_its_clone_lose_who_is_erased(tmp_path: Path) -> None:
    path, folder = tmp_path / "o.db", tmp_path / "server"
    clone = tmp_path / "clone.db"
    async with serving(folder) as server:
        tokens, viewer = await _tokens(server)
        url = f"ws://127.0.0.1:{server.port}/ws"
        async with an_outbox(path) as outbox:
            # Acknowledged and kept, of a run that is over.
            uplink = an_uplink(outbox, url, tokens=tokens)
            async with running(uplink):
                for at in range(40):
                    outbox.put(a_reading(60 + at, user=("anna", "ben")[at % 2]))
                    await outbox.flush()
                await drained(uplink)
        async with an_outbox(path) as outbox:
            # Not sent yet.
            for at in range(10):
                outbox.put(a_reading(60 + at))
            await outbox.flush()
        shutil.copy(path, clone)
        async with an_outbox(path) as outbox, joined(server, viewer) as eye:
            uplink = an_uplink(outbox, url, tokens=tokens)
            async with running(uplink):
                await eye.subscribe()
                outbox.put(a_reading(99))
                await outbox.flush()
                await drained(uplink)
                assert _of(path, "anna") == 31
                status, said = await _typed(folder, "user", "erase", "anna", "--yes")
                assert (status, "31 readings" in said) == (0, True), said
                gone = await eye.expect(SubscriptionChanged)
                assert (gone.added, gone.removed) == ([], ["anna"])
                # What it kept goes with the next connection, which the server asks for.
                await until(lambda: _of(path, "anna") == 0)
                # And what is measured from now on, since the strap is still on.
                outbox.put(a_reading(98))
                outbox.put(a_reading(97, user="ben"))
                await outbox.flush()
                await drained(uplink)
                await until(lambda: _of(path, "anna") == 0)
                assert _of(path, "ben") == 21
        async with an_outbox(clone) as outbox:
            uplink = an_uplink(outbox, url, tokens=tokens)
            async with running(uplink):
                outbox.put(a_reading(96))
                await outbox.flush()
                await drained(uplink)
                await until(lambda: _of(clone, "anna") == 0)
                assert _of(clone, "ben") == 20
    found = verify(folder)
    assert (found.readings, found.whole) == (21, True)
    assert {part.user for stream in found.streams for part in stream.users} == {"ben"}


async def test_the_command_says_what_goes_and_does_not_go_ahead_alone(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    async with serving(folder) as server:
        await _tokens(server)
        link = await server.admin.issue_link_token(["anna"])
        status, said = await _typed(folder, "user", "erase", "anna")
        assert (status, "Nobody is here to ask" in said) == (1, True), said
        assert "0 readings" in said
        assert "1 dashboard link of theirs alone" in said
        assert [user.id for user in await server.admin.users()] == ["anna", "ben"]
        async with joined(server, link) as eye:
            await eye.subscribe()
            status, said = await _typed(folder, "user", "erase", "anna", "--yes")
            assert (status, "anna" in said) == (0, True), said
            assert (await eye.ended())[0] == 4403
        status, said = await _typed(folder, "user", "erase", "anna", "--yes")
        assert (status, "erased before" in said) == (0, True), said
        status, said = await _typed(folder, "user", "add", "Anna")
        assert (status, "never given again" in said) == (1, True), said
        status, said = await _typed(folder, "user", "erase", "eve", "--yes")
        assert (status, "no user 'eve'" in said) == (1, True), said
