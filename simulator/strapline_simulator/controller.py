"""A virtual Bluetooth controller with the habits of a real one that bumble's own lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bumble import hci, ll
from bumble.controller import Connection, Controller

from strapline_simulator.profiles import DEFAULT_RSSI_DBM

if TYPE_CHECKING:
    from strapline_simulator.air import Air

_Report = hci.HCI_LE_Extended_Advertising_Report_Event
_LEGACY_ADVERTISEMENT: Final = (
    _Report.EventType.CONNECTABLE_ADVERTISING
    | _Report.EventType.SCANNABLE_ADVERTISING
    | _Report.EventType.LEGACY_ADVERTISING_PDU_USED
)
_ACTIVE_SCAN: Final = hci.HCI_LE_Set_Extended_Scan_Parameters_Command.ACTIVE_SCANNING


class AirController(Controller):
    """One device's radio: it cancels a pending connect, reports RSSI, answers scan requests.

    Attributes:
        in_range: whether the others hear it, and it them. Set it through the air.
        rssi_dbm: how strongly the others hear it.
        on_taken: called with each L2CAP packet (Core specification, Vol 3, Part A, 3.1) of
            this device that the radio at the other end of the link has taken.
    """

    def __init__(self, name: str, air: Air, *, rssi_dbm: int = DEFAULT_RSSI_DBM) -> None:
        self.in_range = True
        self.rssi_dbm = rssi_dbm
        self.on_taken: Callable[[bytes], None] | None = None
        self._scans_actively = True
        super().__init__(name, link=air)

    @property
    def listens(self) -> bool:
        """Whether an advertisement would do anything here."""
        return self.in_range and (self.le_scan_enable or self.pending_le_connection is not None)

    def connection_with(self, address: hci.Address) -> Connection | None:
        return self.le_connections.get(address)

    def hear(
        self, packet: ll.AdvInd | ll.AdvExtInd, rssi_dbm: int, scan_response: bytes | None
    ) -> None:
        """Take an advertisement: report it to the host, connect if that was waited for."""
        if self.le_scan_enable:
            self._report(packet.advertiser_address, _LEGACY_ADVERTISEMENT, packet.data, rssi_dbm)
            if self._scans_actively and scan_response is not None:
                event_type = _LEGACY_ADVERTISEMENT | _Report.EventType.SCAN_RESPONSE
                self._report(packet.advertiser_address, event_type, scan_response, rssi_dbm)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == packet.advertiser_address:
            self.create_le_connection(packet.advertiser_address)

    def _report(self, address: hci.Address, event_type: int, data: bytes, rssi_dbm: int) -> None:
        report = _Report.Report(
            event_type=event_type,
            address_type=address.address_type,
            address=address,
            primary_phy=hci.Phy.LE_1M,
            secondary_phy=0,
            advertising_sid=0xFF,
            tx_power=_Report.TX_POWER_INFORMATION_NOT_AVAILABLE,
            rssi=rssi_dbm,
            periodic_advertising_interval=0,
            direct_address_type=0,
            direct_address=hci.Address.ANY,
            data=data,
        )
        self.send_hci_packet(_Report([report]))

    # The names of the handlers below are given: bumble finds them by the name of the command.

    def on_hci_le_set_extended_scan_parameters_command(
        self, command: hci.HCI_LE_Set_Extended_Scan_Parameters_Command
    ) -> hci.HCI_StatusReturnParameters:
        self._scans_actively = _ACTIVE_SCAN in command.scan_types
        return super().on_hci_le_set_extended_scan_parameters_command(command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Cancel a pending connect (Core specification, Vol 4, Part E, 7.8.13)."""
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        cancelled = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address.address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        # The answer to the command comes first, then the event.
        asyncio.get_running_loop().call_soon(self.send_hci_packet, cancelled)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)
