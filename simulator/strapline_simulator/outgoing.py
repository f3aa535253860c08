"""Notifications on their way from a strap: each is either taken by the central or lost."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from bumble import att
from bumble.device import Connection
from bumble.gatt import Characteristic
from bumble.gatt_server import Server
from bumble.l2cap import L2CAP_PDU

from strapline_simulator.ledger import Ledger, Sent

#: Opcode and handle of a notification (Core specification, Vol 3, Part F, 3.4.7.1).
_NOTIFICATION_HEADER = 3

_NOTIFY_BIT = 0x01


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

    def is_subscribed(self, connection: Connection | None, characteristic: str) -> bool:
        """Whether the central at the other end has asked for this characteristic.

        Raises:
            ValueError: the strap has no such characteristic.
        """
        handle = self._characteristic(characteristic).handle
        if connection is None:
            return False
        configuration = self._server.subscribers.get(connection, {}).get(handle, b"\x00\x00")
        return bool(configuration[0] & _NOTIFY_BIT)

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
        self._flying.append(_Flying(Sent(characteristic, value, time.monotonic_ns()), arrived))
        # bumble's own notify would cut a long value short, and could only be awaited.
        handle = self._characteristic(characteristic).handle
        pdu = att.ATT_Handle_Value_Notification(attribute_handle=handle, attribute_value=value)
        self._server.send_gatt_pdu(connection, bytes(pdu))
        return arrived

    def on_taken(self, packet: bytes) -> None:
        """Learn from the radio that a packet was taken; packets are taken in order."""
        pdu = L2CAP_PDU.from_bytes(packet)
        if pdu.cid != att.ATT_CID or pdu.payload[0] != att.Opcode.ATT_HANDLE_VALUE_NOTIFICATION:
            return
        flying = self._flying.popleft()
        self._ledger.enter(flying.sent)
        if not flying.arrived.done():
            flying.arrived.set_result(True)

    def on_link_gone(self) -> None:
        """What is still flying will never arrive."""
        while self._flying:
            flying = self._flying.popleft()
            self._ledger.lost += 1
            if not flying.arrived.done():
                flying.arrived.set_result(False)

    def _characteristic(self, uuid: str) -> Characteristic[bytes]:
        try:
            return self._notifying[uuid]
        except KeyError:
            known = ", ".join(self._notifying)
            raise ValueError(f"this strap does not notify {uuid}: it notifies {known}") from None
