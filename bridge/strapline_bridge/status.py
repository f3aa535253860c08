"""What a bridge tells of itself: its wearables, what is still to come, what its time rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from strapline_bridge.intake import Arrived, Described
from strapline_bridge.outbox import OutboxObserver, OutboxStatus, Row
from strapline_bridge.radio import LinkChange, LinkState
from strapline_bridge.readings import Quality
from strapline_bridge.uplink import UplinkState
from strapline_bridge.uplink.leaving import looks_like_address
from strapline_bridge.wearables import Wearable
from strapline_protocol.metrics import GAP
from strapline_protocol.publishing import (
    ClockStatus,
    DeviceAbout,
    DeviceState,
    DeviceStatus,
    Moment,
    Status,
)

_NS_PER_MS: Final = 1_000_000
#: What a wearable is called whose owner named it by its address.
_NAMELESS: Final = "wearable"


@dataclass(frozen=True, slots=True)
class BridgeStatus:
    """How a bridge stands, for its own machine: more than what it tells a server.

    Attributes:
        problem: why the radio finds nothing at present, or None.
    """

    devices: Sequence[DeviceStatus]
    pending: int
    oldest_pending_ms: int
    clock: ClockStatus
    outbox: OutboxStatus
    uplink: UplinkState
    problem: str | None

    def message(self, request: str | None = None) -> Status:
        """What of it the server is told."""
        return Status(
            devices=list(self.devices),
            pending=self.pending,
            oldest_pending_ms=self.oldest_pending_ms,
            clock=self.clock,
            request=request,
        )


@dataclass(slots=True)
class _Device:
    state: DeviceState
    since_ns: int
    battery: int | None = None
    last: Moment | None = None
    about: DeviceAbout | None = None


class DeviceBoard(OutboxObserver):
    """The state of each wearable, from its link and from what it measures.

    A wearable that is connected and says that it feels no skin is ``notWorn``.
    """

    def __init__(self, now_ns: int) -> None:
        self._began_ns = now_ns
        self._devices: dict[str, _Device] = {}

    def link_changed(self, change: LinkChange) -> bool:
        """A link came or went. Whether the state is another one now."""
        connected = change.state is LinkState.CONNECTED
        state = DeviceState.CONNECTED if connected else DeviceState.SEARCHING
        return self._set(change.device_id, state, change.boot_ns)

    def arrived(self, arrived: Arrived) -> bool:
        """A reading came. Whether something that STATUS tells is another now."""
        reading = arrived.reading
        changed = False
        if reading.metric == "battery" and isinstance(reading.value, int):
            device = self._device(arrived.device)
            changed = device.battery != reading.value
            device.battery = reading.value if 0 <= reading.value <= 100 else None
        contact = reading.columns.get("contact")
        if contact is not None and self._device(arrived.device).state in _LINKED:
            off = contact is False or Quality.NO_CONTACT in reading.quality
            state = DeviceState.NOT_WORN if off else DeviceState.CONNECTED
            changed = self._set(arrived.device, state, arrived.boot_ns) or changed
        return changed

    def described(self, described: Described) -> bool:
        """A wearable said something of itself. Whether it is news."""
        if looks_like_address(described.text):
            return False
        device = self._device(described.device)
        about = device.about or DeviceAbout()
        device.about = about.model_copy(update={described.field: described.text})
        return device.about != about

    def committed(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.series.metric == GAP.name:
                continue  # a statement about the past: the device has said nothing
            moment = Moment(stream=row.stream, elapsed_ms=sum(row.series.elapsed_ms))
            self._device(row.series.device).last = moment

    def forget(self, device: str) -> None:
        """The wearable is no longer one of this bridge's."""
        self._devices.pop(device, None)

    def describe(
        self, wearables: Iterable[Wearable], now_ns: int, oldest_pending: Moment | None
    ) -> list[DeviceStatus]:
        """One entry for each wearable.

        All readings of a device up to ``completeThrough`` are with the server or accounted for:
        a hole before it is lost, one after it may still be filled.
        """
        described = []
        for wearable in wearables:
            device = self._device(wearable.device)
            complete = device.last
            if oldest_pending is not None:
                complete = oldest_pending.model_copy(
                    update={"elapsed_ms": oldest_pending.elapsed_ms - 1}
                )
            described.append(
                DeviceStatus(
                    device=wearable.device,
                    user=wearable.user,
                    name=_NAMELESS if looks_like_address(wearable.name) else wearable.name,
                    state=device.state,
                    state_age_ms=max(0, now_ns - device.since_ns) // _NS_PER_MS,
                    battery=device.battery,
                    about=device.about,
                    last=device.last,
                    complete_through=complete,
                )
            )
        return described

    def _device(self, device: str) -> _Device:
        return self._devices.setdefault(device, _Device(DeviceState.SEARCHING, self._began_ns))

    def _set(self, name: str, state: DeviceState, at_ns: int) -> bool:
        device = self._device(name)
        if device.state is state:
            return False
        device.state, device.since_ns = state, at_ns
        return True


_LINKED: Final = frozenset({DeviceState.CONNECTED, DeviceState.NOT_WORN})
