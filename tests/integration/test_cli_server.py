"""`strapline server`: people and tokens, beside a running server."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from strapline.errors import CommandError
from strapline.people import add_person, change_person, list_people
from strapline.revoking import revoke
from strapline.serving import serve
from strapline.systemd import Systemd
from strapline.tokens import Wanted, print_token
from strapline_client import StoppedError, WebSocketEventType, WebSocketService
from strapline_server import AdminError, Server, ServerConfig


def config(tmp_path: Path, port: int = 0) -> ServerConfig:
    return ServerConfig(state_folder=tmp_path / "server", port=port)


async def watched(url: str, token: str) -> dict[str, str]:
    """The people whom a token shows, with their names."""
    async with WebSocketService(url, token) as service:
        async for update in service.updates():
            if update.type is WebSocketEventType.SUBSCRIBED:
                break
        return {user: state.name for user, state in service.users.items()}


async def test_people_are_added_once_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = config(tmp_path)
    await list_people(here, as_json=False)
    assert "Nobody yet" in capsys.readouterr().out
    await add_person(here, "Tomás Reyes", None, "Europe/Berlin")
    assert capsys.readouterr().out == "tomas-reyes\n"
    with pytest.raises(CommandError, match=r"'tomas-reyes' already.*--id"):
        await add_person(here, "Tomas Reyes", None, None)
    await add_person(here, "Tomas Reyes", "tomas-2", "UTC")
    capsys.readouterr()
    await list_people(here, as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"id": "tomas-2", "name": "Tomas Reyes", "zone": "UTC"},
        {"id": "tomas-reyes", "name": "Tomás Reyes", "zone": "Europe/Berlin"},
    ]
    await list_people(here, as_json=False)
    assert "Tomás Reyes" in capsys.readouterr().out


async def test_a_zone_or_id_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="Mars/Olympus"):
        await add_person(config(tmp_path), "Maren", None, "Mars/Olympus")
    with pytest.raises(AdminError, match="user"):
        await add_person(config(tmp_path), "Maren", "not an id", None)


async def test_a_viewers_token_shows_those_named_while_the_server_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = config(tmp_path)
    async with Server(here) as server:
        for name in ("Maren Holt", "Ilse Brandt"):
            await add_person(here, name, None, None)
        capsys.readouterr()
        await print_token(here, Wanted(viewer="Coach", users=("maren-holt",)))
        told = capsys.readouterr()
        token = told.out.strip()
        assert token.isascii()
        assert len(told.out.splitlines()) == 1
        assert token not in told.err
        assert "viewer-coach until 30 days from now" in told.err
        url = f"ws://127.0.0.1:{server.port}/ws"
        assert await watched(url, token) == {"maren-holt": "Maren Holt"}
        await print_token(here, Wanted(viewer="Coach", everyone=True))
        assert len(await watched(url, capsys.readouterr().out.strip())) == 2


async def test_what_was_granted_is_taken_back_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = config(tmp_path)
    async with Server(here) as server:
        await print_token(here, Wanted(viewer="Coach Ada", everyone=True))
        token = capsys.readouterr().out.strip()
        url = f"ws://127.0.0.1:{server.port}/ws"
        async with WebSocketService(url, token) as service:
            updates = service.updates()
            async for update in updates:
                if update.type is WebSocketEventType.SUBSCRIBED:
                    break
            await revoke(here, "Coach Ada")
            told = capsys.readouterr()
            assert told.out == "viewer-coach-ada\n"
            assert "no longer hold" in told.err
            with pytest.raises(StoppedError):
                async for _ in updates:
                    pass


async def test_a_link_carries_the_token_in_its_fragment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = config(tmp_path, port=8420)
    await print_token(here, Wanted(viewer="Coach", everyone=True, link=True))
    link = urlsplit(capsys.readouterr().out.strip())
    assert (link.netloc, link.query) == ("127.0.0.1:8420", "")
    assert link.fragment.startswith("token=")
    at = "https://coach.example.org/"
    await print_token(here, Wanted(viewer="Coach", everyone=True, link=True, at=at))
    assert capsys.readouterr().out.startswith("https://coach.example.org/#token=")


async def test_a_code_is_shown_where_another_device_can_follow_the_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    here = config(tmp_path, port=8420)
    await print_token(here, Wanted(viewer="Coach", everyone=True, link=True))
    assert "▀" not in capsys.readouterr().out
    at = "https://coach.example.org"
    await print_token(here, Wanted(viewer="Coach", everyone=True, link=True, at=at))
    assert "▀" in capsys.readouterr().out


async def test_a_bridges_token_comes_with_what_to_do_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await print_token(config(tmp_path), Wanted(bridge="Pi", everyone=True))
    assert "chmod 600" in capsys.readouterr().err


async def test_a_token_for_nobody_that_there_is_is_refused(tmp_path: Path) -> None:
    here = config(tmp_path)
    wanted = Wanted(viewer="Coach", users=("marenholt",))
    with pytest.raises(
        CommandError, match=r"'marenholt'.*Nobody was added yet.*user add marenholt"
    ):
        await print_token(here, wanted)
    await add_person(here, "Maren Holt", None, None)
    with pytest.raises(CommandError) as refused:
        await print_token(here, wanted, " --data '/srv/my strapline'")
    told = str(refused.value)
    assert "There are maren-holt (Maren Holt); strapline server user list --data" in told
    assert told.endswith("strapline server user add marenholt --data '/srv/my strapline'")


async def test_a_person_gets_another_name_and_zone_and_keeps_the_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = config(tmp_path)
    await add_person(here, "Maren", None, "UTC")
    capsys.readouterr()
    await change_person(here, "maren", " Maren Holt ", None)
    await change_person(here, "maren", None, "Europe/Berlin")
    assert capsys.readouterr().out == "maren\nmaren\n"
    await list_people(here, as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"id": "maren", "name": "Maren Holt", "zone": "Europe/Berlin"}
    ]
    with pytest.raises(AdminError, match=r"'ilse'.*user list"):
        await change_person(here, "ilse", "Ilse", None)
    with pytest.raises(AdminError, match="Mars"):
        await change_person(here, "maren", None, "Mars/Olympus")
    with pytest.raises(CommandError, match="empty"):
        await change_person(here, "maren", "  ", None)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  # what is warned of
async def test_serving_the_network_without_tls_is_warned_of(
    tmp_path: Path, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = ServerConfig(
        state_folder=tmp_path / "server", host=host, port=0, plain_beyond_loopback=True
    )
    with caplog.at_level(logging.INFO):
        serving = asyncio.create_task(serve(here, Systemd(None), tmp_path / "server.toml"))
        async with asyncio.timeout(20):
            while "serving on port" not in caplog.text:  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0.01)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert ("speaks no TLS" in caplog.text) == (host != "127.0.0.1")
