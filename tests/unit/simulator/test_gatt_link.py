"""Operations end with their link, and errors become bleak's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.device import Connection
from bumble.utils import EventEmitter

from strapline_simulator.gatt_link import GattLink


@dataclass
class FakeHost:
    connections: dict[int, object] = field(default_factory=dict)


class FakeConnection(EventEmitter):
    """As much of bumble's connection as a link looks at."""

    handle = 7

    def __init__(self) -> None:
        super().__init__()
        self.device = FakeHost({self.handle: self})
        self.refuses = False

    async def disconnect(self) -> None:
        if self.refuses:
            raise core.InvalidStateError("not now")
        self.lose(hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)

    def lose(self, reason: int) -> None:
        self.device.connections.clear()
        self.emit(Connection.EVENT_DISCONNECTION, reason)


def make_link(connection: FakeConnection, gone: list[str]) -> GattLink:
    link = GattLink(
        cast("Connection", connection), lambda: gone.append("gone"), asyncio.create_task
    )
    link.watch()
    return link


async def answer(value: int) -> int:
    return value


async def fail(error: Exception) -> int:
    raise error


async def test_an_operation_returns_its_result() -> None:
    assert await make_link(FakeConnection(), []).run(answer(3)) == 3


async def test_errors_become_those_of_bleak() -> None:
    link = make_link(FakeConnection(), [])
    with pytest.raises(BleakGATTProtocolError) as refused:
        await link.run(fail(att.ATT_Error(0x80)))
    assert refused.value.code == 0x80
    with pytest.raises(BleakError, match="operation failed: confused"):
        await link.run(fail(core.InvalidStateError("confused")))
    with pytest.raises(LookupError):
        await link.run(fail(LookupError("a fault of our own stays one")))


async def test_the_loss_of_the_link_ends_what_is_under_way_and_is_told_once() -> None:
    connection, gone = FakeConnection(), list[str]()
    link = make_link(connection, gone)
    forever = asyncio.create_task(link.run(asyncio.sleep(3600, 1)))
    await asyncio.sleep(0)
    connection.lose(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
    connection.lose(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
    with pytest.raises(BleakError, match=r"device disconnected \(CONNECTION_TIMEOUT_ERROR\)"):
        await forever
    with pytest.raises(BleakError, match="device disconnected"):
        await link.run(answer(1))
    assert gone == ["gone"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_link_that_went_before_anybody_looked() -> None:
    connection, gone = FakeConnection(), list[str]()
    connection.device.connections.clear()
    link = make_link(connection, gone)
    assert gone == ["gone"]
    with pytest.raises(BleakError, match="CONNECTION_FAILED_TO_BE_ESTABLISHED"):
        await link.run(answer(1))
    await link.disconnect()  # it is down already


async def test_who_is_cancelled_leaves_the_operation_to_finish() -> None:
    link = make_link(FakeConnection(), [])
    release, finished = asyncio.Event(), asyncio.Event()

    async def operation() -> None:
        await release.wait()
        finished.set()
        raise att.ATT_Error(0x01)

    caller = asyncio.create_task(link.run(operation()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    release.set()
    await finished.wait()


async def test_disconnecting() -> None:
    connection, gone = FakeConnection(), list[str]()
    link = make_link(connection, gone)
    connection.refuses = True
    with pytest.raises(BleakError, match="disconnect failed: not now"):
        await link.disconnect()
    connection.refuses = False
    await link.disconnect()
    assert gone == ["gone"]


async def test_an_operation_that_is_dropped_while_the_link_lives() -> None:
    link = make_link(FakeConnection(), [])

    async def dropped() -> None:
        raise asyncio.CancelledError

    with pytest.raises(BleakError, match="operation was dropped"):
        await link.run(dropped())
