"""One direction between two radios: packets arrive late but in order, or not at all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bumble import ll
from bumble.controller import Connection

from strapline_simulator.controller import AirController

#: More in the air than this is a link that a real radio would have given up.
LANE_LIMIT: Final = 1024


@dataclass(frozen=True, slots=True)
class Flight:
    """A packet in the air.

    Attributes:
        due_s: when it arrives, by the clock of the loop.
        receiver_end: the receiver's end of the link when it was sent. A packet never arrives in
            another connection than its own, not even one between the same two devices.
        sender_end: the sender's end, for data: who disconnects does not go on sending. ``None``
            for the word that it disconnects.
        arrive: hands it to the receiver.
    """

    due_s: float
    receiver_end: Connection
    sender_end: Connection | None
    arrive: Callable[[], None]


class Lane:
    """Packets from one radio to another, first in, first out.

    A real link layer repeats a packet until it is acknowledged, so nothing is lost while the
    link lives: while either end is out of range the packets wait, and if the link breaks they
    are gone.
    """

    def __init__(self, sender: AirController, receiver: AirController) -> None:
        self.sender = sender
        self.receiver = receiver
        self._flights: deque[Flight] = deque()
        self._timer: asyncio.Handle | None = None

    @property
    def is_full(self) -> bool:
        return len(self._flights) >= LANE_LIMIT

    def put(self, flight: Flight) -> None:
        """Send a packet. The caller sees to it that the lane is not full."""
        self._flights.append(flight)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self.pump)

    def pump(self) -> None:
        """Deliver what is due. Also called when the range or the link has changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._flights:
            flight = self._flights[0]
            if not self._is_alive(flight):
                self._flights.popleft()
            elif not (self.sender.in_range and self.receiver.in_range):
                return
            elif flight.due_s > loop.time():
                self._timer = loop.call_at(flight.due_s, self.pump)
                return
            else:
                self._flights.popleft()
                flight.arrive()

    def close(self) -> None:
        self._flights.clear()
        self.pump()

    def _is_alive(self, flight: Flight) -> bool:
        return _holds(self.receiver, flight.receiver_end) and (
            flight.sender_end is None or _holds(self.sender, flight.sender_end)
        )


def _holds(controller: AirController, end: Connection) -> bool:
    return controller.connection_with(end.peer_address) is end


def acl_arrival(
    sender: AirController, receiver: AirController, connection: Connection, data: bytes
) -> Callable[[], None]:
    """Deliver data, then tell the sender that it was taken."""

    def arrive() -> None:
        receiver.on_link_acl_data(connection.peer_address, connection.transport, data)
        if sender.on_taken is not None:
            sender.on_taken(data)

    return arrive


def control_arrival(
    receiver: AirController, connection: Connection, packet: ll.ControlPdu
) -> Callable[[], None]:
    """Deliver a control packet of the link layer."""

    def arrive() -> None:
        receiver.on_ll_control_pdu(connection.peer_address, packet)

    return arrive
