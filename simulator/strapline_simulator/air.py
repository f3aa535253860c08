"""The virtual air between controllers: range, latency, broken links, connects that fail."""

from __future__ import annotations

import asyncio
import logging

from bumble import hci, ll
from bumble.controller import Connection, Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink

from strapline_simulator.controller import AirController
from strapline_simulator.lane import Flight, Lane, acl_arrival, control_arrival

_logger = logging.getLogger(__name__)

_LINK_LOST = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
_NOT_ESTABLISHED = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR


class Air(LocalLink):
    """Joins the controllers of one process.

    Args:
        latency_s: how long a packet is under way.
        supervision_timeout_s: how long a link outlives the loss of range. Both ends then see
            a connection timeout (Core specification, Vol 6, Part B, 4.5.2).

    Attributes:
        broken_links: links that broke, for whatever reason but a disconnect.
        overrun_links: those of them that broke because too much was in the air.
    """

    def __init__(self, *, latency_s: float = 0.0, supervision_timeout_s: float = 0.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble leaves it without types
        self.latency_s = latency_s
        self.supervision_timeout_s = supervision_timeout_s
        self.broken_links = 0
        self.overrun_links = 0
        self._by_address: dict[hci.Address, AirController] = {}
        self._lanes: dict[tuple[AirController, AirController], Lane] = {}
        self._supervision: dict[AirController, asyncio.TimerHandle] = {}

    # What a test or a strap may do to the air.

    def set_in_range(self, controller: AirController, in_range: bool) -> None:
        """Take a device out of everybody's range, or bring it back.

        Its links break when it has been away for the supervision timeout.
        """
        controller.in_range = in_range
        if (timer := self._supervision.pop(controller, None)) is not None:
            timer.cancel()
        if in_range:
            self._pump(controller)
        elif self.supervision_timeout_s > 0:
            self._supervision[controller] = asyncio.get_running_loop().call_later(
                self.supervision_timeout_s, self.break_links, controller
            )
        else:
            self.break_links(controller)

    def break_links(self, controller: AirController) -> None:
        """Break every link of a device: both ends see a connection timeout."""
        broken: set[frozenset[AirController]] = set()
        for end in self._controllers():
            for connection in list(end.le_connections.values()):
                other = self._by_address.get(connection.peer_address)
                if other is not None and controller in (end, other):
                    broken.add(frozenset((end, other)))
                    end.on_le_disconnected(connection, _LINK_LOST)
        self.broken_links += len(broken)
        self._pump(controller)

    def close(self) -> None:
        """Stop all timers. Nothing arrives any more."""
        for timer in self._supervision.values():
            timer.cancel()
        self._supervision.clear()
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()

    # What controllers call; the names are given by bumble.

    def on_address_changed(self, controller: Controller) -> None:
        self._by_address[controller.random_address] = _ours(controller)

    def send_advertising_pdu(
        self, sender_controller: Controller, packet: ll.AdvertisingPdu
    ) -> None:
        sender = _ours(sender_controller)
        loop = asyncio.get_running_loop()
        if isinstance(packet, ll.ConnectInd):
            loop.call_soon(self._connect, sender, packet)
        elif isinstance(packet, ll.AdvInd | ll.AdvExtInd) and sender.in_range:
            response = _scan_response(sender, packet.advertiser_address)
            for receiver in self._controllers():
                if receiver is not sender and receiver.listens:
                    loop.call_soon(receiver.hear, packet, sender.rssi_dbm, response)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        sender = _ours(sender_controller)
        if (ends := self._ends(sender, destination_address)) is None:
            return
        receiver, receiver_end, sender_end = ends
        arrive = acl_arrival(sender, receiver, receiver_end, data)
        flight = Flight(self._due_s(), receiver_end, sender_end, arrive)
        self._send(sender, receiver, flight)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        sender = self._by_address[sender_address]
        if (ends := self._ends(sender, receiver_address)) is None:
            return
        receiver, receiver_end, _ = ends
        arrive = control_arrival(receiver, receiver_end, packet)
        self._send(sender, receiver, Flight(self._due_s(), receiver_end, None, arrive))

    def _controllers(self) -> list[AirController]:
        return [_ours(controller) for controller in self.controllers]

    def _ends(
        self, sender: AirController, receiver_address: hci.Address
    ) -> tuple[AirController, Connection, Connection] | None:
        """The receiver, its end of the link and the sender's; none if the link just broke."""
        receiver = self._by_address.get(receiver_address)
        sender_end = sender.connection_with(receiver_address)
        if receiver is None or sender_end is None:
            return None
        receiver_end = receiver.connection_with(sender_end.self_address)
        return None if receiver_end is None else (receiver, receiver_end, sender_end)

    def _due_s(self) -> float:
        return asyncio.get_running_loop().time() + self.latency_s

    def _send(self, sender: AirController, receiver: AirController, flight: Flight) -> None:
        if (lane := self._lanes.get((sender, receiver))) is None:
            lane = self._lanes[sender, receiver] = Lane(sender, receiver)
        if not lane.is_full:
            lane.put(flight)
            return
        self.overrun_links += 1
        _logger.warning("too much in the air from %s: its links break", sender.name)
        self.break_links(sender)

    def _connect(self, initiator: AirController, packet: ll.ConnectInd) -> None:
        """Hand over a connect request. If nobody takes it, the initiator learns that."""
        advertiser = self._by_address.get(packet.advertiser_address)
        if advertiser is not None and initiator.in_range and advertiser.in_range:
            before = advertiser.connection_with(packet.initiator_address)
            advertiser.on_ll_advertising_pdu(packet)
            if advertiser.connection_with(packet.initiator_address) is not before:
                return
        if (phantom := initiator.connection_with(packet.advertiser_address)) is not None:
            initiator.on_le_disconnected(phantom, _NOT_ESTABLISHED)

    def _pump(self, controller: AirController) -> None:
        for (sender, receiver), lane in list(self._lanes.items()):
            if controller in (sender, receiver):
                lane.pump()


def _ours(controller: Controller) -> AirController:
    if not isinstance(controller, AirController):
        raise TypeError(f"{controller.name} is not an AirController: only those share this air")
    return controller


def _scan_response(controller: AirController, address: hci.Address) -> bytes | None:
    """What an advertiser answers to a scan request; none if it does not answer."""
    for advertising_set in controller.advertising_sets.values():
        if advertising_set.enabled and advertising_set.address == address:
            return bytes(advertising_set.scan_response_data) or None
    return None
