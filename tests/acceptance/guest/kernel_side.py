"""The end of the virtual air that the guest's kernel takes for its Bluetooth adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bumble import hci
from bumble.transport import open_transport
from bumble.transport.common import Transport

from strapline_simulator.air import Air
from strapline_simulator.controller import AirController

ADDRESS: Final = hci.Address("00:AA:01:00:00:01", hci.Address.PUBLIC_DEVICE_ADDRESS)

#: A kernel that sees these waits for events that bumble does not send, and stalls for seconds.
UNFINISHED: Final = (
    hci.LeFeatureMask.LL_PRIVACY
    | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)
_REPORT: Final = hci.HCI_LE_Advertising_Report_Event


class KernelSide(AirController):
    """A controller whose host is a Linux kernel, by way of ``/dev/vhci``."""

    def __init__(self, air: Air, transport: Transport) -> None:
        super().__init__("kernel", air)
        self.public_address = ADDRESS
        self.le_features &= ~UNFINISHED
        # A kernel connects from its public address; the air knows the others' random ones.
        air._by_address[ADDRESS] = self
        self.host = transport.sink
        transport.source.set_packet_sink(self)

    def on_hci_le_set_scan_parameters_command(
        self, command: hci.HCI_LE_Set_Scan_Parameters_Command
    ) -> hci.HCI_StatusReturnParameters:
        self._scans_actively = command.le_scan_type == command.ACTIVE_SCANNING
        return super().on_hci_le_set_scan_parameters_command(command)

    def _report(self, address: hci.Address, event_type: int, data: bytes, rssi_dbm: int) -> None:
        """Report as controllers did before extended advertising (Vol 4, Part E, 7.7.65.2)."""
        answer = hci.HCI_LE_Extended_Advertising_Report_Event.EventType.SCAN_RESPONSE
        kind = _REPORT.EventType.SCAN_RSP if event_type & answer else _REPORT.EventType.ADV_IND
        report = _REPORT.Report(
            event_type=kind,
            address_type=address.address_type,
            address=address,
            data=data,
            rssi=rssi_dbm,
        )
        self.send_hci_packet(_REPORT([report]))


@asynccontextmanager
async def adapter_on(air: Air) -> AsyncIterator[None]:
    """The kernel has an adapter while the context lasts.

    It is ``hci0``, in a guest without any other.
    """
    async with asyncio.timeout(30):
        transport = await open_transport("vhci")
    try:
        KernelSide(air, transport)
        yield
    finally:
        await transport.close()
