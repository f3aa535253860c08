"""From a notification to readings that say whose they are and when they arrived."""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from strapline_bridge import steps
from strapline_bridge.clock import SystemWallClock, WallClock
from strapline_bridge.decoders import DECODERS, Decoder, UndecodableError
from strapline_bridge.radio import LinkChange, LinkState, Notification, RadioEvent
from strapline_bridge.readings import Reading
from strapline_bridge.steps import Counter, StepState, Total

_log = logging.getLogger(__name__)

#: Refusals are counted by characteristic; a wearable cannot invent more than are decoded.
_UNKNOWN_CHARACTERISTIC: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A reading as the outbox takes it.

    Attributes:
        user: who wore the device when it arrived.
        device: the wearable's random id.
        boot_ns: boot clock at arrival.
        on_change: the device speaks only when something changes.
        counter: for steps, the count that this total belongs to.
        step_state: for steps, what to save in the same transaction as the reading.
    """

    user: str
    device: str
    boot_ns: int
    reading: Reading
    on_change: bool = False
    counter: Counter | None = None
    step_state: StepState | None = None


class Intake:
    """The radio's sink: decodes and stamps inside the callback, and hands on.

    Stamping happens here and not where the reading is stored, so that a strap which changes
    hands while the disk is slow gives nobody somebody else's heart beat.

    Attributes:
        undecodable: refused values, by characteristic.
        unclaimed: notifications of devices that nobody wears.
    """

    def __init__(
        self,
        wearer_of: Callable[[str], str | None],
        deliver: Callable[[Arrived | LinkChange], None],
        remembered: Mapping[str, StepState],
        *,
        boot_id: str,
        wall_clock: WallClock | None = None,
        decoders: Mapping[str, Decoder] = DECODERS,
    ) -> None:
        """Set up.

        Args:
            wearer_of: the user who wears a device now, by its id; ``None`` when nobody does.
            deliver: takes each reading and each change of a link, without waiting.
            remembered: step states of earlier runs, by device id.
            boot_id: this boot of the machine, from :func:`strapline_bridge.clock.boot_id`.
            wall_clock: says when a step total came, for the run after the next boot.
            decoders: the wire formats, by characteristic.
        """
        self._wearer_of = wearer_of
        self._deliver = deliver
        self._boot_id = boot_id
        self._wall_clock = SystemWallClock() if wall_clock is None else wall_clock
        self._decoders = decoders
        self._steps = dict(remembered)
        self._after_outage = set(self._steps)
        self.undecodable: collections.Counter[str] = collections.Counter()
        self.unclaimed = 0

    def __call__(self, event: RadioEvent) -> None:
        """Take an event from the radio. Raises nothing: a bad packet must not end the run."""
        if isinstance(event, LinkChange):
            if event.state is LinkState.SEARCHING:
                self._after_outage.add(event.device_id)
            self._deliver(event)
            return
        arrived = self.interpret(event)
        if arrived is not None:
            self._deliver(arrived)

    def interpret(self, notification: Notification) -> Arrived | None:
        """The reading in a notification; ``None`` when there is none, which is then counted."""
        user = self._wearer_of(notification.device_id)
        if user is None:
            self.unclaimed += 1
            return None
        decoder = self._decoders.get(notification.characteristic)
        if decoder is None:
            self._refuse(_UNKNOWN_CHARACTERISTIC, "no decoder knows this characteristic")
            return None
        try:
            reading = decoder.decode(notification.value)
        except UndecodableError as error:
            self._refuse(notification.characteristic, error.reason)
            return None
        except Exception:  # noqa: BLE001  # a decoder's bug must cost one reading, not the run
            self.undecodable[notification.characteristic] += 1
            _log.exception("the decoder of %s failed", notification.characteristic)
            return None
        arrived = Arrived(
            user=user,
            device=notification.device_id,
            boot_ns=notification.boot_ns,
            reading=reading,
            on_change=notification.speaks_on_change or decoder.on_change,
        )
        if decoder.field_bits is None or not isinstance(reading.value, int):
            return arrived
        return self._counted(arrived, reading, reading.value, decoder.field_bits)

    def _counted(self, arrived: Arrived, reading: Reading, total: int, field_bits: int) -> Arrived:
        device = arrived.device
        last = self._steps.get(device)
        counted = steps.count(
            Total(
                device=device,
                user=arrived.user,
                steps=total,
                field_bits=field_bits,
                wall_ms=self._wall_clock.now_ms(),
                boot_ns=arrived.boot_ns,
                boot_id=self._boot_id,
                outage=device in self._after_outage,
            ),
            last,
        )
        self._after_outage.discard(device)
        self._steps[device] = counted.state
        if last is not None and counted.state.counter != last.counter:
            _log.info("device %s: its step count began anew", device)
        if counted.quality:
            reading = replace(reading, quality=reading.quality + counted.quality)
        return replace(
            arrived, reading=reading, counter=counted.state.counter, step_state=counted.state
        )

    def _refuse(self, characteristic: str, reason: str) -> None:
        self.undecodable[characteristic] += 1
        refused = self.undecodable[characteristic]
        # At 1, 2, 4, 8 …: said at once, and never a log full of the same.
        if refused & (refused - 1) == 0:
            _log.warning(
                "%d values of characteristic %s refused: %s", refused, characteristic[:8], reason
            )
