"""The link to one wearable: found, connected, armed, watched over, lost, and found again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from bleak import BleakClient
from bleak.backends.device import BLEDevice

from strapline_bridge.clock import BootClock
from strapline_bridge.decoders import Decoder, Description
from strapline_bridge.radio import arming
from strapline_bridge.radio.backend import RadioBackend
from strapline_bridge.radio.ending import to_the_end
from strapline_bridge.radio.errors import TRANSIENT, failure_class
from strapline_bridge.radio.events import (
    Heard,
    LinkChange,
    LinkState,
    NoticeSink,
    Notification,
    Offered,
    RadioEvent,
    RadioNotice,
    RadioSink,
)
from strapline_bridge.radio.finder import Finder
from strapline_bridge.radio.polls import Polls
from strapline_bridge.radio.timing import Timing

_log = logging.getLogger(__name__)

_NS_PER_S: Final = 1_000_000_000


def ignore_notice(notice: RadioNotice) -> None:
    """For whoever does not ask why no link stands."""


class Target(Protocol):
    """What the radio needs to know of a wearable."""

    @property
    def device(self) -> str:
        """Its random id."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it can be found."""
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What the links of one radio have in common.

    Attributes:
        connecting: held while a link is being made; a controller makes one at a time.
        random: in [0, 1), for the jitter.
    """

    backend: RadioBackend
    finder: Finder
    connecting: asyncio.Semaphore
    sink: RadioSink
    clock: BootClock
    decoders: Mapping[str, Decoder]
    descriptions: Mapping[str, Description]
    timing: Timing
    random: Callable[[], float]
    notice: NoticeSink = ignore_notice


class Link:
    """One wearable's link, for as long as the wearable is chosen."""

    def __init__(self, target: Target, shared: Shared) -> None:
        self._device_id = target.device
        self._addresses = target.addresses
        self._shared = shared
        self._state: LinkState | None = None
        self._gone = asyncio.Event()
        self._worthwhile = False
        self._heard_ns = 0
        self._described = False
        # The last value read of each characteristic, and which have ever notified, on this link.
        self._values: dict[str, bytes] = {}
        self._notifying: set[str] = set()

    async def run(self) -> None:
        """Keep the link, for ever; cancelling this disconnects."""
        shared = self._shared
        failures = 0
        self._announce(LinkState.SEARCHING)
        while True:
            device = await shared.finder.find(self._addresses)
            self._worthwhile = False
            try:
                shared.notice(Heard(self._device_id, shared.clock.now_ns()))
                client = await self._connect(device)
                if client is None:
                    continue
                await self._session(client)
            except TRANSIENT as error:
                _log.info("device %s: not reached: %s", self._device_id, failure_class(error))
            except Exception:  # noqa: BLE001  # one wearable's oddity must not end the others' links
                _log.exception("device %s: unexpected", self._device_id)
            # A device that is there but brings nothing is left alone for longer and longer.
            failures = 0 if self._worthwhile else failures + 1
            if failures:
                await asyncio.sleep(shared.timing.backoff_s(failures, shared.random()))

    async def _connect(self, device: BLEDevice) -> BleakClient | None:
        """A link that was just made; ``None`` if its turn came too late to try."""
        shared = self._shared
        loop = asyncio.get_running_loop()
        found_s = loop.time()
        async with shared.connecting:
            if loop.time() - found_s > shared.timing.stale_s:
                return None
            async with shared.finder.resting(), asyncio.timeout(shared.timing.connect_s):
                return await shared.backend.connect(device, self._device_id, self._lost)

    async def _session(self, client: BleakClient) -> None:
        """Arm and watch, until the link is gone or no good."""
        shared = self._shared
        began_ns = self._heard_ns = shared.clock.now_ns()
        try:
            # Failed attempts on the way here have called _lost too.
            self._gone.clear()
            self._values.clear()
            self._notifying.clear()
            if client.is_connected:
                self._announce(LinkState.CONNECTED, arming.offered(client))
                await self._use(client)
        finally:
            self._announce(LinkState.SEARCHING)
            lasted_s = (shared.clock.now_ns() - began_ns) / _NS_PER_S
            self._worthwhile = self._worthwhile or lasted_s >= shared.timing.worth_s
            await self._disconnect(client)

    async def _use(self, client: BleakClient) -> None:
        shared, operation_s = self._shared, self._shared.timing.operation_s
        armed = await arming.arm(client, shared.decoders, self, operation_s)
        if armed.listening or armed.polled:
            _log.info("device %s: connected", self._device_id)
            if not self._described:
                # Once a run: a strap that drops every half minute is not asked each time.
                await arming.describe(client, shared.descriptions, self, operation_s)
                self._described = not self._gone.is_set()
            await self._watch(client, armed)
            _log.info("device %s: link ended", self._device_id)
        elif not self._gone.is_set():
            _log.warning("device %s: connected, but offers nothing known", self._device_id)

    async def _watch(self, client: BleakClient, armed: arming.Armed) -> None:
        """Return once the link is lost, or says that it is there and is not."""
        timing = self._shared.timing
        silence_s = timing.steady_silence_s if armed.steady else timing.quiet_silence_s
        asked_ns = self._shared.clock.now_ns()
        polls = self._polls(asked_ns)
        while not await self._gone_within(min(silence_s, polls.shortest_s(armed)) / 2):
            now_ns = self._shared.clock.now_ns()
            await self._poll(client, armed, polls, now_ns)
            if now_ns - max(self._heard_ns, asked_ns) < silence_s * _NS_PER_S:
                continue
            asked_ns = now_ns
            silent_s = (now_ns - self._heard_ns) / _NS_PER_S
            if armed.steady and silent_s >= timing.steady_limit_s:
                _log.info("device %s: connected but silent: made anew", self._device_id)
                return
            if not await arming.answers(client, armed, timing.operation_s):
                _log.info("device %s: said to be connected, but is gone", self._device_id)
                return

    def _polls(self, began_ns: int) -> Polls:
        totals = frozenset(
            uuid for uuid, one in self._shared.decoders.items() if one.field_bits is not None
        )
        return Polls(self._shared.timing, totals, began_ns)

    async def _poll(
        self, client: BleakClient, armed: arming.Armed, polls: Polls, now_ns: int
    ) -> None:
        operation_s = self._shared.timing.operation_s
        for characteristic in polls.due(armed, now_ns):
            await arming.read(client, characteristic, self, operation_s, on_change=True)
        for characteristic in polls.doubtful_due(armed, now_ns):
            uuid = characteristic.uuid
            if uuid in self._notifying:
                armed.doubtful.remove(characteristic)
            elif await arming.is_mute(
                client, characteristic, self._values.get(uuid), self, operation_s
            ):
                _log.info("device %s: %s does not notify: polled", self._device_id, uuid[:8])
                armed.doubtful.remove(characteristic)
                armed.polled.append(characteristic)

    async def _gone_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            return False
        return True

    async def _disconnect(self, client: BleakClient) -> None:
        try:
            await to_the_end(client.disconnect(), self._shared.timing.operation_s)
        except TRANSIENT as error:
            _log.info("device %s: disconnecting: %s", self._device_id, failure_class(error))

    def notified(self, characteristic: str, value: bytes, *, on_change: bool) -> None:
        """Take what the wearable sent; called inside the stack's callback."""
        self._worthwhile = True
        self._notifying.add(characteristic)
        self._arrived(characteristic, value, on_change, was_read=False)

    def was_read(self, characteristic: str, value: bytes, *, on_change: bool) -> None:
        """Take what the wearable answered."""
        self._values[characteristic] = value
        self._arrived(characteristic, value, on_change, was_read=True)

    def _arrived(self, characteristic: str, value: bytes, on_change: bool, was_read: bool) -> None:
        now_ns = self._heard_ns = self._shared.clock.now_ns()
        self._emit(
            Notification(self._device_id, characteristic, value, now_ns, on_change, was_read)
        )

    def _lost(self, _: BleakClient) -> None:
        self._gone.set()
        self._announce(LinkState.SEARCHING)

    def _announce(self, state: LinkState, offered: tuple[Offered, ...] = ()) -> None:
        if state is not self._state:
            self._state = state
            self._emit(LinkChange(self._device_id, state, self._shared.clock.now_ns(), offered))

    def _emit(self, event: RadioEvent) -> None:
        try:
            self._shared.sink(event)
        except Exception:  # noqa: BLE001  # a fault further down must not leave a link standing
            _log.exception("device %s: an event was not taken", self._device_id)
