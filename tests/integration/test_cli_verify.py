"""`strapline verify`, `strapline bridge verify` and `dead-letters`, as they are typed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from strapline.folder import DataFolder
from strapline.joined import Place, bridge_beside, own_tokens, remember, serving
from strapline.marker import mark
from strapline_bridge.daemon import OUTBOX_NAME, Bridge
from strapline_bridge.uplink import SignedTokens
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Rejected
from strapline_simulator import simulation
from tests.integration.bridge_kit import a_reading, an_outbox, an_uplink, drained, running
from tests.integration.server_kit import serving as serving_alone


async def _typed(*arguments: str) -> tuple[int | None, str]:
    """A command's status, and all that it says."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "strapline", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await command.communicate()
    return command.returncode, " ".join(said.decode().split())


def _done(path: Path, *statements: str) -> None:
    """Somebody, or a disk, changes a database behind its back."""
    plain = sqlite3.connect(path)
    with plain:
        for statement in statements:
            plain.execute(statement)
    plain.close()


async def _filled(path: Path) -> Place:
    """What `strapline up` leaves: twenty readings measured, and stored."""
    place = Place(DataFolder(path), 0, simulated=True)
    with place.folder.held():
        mark(place.folder, place.marker(8_420))
        async with serving(place) as server:
            await server.admin.add_user("anna")
            await remember(server.admin, place.folder, [])
            await server.admin.grant("bridge-here", Role.BRIDGE, ["anna"])
            tokens = await own_tokens(server, place)
            async with an_outbox(place.folder.bridge / OUTBOX_NAME) as outbox:
                uplink = an_uplink(outbox, place.socket_url(server), tokens=tokens)
                async with running(uplink):
                    for at in range(20):
                        outbox.put(a_reading(60 + at))
                        await outbox.flush()
                    await drained(uplink)
    return place


async def test_what_does_not_run_is_verified_by_the_command_itself(tmp_path: Path) -> None:
    place = await _filled(tmp_path / "data")
    named = ("--data", str(tmp_path / "data"))
    status, said = await _typed("bridge", "verify", *named)
    assert status == 0, said
    assert "20 stored by the server; 20 compared one by one" in said
    assert "20 readings, none missing, none twice, no gaps." in said
    status, said = await _typed("verify", *named, "--json")
    assert status == 0, said
    told = json.loads(said)
    assert (told["bridge"]["stored"], told["server"]["readings"]) == (20, 20)
    assert told["allRight"]

    _done(place.folder.server / "server.db", "DELETE FROM blocks WHERE first_seq = 7")
    # The bridge's copy of one reading is another.
    spoil = "UPDATE series_row SET payload = replace(payload, '[62]', '[63]') WHERE first_seq = 2"
    _done(place.folder.bridge / OUTBOX_NAME, spoil)
    status, said = await _typed("bridge", "verify", *named)
    assert status == 1
    assert "1 missing" in said
    assert "readings 7" in said
    assert "1 not what was measured here" in said
    assert "readings 2" in said
    status, said = await _typed("verify", *named)
    assert status == 1
    assert "agree" not in said
    status, said = await _typed("bridge", "verify", *named, "--offline")
    assert (status, "was not asked now" in said) == (0, True)


@asynccontextmanager
async def _up(place: Place) -> AsyncIterator[Bridge]:
    """Server and bridge of one folder, in this process."""
    with place.folder.held():
        async with simulation([]) as air, serving(place) as server:
            mark(place.folder, place.marker(server.port))
            async with await bridge_beside(server, place, air.backend) as bridge:
                yield bridge


async def test_what_runs_is_asked(tmp_path: Path) -> None:
    place = await _filled(tmp_path / "data")
    named = ("--data", str(tmp_path / "data"))
    async with _up(place) as bridge:
        bridge.outbox.put(a_reading(99))
        await bridge.outbox.flush()
        async with asyncio.timeout(20):
            while bridge.outbox.status().pending:  # noqa: ASYNC110  # what is told to nobody
                await asyncio.sleep(0.05)
        status, said = await _typed("verify", *named)
    assert status == 0, said
    assert "21 readings, none missing, none twice" in said
    assert "Bridge and server agree" in said


async def test_dead_letters_are_listed_sent_again_and_thrown_away(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with serving_alone(tmp_path / "server") as server:
        settings = tmp_path / "bridge.toml"
        url = f"ws://127.0.0.1:{server.port}/ws"
        settings.write_text(f'state_dir = "{state}"\n[server]\nurl = "{url}"\n')
        named = ("--config", str(settings))
        status, said = await _typed("bridge", "dead-letters", *named)
        assert (status, "there is no outbox yet" in said) == (1, True)
        await server.admin.add_user("anna")
        token = await server.admin.issue_token("pi", Role.BRIDGE, ["anna"])
        async with an_outbox(state / OUTBOX_NAME) as outbox:
            for at in range(6):
                outbox.put(a_reading(60 + at))
            await outbox.flush()
            assert outbox.stream is not None
            for ranges in ([(1, 1)], [(3, 4)]):
                outbox.reject(
                    Rejected(stream=outbox.stream, ranges=ranges, code="failed", message="no")
                )
            await outbox.flush()
        status, said = await _typed("bridge", "dead-letters", *named)
        assert status == 0
        assert "1/1 1 anna" in said
        assert "1/3 2 anna" in said
        assert "no (failed)" in said
        assert "3 readings that the server refused." in said
        status, said = await _typed("bridge", "dead-letters", *named, "--json")
        assert [letter["id"] for letter in json.loads(said)["letters"]] == ["1/1", "1/3"]
        status, said = await _typed("bridge", "dead-letters", "discard", "1/1", *named)
        assert (status, "1 reading thrown away" in said) == (0, True)
        status, said = await _typed("bridge", "dead-letters", "resend", "--all", *named)
        assert (status, "2 readings will be sent again" in said) == (0, True)
        status, said = await _typed("bridge", "dead-letters", "resend", "1/3", *named)
        assert (status, "no dead letter 1/3" in said) == (1, True)
        status, said = await _typed("bridge", "verify", *named)
        assert status == 2
        assert "token" in said
        (state / "token").write_text(token)
        (state / "token").chmod(0o600)
        async with an_outbox(state / OUTBOX_NAME) as outbox:
            tokens = SignedTokens(lambda server_time_ms: token)
            async with running(an_uplink(outbox, url, tokens=tokens)) as uplink:
                await drained(uplink)
                async with asyncio.timeout(20):
                    while any(outbox.records()[0].holes.values()):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
        status, said = await _typed("bridge", "verify", *named)
        assert status == 0, said
        assert "1 dropped, as the server knows" in said
        assert "6 readings, none missing, none twice, 1 dropped" in said
