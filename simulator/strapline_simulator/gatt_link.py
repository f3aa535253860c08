"""One connection of the central: its operations end at once when the link does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.device import Connection

T = TypeVar("T")

Spawn = Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]


class GattLink:
    """A live connection, until it is gone; a reconnect makes another one.

    Args:
        connection: established a moment ago.
        on_gone: called once, without waiting, when the link has gone.
        spawn: runs an operation as a task whose end the caller sees to.
    """

    def __init__(self, connection: Connection, on_gone: Callable[[], None], spawn: Spawn) -> None:
        self.connection = connection
        self._on_gone = on_gone
        self._spawn = spawn
        self._gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._operations: set[asyncio.Task[Any]] = set()

    def watch(self) -> None:
        """Begin to watch the link; it may have gone before anybody could."""
        connection = self.connection
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
        if connection.device.connections.get(connection.handle) is not connection:
            self._on_disconnection(hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR)

    async def run(self, operation: Coroutine[Any, Any, T]) -> T:
        """Run one operation of the link.

        A caller that is cancelled leaves the operation to finish by itself: ATT knows no
        cancel, and a late response must not be taken for the answer to the next request
        (Core specification, Vol 3, Part F, 3.3.2).

        Raises:
            BleakGATTProtocolError: the strap refused.
            BleakError: the link has gone, or the operation failed.
        """
        if self._gone.done():
            operation.close()
            raise self._gone_error()
        task = self._spawn(operation)
        self._operations.add(task)
        task.add_done_callback(self._on_operation_done)
        either: set[asyncio.Future[Any]] = {task, self._gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() or task.cancelled():
            raise self._gone_error() if self._gone.done() else BleakError("operation was dropped")
        try:
            result: T = task.result()
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except core.BaseBumbleError as error:
            raise BleakError(f"operation failed: {error}") from error
        return result

    async def disconnect(self) -> None:
        """Take the link down; a link that has gone is down already.

        Raises:
            BleakError: the controller refused.
        """
        if self._gone.done():
            return
        try:
            await self.connection.disconnect()
        except core.BaseBumbleError as error:
            raise BleakError(f"disconnect failed: {error}") from error

    def _on_disconnection(self, reason: int) -> None:
        if self._gone.done():
            return
        self._gone.set_result(reason)
        for task in self._operations:
            task.cancel()
        self._on_gone()

    def _on_operation_done(self, task: asyncio.Task[Any]) -> None:
        self._operations.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not report what nobody waited for

    def _gone_error(self) -> BleakError:
        reason = hci.HCI_ErrorCode(self._gone.result()).name
        return BleakError(f"device disconnected ({reason})")
