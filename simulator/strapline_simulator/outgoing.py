"""Notifications on their way from a strap: each is either taken by the central or lost."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from bumble import att
from bumble.device import Connection
from bumble.gatt import Characteristic
from bumble.gatt_server import Server
from bumble.l2cap import L2CAP_PDU

from strapline_simulator.ledger import Ledger, Sent

#: Opcode and handle of a notification or indication (Core specification, Vol 3, Part F, 3.4.7).
_NOTIFICATION_HEADER = 3

#: Of the client's configuration (Vol 3, Part G, 3.3.3.3).
_NOTIFY_BIT = 0x01
_INDICATE_BIT = 0x02


@dataclass(frozen=True, slots=True)
class _Flying:
    sent: Sent
    arrived: asyncio.Future[bool]


class Outgoing:
    """Hands notifications to the radio of one strap and learns what became of them.

    Args:
        server: the strap's GATT server.
        notifying: its characteristics that notify, by UUID.
        ledger: where those are entered that arrived.
    """

    def __init__(
        self, server: Server, notifying: dict[str, Characteristic[bytes]], ledger: Ledger
    ) -> None:
        self._server = server
        self._notifying = notifying
        self._ledger = ledger
        self._flying: deque[_Flying] = deque()
        # An indication waits for the answer to the one before, and notifications pass it by.
        self._indicated: deque[_Flying] = deque()
        self._indicating: set[asyncio.Task[None]] = set()

    def is_subscribed(self, connection: Connection | None, characteristic: str) -> bool:
        """Whether the central at the other end has asked for this characteristic.

        Raises:
            ValueError: the strap has no such characteristic.
        """
        handle = self._characteristic(characteristic).handle
        if connection is None:
            return False
        configuration = self._server.subscribers.get(connection, {}).get(handle, b"\x00\x00")
        return bool(configuration[0] & (_NOTIFY_BIT | _INDICATE_BIT))

    def notify(
        self, connection: Connection | None, characteristic: str, value: bytes
    ) -> asyncio.Future[bool]:
        """Notify at once.

        Returns:
            Whether it arrived, once that is known: the central's radio has taken it, or the
            link has gone. If it arrived, the central's callback has been called by then.

        Raises:
            ValueError: no such characteristic, or the value is too long for this link.
        """
        arrived: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if connection is None or not self.is_subscribed(connection, characteristic):
            arrived.set_result(False)
            return arrived
        room = connection.att_mtu - _NOTIFICATION_HEADER
        if len(value) > room:
            raise ValueError(f"a notification of {len(value)} bytes: this link has room for {room}")
        flying = _Flying(Sent(characteristic, value, time.monotonic_ns()), arrived)
        target = self._characteristic(characteristic)
        if not target.properties & Characteristic.Properties.NOTIFY:
            self._indicated.append(flying)
            # Forced: whether anybody asked was looked at just now.
            self._spawn(self._server.indicate_subscriber(connection, target, value, force=True))
            return arrived
        self._flying.append(flying)
        # bumble's own notify would cut a long value short, and could only be awaited.
        pdu = att.ATT_Handle_Value_Notification(
            attribute_handle=target.handle, attribute_value=value
        )
        self._server.send_gatt_pdu(connection, bytes(pdu))
        return arrived

    def _spawn(self, indication: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(indication)
        self._indicating.add(task)
        task.add_done_callback(self._indicating.discard)

    def on_taken(self, packet: bytes) -> None:
        """Learn from the radio that a packet was taken; packets are taken in order."""
        pdu = L2CAP_PDU.from_bytes(packet)
        if pdu.cid != att.ATT_CID:
            return
        if pdu.payload[0] == att.Opcode.ATT_HANDLE_VALUE_NOTIFICATION:
            flying = self._flying.popleft()
        elif pdu.payload[0] == att.Opcode.ATT_HANDLE_VALUE_INDICATION:
            flying = self._indicated.popleft()
        else:
            return
        self._ledger.enter(flying.sent)
        if not flying.arrived.done():
            flying.arrived.set_result(True)

    def on_link_gone(self) -> None:
        """What is still flying will never arrive."""
        for task in self._indicating:
            task.cancel()
        for flying in (*self._flying, *self._indicated):
            self._ledger.lost += 1
            if not flying.arrived.done():
                flying.arrived.set_result(False)
        self._flying.clear()
        self._indicated.clear()

    def _characteristic(self, uuid: str) -> Characteristic[bytes]:
        try:
            return self._notifying[uuid]
        except KeyError:
            known = ", ".join(self._notifying)
            raise ValueError(f"this strap does not notify {uuid}: it notifies {known}") from None
