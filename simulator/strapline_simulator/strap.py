"""A strap that is not there: a real GATT server, a wearer, and the means to vex both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date

from strapline_simulator import gatt_database, uuids
from strapline_simulator.air import Air
from strapline_simulator.ledger import DEFAULT_LEDGER_SIZE, Ledger, Sent
from strapline_simulator.outgoing import Outgoing
from strapline_simulator.peripheral import Peripheral
from strapline_simulator.profiles import Profile
from strapline_simulator.recording import Recording
from strapline_simulator.sensors import BatterySensor, HeartSensor, StepSensor


class VirtualStrap:
    """A strap or watch on the virtual air, for one central at a time.

    It advertises while it is awake and not connected, as real ones do. ``tick`` lets its
    wearer live for a while and notifies what is due; a simulation with a pace calls it by the
    clock. All controls are coroutines and have taken effect at the strap when they return; the
    central learns of it through its own radio, as it would from a real strap.

    Attributes:
        profile: what it is.
        ledger: what it sent, see there.
    """

    def __init__(
        self,
        air: Air,
        profile: Profile,
        *,
        address: str,
        recording: Recording,
        advertising_interval_ms: float = 100.0,
        today: Callable[[], date] = date.today,
        ledger_size: int = DEFAULT_LEDGER_SIZE,
    ) -> None:
        self.profile = profile
        self.ledger = Ledger(ledger_size)
        self._radio = Peripheral(
            air, profile, address=address, advertising_interval_ms=advertising_interval_ms
        )
        self._heart = HeartSensor(profile, recording) if profile.heart_rate else None
        self._steps = StepSensor(profile, today) if profile.steps else None
        self._battery = BatterySensor(profile) if profile.has_battery else None
        self._twins = {twin: twin.make(profile, today) for twin in profile.twins}
        database = gatt_database.build(
            profile, self._heart, self._steps, self._battery, self._twins
        )
        self._radio.device.add_services(database.services)
        self._outgoing = Outgoing(self._radio.device.gatt_server, database.notifying, self.ledger)
        self._radio.controller.on_taken = self._outgoing.on_taken
        self._radio.on_link_gone = self._outgoing.on_link_gone

    async def start(self) -> None:
        """Switch on and advertise."""
        await self._radio.start()

    async def close(self) -> None:
        """Switch off and leave nothing running."""
        await self._radio.close()

    # What it is.

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def address(self) -> str:
        """As bleak shows it."""
        return self._radio.address

    @property
    def provenance(self) -> str:
        """Which of its readings were recorded and which were made up, for people to read."""
        sources = [sensor.source for sensor in (self._heart, self._steps) if sensor is not None]
        sources += [sensor.source for sensor in self._twins.values() if sensor.source]
        if self._battery is not None:
            sources.append("simulated battery")
        return "; ".join(dict.fromkeys(sources))

    @property
    def sent(self) -> list[Sent]:
        """The notifications that arrived at the central, in order; see ``Ledger``."""
        return self.ledger.entries

    @property
    def is_connected(self) -> bool:
        return self._radio.connection is not None

    @property
    def is_awake(self) -> bool:
        return self._radio.is_awake

    def is_subscribed(self, characteristic: str) -> bool:
        """Whether a central is connected and has asked for this characteristic.

        Raises:
            ValueError: the strap has no such characteristic.
        """
        return self._outgoing.is_subscribed(self._radio.connection, characteristic)

    # What it sends.

    async def push(self, characteristic: str, value: bytes) -> bool:
        """Notify exactly these bytes.

        Returns:
            Whether they arrived: a central was subscribed, and the link held. The central's
            callback has then been called.

        Raises:
            ValueError: no such characteristic, or the value does not fit the link.
        """
        return await self._notify(characteristic, value)

    async def notify_heart_rate(
        self, bpm: int, *, rr_ms: Sequence[float] = (), contact: bool | None = None
    ) -> bool:
        """Notify a heart rate; the contact bit follows ``take_off`` unless it is given.

        Raises:
            ValueError: the strap has no heart rate service, or a value is out of range.
        """
        value = self._require_heart().encode(bpm, rr_ms, contact)
        return await self.push(uuids.HEART_RATE_MEASUREMENT, value)

    async def notify_steps(self, total: int) -> bool:
        """Notify a total of steps, from which the walk goes on.

        Raises:
            ValueError: the strap does not count steps, or the total is out of range.
        """
        if self._steps is None:
            raise ValueError(f"{self.name} does not count steps: give its profile steps=True")
        return await self.push(uuids.STEP_COUNT, self._steps.set_total(total))

    async def set_battery(self, percent: float) -> bool:
        """Set the battery's level and notify it.

        Raises:
            ValueError: not a percentage, or the strap replays another's battery.
        """
        if self._battery is None:
            raise ValueError(f"{self.name} has no battery of its own to set")
        return await self.push(uuids.BATTERY_LEVEL, self._battery.set(percent))

    async def tick(
        self, seconds: float = 1.0, *, elapsed_s: float | None = None, wait: bool = True
    ) -> None:
        """Let the wearer live for some seconds, and notify what is due.

        Args:
            seconds: of the recorded heart.
            elapsed_s: of everything else, if the recording is played faster than life.
            wait: until what was sent has arrived, or is lost. A clock does not wait.
        """
        elapsed_s = seconds if elapsed_s is None else elapsed_s
        due: list[tuple[str, bytes | None]] = []
        if self._heart is not None:
            due.append((uuids.HEART_RATE_MEASUREMENT, self._heart.advance(seconds)))
        if self._steps is not None:
            due.append((uuids.STEP_COUNT, self._steps.advance(elapsed_s)))
        if self._battery is not None:
            due.append((uuids.BATTERY_LEVEL, self._battery.advance(elapsed_s)))
        for twin, sensor in self._twins.items():
            due += [(twin.characteristic, value) for value in sensor.advance(elapsed_s)]
        arrivals = [self._notify(uuid, value) for uuid, value in due if value is not None]
        if wait:
            await asyncio.gather(*arrivals)
        await self._sleep_if_off_body()

    # What may happen to it.

    async def leave(self) -> None:
        """Go out of range. The link breaks after the air's supervision timeout."""
        await self._radio.leave()

    async def come_back(self) -> None:
        """Come into range again."""
        self._radio.come_back()

    async def drop_link(self) -> None:
        """Break the link, as interference does; the strap then advertises again."""
        await self._radio.break_link()

    async def sleep(self) -> None:
        """Disconnect and stop advertising."""
        await self._radio.set_awake(False)

    async def wake(self) -> None:
        """Advertise again."""
        await self._radio.set_awake(True)

    async def take_off(self) -> None:
        """Take it off the body: no contact, for a moment the last rate, then none."""
        self._require_heart().worn = False

    async def put_on(self) -> None:
        """Put it on again; a strap that slept wakes."""
        self._require_heart().worn = True
        await self.wake()

    # What a test may wait for.

    async def wait_connected(self) -> None:
        await self._radio.wait_for(lambda: self.is_connected)

    async def wait_disconnected(self) -> None:
        await self._radio.wait_for(lambda: not self.is_connected)

    async def wait_subscribed(self, characteristic: str) -> None:
        """Wait until a central has asked for this characteristic.

        Raises:
            ValueError: the strap has no such characteristic.
        """
        await self._radio.wait_for(lambda: self.is_subscribed(characteristic))

    def _notify(self, characteristic: str, value: bytes) -> asyncio.Future[bool]:
        return self._outgoing.notify(self._radio.connection, characteristic, value)

    async def _sleep_if_off_body(self) -> None:
        limit_s = self.profile.off_body_sleep_s
        if self._heart is None or limit_s is None or not self.is_awake:
            return
        if self._heart.off_body_s >= limit_s:
            await self.sleep()

    def _require_heart(self) -> HeartSensor:
        if self._heart is None:
            raise ValueError(f"{self.name} has no heart rate: give its profile heart_rate=True")
        return self._heart
