"""Server and bridge of one machine: who is remembered, and what is in the way."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from strapline.choosing import Choice
from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.joined import BRIDGE, Place, bridge_beside, remember, serving
from strapline_bridge.wearables import WearablesFile
from strapline_client import Updates, WebSocketEventType, WebSocketService
from strapline_protocol.watching import HealthDataUpdate
from strapline_server.days import machine_zone
from strapline_simulator import chest_strap, simulation

EVERYWHERE = "0.0.0.0"  # noqa: S104  # compared with, not listened on
FIRST, SECOND = "D0:5E:00:00:00:01", "D0:5E:00:00:00:02"


async def next_rate(updates: Updates) -> HealthDataUpdate:
    async for update in updates:
        message = update.message
        if isinstance(message, HealthDataUpdate) and message.metric == "heart_rate":
            return message
    raise AssertionError("the service stopped")


def place(tmp_path: Path, *, port: int = 0) -> Place:
    return Place(DataFolder(tmp_path), port)


async def test_people_and_straps_are_remembered_and_a_strap_changes_hands(tmp_path: Path) -> None:
    here = place(tmp_path)
    with here.folder.held():
        async with serving(here) as server:
            chosen = [Choice(FIRST, "Maren Holt"), Choice(SECOND, "Maren Holt")]
            first = await remember(server.admin, here.folder, chosen)
            assert [(one.user, one.name) for one in first.wearables] == [
                ("maren-holt", "Strap"),
                ("maren-holt", "Strap 2"),
            ]
        async with serving(here) as server:
            again = await remember(server.admin, here.folder, [Choice(FIRST, "Tomás Reyes")])
            assert [(one.device, one.user) for one in again.wearables] == [
                (first.wearables[0].device, "tomas-reyes"),
                (first.wearables[1].device, "maren-holt"),
            ]
            assert await remember(server.admin, here.folder, []) == again
            people = {user.id: (user.name, user.zone) for user in await server.admin.users()}
    assert people == {
        "maren-holt": ("Maren Holt", machine_zone()),
        "tomas-reyes": ("Tomás Reyes", machine_zone()),
    }


async def test_where_the_server_forgot_its_people_they_come_back(tmp_path: Path) -> None:
    here = place(tmp_path)
    with here.folder.held():
        WearablesFile(here.folder.bridge).change(
            lambda known: known.add(address=FIRST, user="ilse", name="Strap", added_at=0)[0]
        )
        async with serving(here) as server:
            await remember(server.admin, here.folder, [])
            assert [user.id for user in await server.admin.users()] == ["ilse"]


async def test_who_was_erased_does_not_come_back_with_their_strap(tmp_path: Path) -> None:
    here = place(tmp_path)
    with here.folder.held():
        async with serving(here) as server:
            chosen = [Choice(FIRST, "Maren Holt"), Choice(SECOND, "Ilse")]
            await remember(server.admin, here.folder, chosen)
            await server.admin.erase_user("maren-holt")
        async with serving(here) as server:
            known = await remember(server.admin, here.folder, [])
            assert [one.user for one in known.wearables] == ["maren-holt", "ilse"]
            assert [user.id for user in await server.admin.users()] == ["ilse"]
            (grant,) = [one for one in await server.admin.principals() if one.role == "bridge"]
            assert grant.ids == {"ilse"}


async def test_a_makers_name_with_a_serial_number_stays_here(tmp_path: Path) -> None:
    here = place(tmp_path)
    with here.folder.held():
        async with serving(here) as server:
            known = await remember(server.admin, here.folder, [Choice(FIRST, "Ilse")])
    assert known.wearables[0].name == "Strap"


async def test_the_bridge_signs_its_own_tokens_and_a_reading_arrives(tmp_path: Path) -> None:
    here = place(tmp_path)
    with here.folder.held():
        async with (
            simulation([chest_strap("Strap")], pace=None) as air,
            serving(here) as server,
        ):
            chosen = [Choice(air.straps[0].address, "Ilse Brandt")]
            await remember(server.admin, here.folder, chosen)
            # Whoever revoked it once has it back at the next start.
            await server.admin.revoke(BRIDGE)
            await remember(server.admin, here.folder, chosen)
            token = await server.admin.issue_link_token("all")
            async with WebSocketService(here.socket_url(server), token) as viewer:
                updates = viewer.updates()
                async for update in updates:
                    if update.type is WebSocketEventType.SUBSCRIBED:
                        break
                async with await bridge_beside(server, here, air.backend):
                    strap = air.straps[0]
                    await strap.wait_subscribed("00002a37-0000-1000-8000-00805f9b34fb")
                    assert await strap.notify_heart_rate(87, rr_ms=[690])
                    message = await next_rate(updates)
                    assert message.series.value == [87]
                    assert message.user == "ilse-brandt"


async def test_a_port_that_is_taken_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        here = place(tmp_path, port=port)
        with (
            here.folder.held(),
            pytest.raises(CommandError, match=rf"Port {port} is in use.*--port {port + 1}\."),
        ):
            async with serving(here):
                pass


def test_a_place_serves_this_machine_unless_told_otherwise(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert Place(folder, 1).server_config.hosts == ("127.0.0.1",)
    assert Place(folder, 1, lan=True).server_config.hosts == (EVERYWHERE,)
    assert Place(folder, 1, simulated=True).server_config.simulated
    assert not Place(folder, 1).server_config.simulated
