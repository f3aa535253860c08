"""A bridge that runs is asked at the socket in its state folder, and leaves none behind."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from strapline_bridge.answering import VERIFY, VerifyParams
from strapline_bridge.control import ControlError, ask
from strapline_bridge.control.place import NAME
from strapline_protocol.opening import Request
from strapline_simulator import uuids
from tests.integration.bridge_kit import Receiver
from tests.integration.test_bridge_daemon import a_bridge, choose, one_strap, rates


async def test_it_verifies_while_it_records(tmp_path: Path) -> None:
    async with Receiver().serving() as server, one_strap() as (running, strap):
        choose(tmp_path, strap, "anna", "Anna's strap")
        async with a_bridge(tmp_path, running, server) as bridge:
            await strap.wait_subscribed(uuids.HEART_RATE_MEASUREMENT)
            for rate in range(60, 70):
                assert await strap.notify_heart_rate(rate)
            await server.until(lambda: rates(server) == list(range(60, 70)))
            socket = tmp_path / NAME
            assert stat.S_IMODE(socket.stat().st_mode) == 0o600
            verified = await ask(tmp_path, VERIFY, VerifyParams(offline=True))
            assert verified is not None
            assert verified.all_right
            assert verified.readings >= 10
            assert not server.of(Request)
            assert bridge.outbox.status().fault is None
        assert not socket.exists()
        assert await ask(tmp_path, VERIFY, VerifyParams()) is None


async def test_without_its_server_it_says_so(tmp_path: Path) -> None:
    async with one_strap() as (running, strap):
        choose(tmp_path, strap, "anna", "Anna's strap")
        # Nobody listens there.
        async with a_bridge(tmp_path, running, Receiver(port=9)):
            await strap.wait_subscribed(uuids.HEART_RATE_MEASUREMENT)
            assert await strap.notify_heart_rate(60)
            with pytest.raises(ControlError, match=r"not connected.*--offline"):
                while True:
                    await ask(tmp_path, VERIFY, VerifyParams())
