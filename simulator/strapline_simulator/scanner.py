"""bleak's scanner over the virtual adapter."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from bleak.backends.scanner import AdvertisementDataCallback, BaseBleakScanner
from bumble.device import Advertisement, Device

from strapline_simulator.central import Central
from strapline_simulator.gatt_names import address_text, advertisement_data


class VirtualScanner(BaseBleakScanner):
    """A scanner backend for ``BleakScanner(backend=…)``; subclasses name their adapter."""

    central: ClassVar[Central]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"] = "active",
        **_platform_arguments: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"

    async def start(self) -> None:
        self.seen_devices = {}
        self.central.device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self.central.add_scanner(self, active=self._active)

    async def stop(self) -> None:
        await self.central.remove_scanner(self)
        listeners = self.central.device.listeners(Device.EVENT_ADVERTISEMENT)
        if self._on_advertisement in listeners:
            self.central.device.remove_listener(Device.EVENT_ADVERTISEMENT, self._on_advertisement)

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        data = advertisement_data(advertisement)
        if not self.is_allowed_uuid(data.service_uuids):
            return
        address = address_text(advertisement.address)
        name = data.local_name
        if name is None and address in self.seen_devices:
            name = self.seen_devices[address][0].name  # a passive scan does not unlearn it
        device = self.create_or_update_device(address, address, name, advertisement.address, data)
        self.call_detection_callbacks(device, data)
