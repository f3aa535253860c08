"""Who counts a wearer's steps, and what each total adds: one way of counting for each wearable.

A wearable may count steps itself, in one of several characteristics, or tell a cadence from
which they can be derived. Two counts of the same legs must never be added, so of all that a
wearable offers one counts: its own total in the order of the registry, else its cadence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from strapline_bridge import steps
from strapline_bridge.clock import WallClock
from strapline_bridge.decoders import Decoder
from strapline_bridge.radio import LinkChange, LinkState
from strapline_bridge.readings import Quality, Reading
from strapline_bridge.steps import Counter, StepState, Total

_log = logging.getLogger(__name__)

#: Two readings of a cadence further apart say nothing of the time between them.
_LONGEST_STRIDE_NS: Final = 5_000_000_000
#: Cadence is steps a minute; the mean of two is their sum over two.
_PARTS_PER_STEP: Final = 2 * 60 * 1_000_000_000
_DERIVED_BITS: Final = 48
_DERIVED: Final = (str(Quality.DERIVED),)


@dataclass(frozen=True, slots=True)
class Placed:
    """A total of steps in its count.

    Attributes:
        reading: with the marks that its place earns.
        counter: the count that it belongs to.
        state: to be saved in the transaction of the reading.
    """

    reading: Reading
    counter: Counter
    state: StepState


@dataclass(slots=True)
class _Pace:
    """The last cadence of a wearable, and the part of a step that it has come to.

    ``at_ns`` is None after an outage, which adds nothing and takes nothing away.
    """

    cadence: int | float
    at_ns: int | None
    parts: int = 0


def local_midnight_ms(wall_ms: int) -> int:
    """The midnight before a moment, where this machine is. Milliseconds since 1970 UTC."""
    here = datetime.fromtimestamp(wall_ms / 1_000, UTC).astimezone()
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None).astimezone()
    return int(midnight.timestamp() * 1_000)


class StepCounting:
    """The counts of all chosen wearables.

    Attributes:
        superseded: totals and cadences that were not counted, since another way of counting
            of the same wearable is.
    """

    def __init__(
        self,
        remembered: Mapping[str, StepState],
        decoders: Mapping[str, Decoder],
        *,
        boot_id: str,
        wall_clock: WallClock,
        midnight_ms: Callable[[int], int] = local_midnight_ms,
    ) -> None:
        """Set up.

        Args:
            remembered: step states of earlier runs, by device id.
            decoders: the wire formats, by characteristic, in order of preference.
            boot_id: this boot of the machine.
            wall_clock: says when a total came, for the run after the next boot.
            midnight_ms: the wearer's midnight before a wall time.
        """
        self._decoders = decoders
        self._boot_id = boot_id
        self._wall_clock = wall_clock
        self._midnight_ms = midnight_ms
        self._states = dict(remembered)
        self._after_outage = set(self._states)
        self._counting = {
            device: state.source for device, state in self._states.items() if state.source
        }
        self._paces: dict[str, _Pace] = {}
        self.superseded = 0

    def link_changed(self, change: LinkChange) -> None:
        """A link that ends makes an outage; one that is made tells how this wearable counts."""
        if change.state is LinkState.SEARCHING:
            self._after_outage.add(change.device_id)
            if (pace := self._paces.get(change.device_id)) is not None:
                pace.at_ns = None
            return
        offered = {one.characteristic for one in change.offered}
        ways = [way for way in self._decoders.values() if way.characteristic in offered]
        chosen = next((way for way in ways if way.field_bits is not None), None) or next(
            (way for way in ways if way.strides), None
        )
        if chosen is not None:
            self._counting[change.device_id] = chosen.characteristic

    def total(
        self, device: str, user: str, reading: Reading, decoder: Decoder, boot_ns: int
    ) -> Placed | None:
        """Place a total that a wearable counted; ``None`` when it counts in another way."""
        if reading.value is None or decoder.field_bits is None:
            return None
        if not self._counts(device, decoder):
            self.superseded += 1
            return None
        outage = device in self._after_outage
        total = self._total(device, user, int(reading.value), decoder.characteristic, boot_ns)
        total = replace(
            total,
            field_bits=decoder.field_bits,
            outage=outage,
            session=reading.session,
            midnight_ms=self._midnight_ms(total.wall_ms) if decoder.daily else None,
        )
        self._after_outage.discard(device)
        return self._placed(total, reading)

    def walked(
        self, device: str, user: str, cadence: float, decoder: Decoder, boot_ns: int
    ) -> Placed | None:
        """The steps that a cadence comes to; ``None`` for no new one, or when a total counts.

        Between two readings the cadence is taken to change evenly. Time without readings, an
        outage too, adds no step.
        """
        if not self._counts(device, decoder):
            self.superseded += 1
            return None
        pace = self._paces.get(device)
        if pace is None:
            pace = self._paces[device] = _Pace(cadence, boot_ns)
        elapsed_ns = 0 if pace.at_ns is None else boot_ns - pace.at_ns
        if 0 < elapsed_ns <= _LONGEST_STRIDE_NS:
            pace.parts += round((pace.cadence + cadence) * elapsed_ns)
        made, pace.parts = divmod(pace.parts, _PARTS_PER_STEP)
        pace.cadence, pace.at_ns = cadence, boot_ns
        last = self._states.get(device)
        if last is not None and last.source != decoder.characteristic:
            last = None
        if not made and last is not None and last.user == user:
            return None
        so_far = last.total if last is not None else 0
        total = self._total(device, user, so_far + made, decoder.characteristic, boot_ns)
        return self._placed(total, Reading("steps", total.steps, quality=_DERIVED))

    def _counts(self, device: str, decoder: Decoder) -> bool:
        """Whether this is the way in which the wearable's steps are counted."""
        known = self._counting.get(device)
        if known == decoder.characteristic:
            return True
        counts = known is None or (
            # What was derived yields to the first total that is told.
            decoder.field_bits is not None
            and (way := self._decoders.get(known)) is not None
            and way.field_bits is None
        )
        if counts:
            self._counting[device] = decoder.characteristic
        return counts

    def _total(self, device: str, user: str, total: int, source: str, boot_ns: int) -> Total:
        return Total(
            device=device,
            user=user,
            steps=total,
            field_bits=_DERIVED_BITS,
            wall_ms=self._wall_clock.now_ms(),
            boot_ns=boot_ns,
            boot_id=self._boot_id,
            outage=False,
            source=source,
        )

    def _placed(self, total: Total, reading: Reading) -> Placed:
        last = self._states.get(total.device)
        counted = steps.count(total, last)
        self._states[total.device] = counted.state
        if last is not None and counted.state.counter != last.counter:
            _log.info("device %s: its step count began anew", total.device)
        if counted.quality:
            reading = reading._replace(quality=reading.quality + counted.quality)
        return Placed(reading, counted.state.counter, counted.state)
