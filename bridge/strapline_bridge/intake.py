"""From a notification to readings that say whose they are and when they arrived."""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from strapline_bridge.clock import SystemWallClock, WallClock
from strapline_bridge.counting import StepCounting, local_midnight_ms
from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, Decoder, UndecodableError
from strapline_bridge.decoders.describing import shareable
from strapline_bridge.doubts import HeartDoubts
from strapline_bridge.radio import LinkChange, LinkState, Notification, RadioEvent
from strapline_bridge.readings import Reading
from strapline_bridge.steps import Counter, StepState

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


@dataclass(frozen=True, slots=True)
class Described:
    """What a wearable said of itself.

    Attributes:
        field: its name in :class:`strapline_protocol.publishing.DeviceAbout`.
    """

    device: str
    field: str
    text: str


class Intake:
    """The radio's sink: decodes and stamps inside the callback, and hands on.

    Stamping happens here and not where the reading is stored, so that a strap which changes
    hands while the disk is slow gives nobody somebody else's heart beat.

    Attributes:
        counting: who counts the wearers' steps.
        undecodable: refused values, by characteristic.
        unclaimed: notifications of devices that nobody wears.
    """

    def __init__(
        self,
        wearer_of: Callable[[str], str | None],
        deliver: Callable[[Arrived | LinkChange | Described], None],
        remembered: Mapping[str, StepState],
        *,
        boot_id: str,
        wall_clock: WallClock | None = None,
        decoders: Mapping[str, Decoder] = DECODERS,
        midnight_ms: Callable[[int], int] = local_midnight_ms,
    ) -> None:
        """Set up.

        Args:
            wearer_of: the user who wears a device now, by its id; ``None`` when nobody does.
            deliver: takes each reading, each change of a link and what wearables say of
                themselves, without waiting.
            remembered: step states of earlier runs, by device id.
            boot_id: this boot of the machine, from :func:`strapline_bridge.clock.boot_id`.
            wall_clock: says when a step total came, for the run after the next boot.
            decoders: the wire formats, by characteristic.
            midnight_ms: the wearers' midnight before a wall time.
        """
        self._wearer_of = wearer_of
        self._deliver = deliver
        self._decoders = decoders
        self._doubts = HeartDoubts()
        self._beating: set[str] = set()
        self.counting = StepCounting(
            remembered,
            decoders,
            boot_id=boot_id,
            wall_clock=SystemWallClock() if wall_clock is None else wall_clock,
            midnight_ms=midnight_ms,
        )
        self.undecodable: collections.Counter[str] = collections.Counter()
        self.unclaimed = 0

    def __call__(self, event: RadioEvent) -> None:
        """Take an event from the radio. Raises nothing: a bad packet must not end the run."""
        if isinstance(event, LinkChange):
            self.counting.link_changed(event)
            if event.state is LinkState.SEARCHING:
                self._doubts.forget(event.device_id)
            self._deliver(event)
        elif event.characteristic in DESCRIPTIONS:
            self._describe(event)
        else:
            for arrived in self.interpret(event):
                self._deliver(arrived)

    def interpret(self, notification: Notification) -> list[Arrived]:
        """The readings in a notification; where there is none, that is counted."""
        user = self._wearer_of(notification.device_id)
        if user is None:
            self.unclaimed += 1
            return []
        decoder = self._decoders.get(notification.characteristic)
        if decoder is None:
            self._refuse(_UNKNOWN_CHARACTERISTIC, "no decoder knows this characteristic")
            return []
        try:
            reading = decoder.decode(notification.value)
        except UndecodableError as error:
            self._refuse(notification.characteristic, error.reason)
            return []
        except Exception:  # noqa: BLE001  # a decoder's bug must cost one reading, not the run
            self.undecodable[notification.characteristic] += 1
            _log.exception("the decoder of %s failed", notification.characteristic)
            return []
        arrivals: list[Arrived] = []
        for one in (reading, *reading.also) if reading.also else (reading,):
            arrivals += self._arrived(one, notification, user, decoder)
        return arrivals

    def _arrived(
        self, reading: Reading, notification: Notification, user: str, decoder: Decoder
    ) -> Iterator[Arrived]:
        """A reading as it is stored, with what follows from it."""
        device, boot_ns = notification.device_id, notification.boot_ns
        value = reading.value
        if value is None:
            return
        placed = None
        if reading.metric == "heart_rate":
            marks = self._doubts.marks(device, reading, boot_ns)
            if marks:
                reading = reading._replace(quality=reading.quality + marks)
        elif reading.metric == "steps" and decoder.field_bits is not None:
            placed = self.counting.total(device, user, reading, decoder, boot_ns)
            if placed is None:
                return
            reading = placed.reading
        if reading.columns.get("rr"):
            # Who tells each beat speaks all the time, whatever else the wearable offers.
            self._beating.add(device)
        on_change = decoder.on_change or (
            notification.speaks_on_change and device not in self._beating
        )
        yield Arrived(
            user=user,
            device=device,
            boot_ns=boot_ns,
            reading=reading,
            on_change=on_change,
            counter=placed.counter if placed else None,
            step_state=placed.state if placed else None,
        )
        if reading.metric == "cadence" and decoder.strides:
            walked = self.counting.walked(device, user, value, decoder, boot_ns)
            if walked is not None:
                # Told only when there is a new step: until then the total is the same.
                yield Arrived(
                    user=user,
                    device=device,
                    boot_ns=boot_ns,
                    reading=walked.reading,
                    on_change=True,
                    counter=walked.counter,
                    step_state=walked.state,
                )

    def _describe(self, notification: Notification) -> None:
        """Pass on what a wearable says of itself, if it may leave and tells not which one it is."""
        description = DESCRIPTIONS[notification.characteristic]
        if description.field is None:
            return
        try:
            told = description.decode(notification.value)
        except UndecodableError as error:
            self._refuse(notification.characteristic, error.reason)
            return
        text = shareable(str(told))
        if text is not None:
            self._deliver(Described(notification.device_id, description.field, text))

    def _refuse(self, characteristic: str, reason: str) -> None:
        self.undecodable[characteristic] += 1
        refused = self.undecodable[characteristic]
        # At 1, 2, 4, 8 …: said at once, and never a log full of the same.
        if refused & (refused - 1) == 0:
            _log.warning(
                "%d values of characteristic %s refused: %s", refused, characteristic[:8], reason
            )
