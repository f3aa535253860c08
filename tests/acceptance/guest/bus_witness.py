"""Listens to bluetoothd's own signals: what it hands to bleak, written down beside bleak."""

from __future__ import annotations

from typing import Any, Final

from dbus_fast.aio.message_bus import MessageBus
from dbus_fast.constants import BusType, MessageType
from dbus_fast.message import Message
from dbus_fast.signature import Variant

BLUEZ: Final = "org.bluez"
ADAPTER: Final = "/org/bluez/hci0"
_CHARACTERISTIC: Final = "org.bluez.GattCharacteristic1"
_DEVICE: Final = "org.bluez.Device1"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_OBJECTS: Final = "org.freedesktop.DBus.ObjectManager"
_MATCH: Final = (
    f"type='signal',sender='{BLUEZ}',interface='{_PROPERTIES}',member='PropertiesChanged'",
    f"type='signal',sender='{BLUEZ}',interface='{_OBJECTS}',member='InterfacesAdded'",
)


class BusWitness:
    """What bluetoothd announced of one characteristic.

    Attributes:
        links: one list for each link that it announced, of the values that came in it.
    """

    def __init__(self, characteristic: str) -> None:
        self.links: list[list[bytes]] = []
        self._characteristic = characteristic
        self._paths: set[str] = set()
        self._bus: MessageBus | None = None

    async def start(self) -> None:
        """Listen from now on, until the process ends."""
        bus = self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        bus.add_message_handler(self._on_message)
        for rule in _MATCH:
            await self._call("org.freedesktop.DBus", "/org/freedesktop/DBus", "AddMatch", rule)

    async def is_powered(self) -> bool:
        """Whether the adapter is there and on."""
        answer = await self._call(
            BLUEZ,
            ADAPTER,
            "Get",
            "org.bluez.Adapter1",
            "Powered",
            interface=_PROPERTIES,
        )
        return answer is not None and bool(answer[0].value)

    async def _call(
        self, destination: str, path: str, member: str, *arguments: str, interface: str = ""
    ) -> list[Any] | None:
        """The answer's body; None when it is an error."""
        assert self._bus is not None
        answer = await self._bus.call(
            Message(
                destination=destination,
                path=path,
                interface=interface or destination,
                member=member,
                signature="s" * len(arguments),
                body=list(arguments),
            )
        )
        assert answer is not None
        return None if answer.message_type is MessageType.ERROR else answer.body

    def _on_message(self, message: Message) -> None:
        if message.member == "InterfacesAdded":
            path, interfaces = message.body
            self._learn(path, interfaces.get(_CHARACTERISTIC, {}))
        elif message.member == "PropertiesChanged":
            interface, changed, _ = message.body
            self._note(str(message.path), interface, changed)

    def _learn(self, path: str, properties: dict[str, Variant]) -> None:
        if properties and properties["UUID"].value == self._characteristic:
            self._paths.add(path)

    def _note(self, path: str, interface: str, changed: dict[str, Variant]) -> None:
        if interface == _DEVICE and "Connected" in changed and changed["Connected"].value:
            self.links.append([])
        elif interface == _CHARACTERISTIC and path in self._paths and "Value" in changed:
            self.links[-1].append(bytes(changed["Value"].value))
