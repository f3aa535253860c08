"""A small ``org.bluez`` on a private message bus, for bleak's own BlueZ backend to talk to.

It answers what a central asks of adapter, device and characteristic (BlueZ's ``doc/``), and
fails where a test says so: what a real bluetoothd does not do on demand.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Final

from dbus_fast.aio.message_bus import MessageBus
from dbus_fast.constants import MessageType
from dbus_fast.message import Message
from dbus_fast.signature import Variant

ADAPTER: Final = "/org/bluez/hci0"
_ADAPTER: Final = "org.bluez.Adapter1"
_DEVICE: Final = "org.bluez.Device1"
_SERVICE: Final = "org.bluez.GattService1"
_CHARACTERISTIC: Final = "org.bluez.GattCharacteristic1"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_OBJECTS: Final = "org.freedesktop.DBus.ObjectManager"

_Properties = dict[str, Variant]
_Answer = tuple[str, list[Any]]
_NOTHING: Final[_Answer] = ("", [])


class _RefusedError(Exception):
    """Answered with a D-Bus error of this name."""


class FakeDevice:
    """A peripheral as BlueZ shows it.

    Attributes:
        connect_errors: names of the errors that the next calls of Connect end with.
        calls: names of the methods that were called on it and what is below it.
    """

    def __init__(self, bluez: FakeBluez, address: str, services: dict[str, list[str]]) -> None:
        self._bluez = bluez
        self._services = services
        self._paths: dict[str, str] = {}
        self.path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        self.connect_errors: list[str] = []
        self.calls: list[str] = []
        bluez.add(
            self.path,
            _DEVICE,
            Address=Variant("s", address),
            AddressType=Variant("s", "random"),
            Alias=Variant("s", "strap"),
            Name=Variant("s", "strap"),
            Paired=Variant("b", False),
            Bonded=Variant("b", False),
            Trusted=Variant("b", False),
            Blocked=Variant("b", False),
            LegacyPairing=Variant("b", False),
            Connected=Variant("b", False),
            ServicesResolved=Variant("b", False),
            UUIDs=Variant("as", [*services, "00001801-0000-1000-8000-00805f9b34fb"]),
            Adapter=Variant("o", ADAPTER),
            RSSI=Variant("n", -60),
        )

    @property
    def connected(self) -> bool:
        return bool(self._bluez.objects[self.path][_DEVICE]["Connected"].value)

    def advertise(self) -> None:
        """Be heard once more."""
        rssi = self._bluez.objects[self.path][_DEVICE]["RSSI"].value
        self._bluez.change(self.path, _DEVICE, RSSI=Variant("n", -121 - rssi))

    def link(self) -> None:
        """Be connected, with all services discovered."""
        self._bluez.change(self.path, _DEVICE, Connected=Variant("b", True))
        handle = itertools.count(1)  # bleak reads handles from the ends of paths
        for uuid, characteristics in self._services.items():
            service = f"{self.path}/service{next(handle):04x}"
            self._bluez.add(
                service,
                _SERVICE,
                UUID=Variant("s", uuid),
                Device=Variant("o", self.path),
                Primary=Variant("b", True),
                Includes=Variant("ao", []),
            )
            for characteristic in characteristics:
                path = f"{service}/char{next(handle):04x}"
                self._paths[characteristic] = path
                self._bluez.add(
                    path,
                    _CHARACTERISTIC,
                    UUID=Variant("s", characteristic),
                    Service=Variant("o", service),
                    Value=Variant("ay", b""),
                    Notifying=Variant("b", False),
                    Flags=Variant("as", ["read", "notify"]),
                    MTU=Variant("q", 247),
                )
        self._bluez.change(self.path, _DEVICE, ServicesResolved=Variant("b", True))

    def unlink(self) -> None:
        """Lose the link, and with it all subscriptions."""
        for path in self._paths.values():
            self._bluez.change(path, _CHARACTERISTIC, Notifying=Variant("b", False))
        self._bluez.change(self.path, _DEVICE, ServicesResolved=Variant("b", False))
        self._bluez.change(self.path, _DEVICE, Connected=Variant("b", False))

    def notifies(self, characteristic: str) -> bool:
        path = self._paths.get(characteristic)
        return path is not None and bool(
            self._bluez.objects[path][_CHARACTERISTIC]["Notifying"].value
        )

    def notify(self, characteristic: str, value: bytes) -> None:
        self._bluez.change(self._paths[characteristic], _CHARACTERISTIC, Value=Variant("ay", value))

    def answer(self, path: str, member: str) -> _Answer:
        """Answer a call on the device or a characteristic of it."""
        self.calls.append(member)
        if member == "Connect":
            if self.connect_errors:
                raise _RefusedError(self.connect_errors.pop(0))
            self.link()
        elif member == "Disconnect":
            self.unlink()
        elif member in {"StartNotify", "StopNotify"}:
            on = Variant("b", member == "StartNotify")
            self._bluez.change(path, _CHARACTERISTIC, Notifying=on)
        elif member == "ReadValue":
            return "ay", [b"\x50"]
        else:
            raise _RefusedError("org.freedesktop.DBus.Error.UnknownMethod")
        return _NOTHING


class FakeBluez:
    """The service with one adapter.

    Attributes:
        objects: by path and interface, as GetManagedObjects gives them.
        scan_errors: names of the errors that the next calls of StartDiscovery end with.
    """

    def __init__(self) -> None:
        self._bus: MessageBus | None = None
        self._devices: list[FakeDevice] = []
        self.objects: dict[str, dict[str, _Properties]] = {}
        self.scan_errors: list[str] = []
        self.scans = 0
        self.add(
            ADAPTER,
            _ADAPTER,
            Address=Variant("s", "00:11:22:33:44:55"),
            Alias=Variant("s", "host"),
            Name=Variant("s", "host"),
            Powered=Variant("b", True),
            Discovering=Variant("b", False),
            Roles=Variant("as", ["central"]),
        )

    async def start(self, bus_address: str) -> None:
        bus = MessageBus(bus_address=bus_address)
        await bus.connect()
        bus.add_message_handler(self._handle)
        await bus.request_name("org.bluez")
        self._bus = bus

    async def stop(self) -> None:
        if self._bus is not None:
            self._bus.disconnect()
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's

    @property
    def discovering(self) -> bool:
        return bool(self.objects[ADAPTER][_ADAPTER]["Discovering"].value)

    def device(self, address: str, services: dict[str, list[str]]) -> FakeDevice:
        """Make a peripheral that was heard."""
        device = FakeDevice(self, address, services)
        self._devices.append(device)
        return device

    def power(self, on: bool) -> None:
        self.change(ADAPTER, _ADAPTER, Powered=Variant("b", on))

    def add(self, path: str, interface: str, **properties: Variant) -> None:
        self.objects[path] = {interface: properties}
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, self.objects[path]])

    def change(self, path: str, interface: str, **properties: Variant) -> None:
        self.objects[path][interface].update(properties)
        self._signal(
            path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, properties, []]
        )

    def _signal(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        if self._bus is not None:
            self._bus.send(
                Message(
                    message_type=MessageType.SIGNAL,
                    path=path,
                    interface=interface,
                    member=member,
                    signature=signature,
                    body=body,
                )
            )

    def _handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        try:
            signature, body = self._answer(message)
        except _RefusedError as error:
            return Message.new_error(message, str(error), "refused by the test")
        return Message.new_method_return(message, signature, body)

    def _answer(self, message: Message) -> _Answer:
        path, member = message.path or "", message.member or ""
        if member == "GetManagedObjects":
            return "a{oa{sa{sv}}}", [self.objects]
        if path == ADAPTER:
            return self._answer_adapter(member)
        for device in self._devices:
            if path.startswith(device.path):
                return device.answer(path, member)
        raise _RefusedError("org.freedesktop.DBus.Error.UnknownObject")

    def _answer_adapter(self, member: str) -> _Answer:
        if member == "StartDiscovery":
            if self.scan_errors:
                raise _RefusedError(self.scan_errors.pop(0))
            self.scans += 1
            self.change(ADAPTER, _ADAPTER, Discovering=Variant("b", True))
            asyncio.get_running_loop().call_soon(self._advertise)
        elif member == "StopDiscovery":
            self.change(ADAPTER, _ADAPTER, Discovering=Variant("b", False))
        elif member != "SetDiscoveryFilter":
            raise _RefusedError("org.freedesktop.DBus.Error.UnknownMethod")
        return _NOTHING

    def _advertise(self) -> None:
        for device in self._devices:
            if not device.connected:
                device.advertise()


async def until(holds: Callable[[], bool], within_s: float = 20) -> None:
    """Wait for something on the far side of a bus."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.005)
