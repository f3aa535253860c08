"""A server's settings are changed while it runs, for all who connect from then on."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from strapline_protocol.opening import Authenticate, Authenticated, Client
from strapline_server import ServerConfig
from strapline_server.errors import SecretError
from tests.integration.server_kit import connected, joined, serving


def changed(config: ServerConfig, **settings: object) -> ServerConfig:
    return ServerConfig(**{**dict(config), **settings})


async def test_new_limits_hold_for_who_connects_after(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ann", "Ann", "UTC")
        token = await server.admin.issue_token("looks", "viewer", ["ann"], 600)
        async with joined(server, token) as before:
            limits = server.config.limits.model_copy(update={"window_readings": 123})
            assert server.reconfigure(changed(server.config, limits=limits)) == []
            async with connected(server) as peer:
                hello = Authenticate(token=token, client=Client(name="test", version="0"))
                await peer.say(hello)
                assert (await peer.expect(Authenticated)).limits.window_readings == 123
            # Who was there before stays.
            await before.subscribe()


async def test_other_pages_may_connect_or_may_not(tmp_path: Path) -> None:
    page = "https://coach.example.org"
    async with serving(tmp_path) as server:
        with pytest.raises(InvalidStatus):
            await connected(server, origin=page).__aenter__()
        server.reconfigure(changed(server.config, allowed_origins=(page,)))
        async with connected(server, origin=page) as peer:
            assert peer.hello.versions


async def test_what_needs_a_restart_is_named_and_stays(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        port = server.port
        wanted = changed(server.config, port=port + 1, host="::1", state_folder=tmp_path / "other")
        assert server.reconfigure(wanted) == ["state_folder", "host", "port"]
        assert server.config.state_folder == tmp_path
        async with connected(server) as peer:
            assert peer.hello.store


async def test_a_key_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        before = server.config
        limits = before.limits.model_copy(update={"connections": 1})
        with pytest.raises(SecretError):
            server.reconfigure(changed(before, public_keys=(tmp_path / "none.pem",), limits=limits))
        assert server.config is before
