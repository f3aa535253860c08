"""Where a user's metric has readings and where it has none, device by device.

A reading covers the time to the next of its device, if that comes within the device's pace. What
no device covers is a gap. To know the pace where a range begins, and whether its end is covered,
a few readings before it and the next one after it are read of each device: so what is said of a
moment is the same whatever range it is asked about in.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from operator import le, sub
from typing import Final, NamedTuple

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.gaps import PACED_BY, SHORTEST_GAP_MS, longest_pause_ms
from strapline_protocol.publishing import Zero
from strapline_server.store.columns import LONGEST_BLOCK_MS, sound, wall_times
from strapline_server.store.database import Transaction, Value

_LONGEST: Final = LONGEST_BLOCK_MS
#: So many moments tell a pace.
_MOMENTS: Final = PACED_BY + 1
#: After all that is told.
_NEVER: Final = 2**62
#: Of a user who has more of one metric, those that spoke last.
MOST_DEVICES: Final = 256


class Device(NamedTuple):
    """A device whose readings count."""

    key: int
    id: str


class Spoken(NamedTuple):
    """A device's last reading before a gap, in the order in which readings are told."""

    at_ms: int
    stream: str
    number: int
    stream_key: int
    owner: str


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A device has nothing from ``from_ms`` to before ``to_ms``, or for all that is known.

    Attributes:
        pause_ms: what a pause here may last without being a gap.
        last: None where it has never spoken before.
    """

    device: Device
    from_ms: int
    to_ms: int | None
    pause_ms: float
    last: Spoken | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody covers this; ``to_ms`` is None where no reading has come since.

    ``silent`` has what each device lacks, that which spoke last first.
    """

    from_ms: int
    to_ms: int | None
    silent: Sequence[Uncovered]

    def is_longer(self, over_ms: int) -> bool:
        """Whether it is more than a pause of who spoke last, or one goes on where another ends."""
        pauses = [one.pause_ms for one in self.silent if one.from_ms == self.from_ms]
        return over_ms - self.from_ms > max(pauses)


#: A stretch that several devices have nothing of.
_Shared = tuple[int, int, tuple[Uncovered, ...]]
#: The beginning of the first evidence of a device from its last reading to before a moment.
FirstEvidence = Callable[[Device, Spoken, int], int | None]


@dataclass(slots=True)
class _Part:
    """What the readings of one block have in common."""

    stream: str
    stream_key: int
    owner: str
    on_change: bool


@dataclass(slots=True)
class _Tape:
    """One device's readings in order of time: those before a range, and those in it."""

    device: Device
    at_ms: list[int] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    part: list[int] = field(default_factory=list)
    parts: list[_Part] = field(default_factory=list)
    #: How many of them are before the range.
    earlier: int = 0

    def add(self, row: sqlite3.Row, zero: Zero, from_ms: int, to_ms: int) -> int:
        """Take in a block's readings from ``from_ms`` to before ``to_ms``; how many they are."""
        if (block := sound(row["block_key"], row["data"])) is None:
            return 0
        series = block[0]
        at_ms, number = wall_times(zero, series.elapsed()), series.numbers()
        if min(at_ms) < from_ms or max(at_ms) >= to_ms:
            kept = [place for place, at in enumerate(at_ms) if from_ms <= at < to_ms]
            at_ms, number = [at_ms[place] for place in kept], [number[place] for place in kept]
        self.at_ms += at_ms
        self.number += number
        self.part += [len(self.parts)] * len(at_ms)
        self.parts.append(_Part(row["stream"], row["stream_key"], row["owner"], series.on_change))
        return len(at_ms)

    def sort(self, end_ms: int = SAFE_INTEGER) -> None:
        """Put all in order, and leave out what is not before ``end_ms``."""
        if not all(map(le, self.at_ms, self.at_ms[1:])) or len(set(self.at_ms)) < len(self.at_ms):
            order = sorted(range(len(self.at_ms)), key=self._key)
            for column in (self.at_ms, self.number, self.part):
                column[:] = [column[place] for place in order]
        end = bisect_left(self.at_ms, end_ms)
        for column in (self.at_ms, self.number, self.part):
            del column[end:]

    def begin_at(self, at_ms: int) -> None:
        """Forget what is before this; all that is left is before the range."""
        begin = bisect_left(self.at_ms, at_ms)
        for column in (self.at_ms, self.number, self.part):
            del column[:begin]
        self.earlier = len(self.at_ms)

    def _key(self, place: int) -> tuple[int, str, int]:
        return self.at_ms[place], self.parts[self.part[place]].stream, self.number[place]

    def spoken(self, place: int) -> Spoken:
        """The reading at one place."""
        part = self.parts[self.part[place]]
        at_ms, number = self.at_ms[place], self.number[place]
        return Spoken(at_ms, part.stream, number, part.stream_key, part.owner)

    def on_change(self, place: int) -> bool:
        """Whether the reading at one place lasts until something changes."""
        return self.parts[self.part[place]].on_change

    def pause_ms(self, place: int) -> float:
        """What the pause after the reading at one place may last."""
        pace: list[int] = []
        later = self.at_ms[place]
        while place > 0 and len(pace) < PACED_BY:
            place -= 1
            if self.at_ms[place] < later:
                pace.append(later - self.at_ms[place])
                later = self.at_ms[place]
        return longest_pause_ms(pace)


@dataclass(slots=True)
class Coverage:
    """One user's metric within one transaction.

    Args:
        transaction: to read it in.
        user_key: whose it is.
        metric: what was measured.
        devices: whose readings count.
        first_evidence: asked of a device that speaks on change, whose reading lasts until then.

    Attributes:
        cost: how many readings were looked at.
    """

    transaction: Transaction
    user_key: int
    metric: str
    devices: Sequence[Device]
    first_evidence: FirstEvidence
    cost: int = field(default=0, init=False)
    _zeros: dict[str, Zero] = field(default_factory=dict, init=False)
    _next_ms: dict[tuple[int, int], int | None] = field(default_factory=dict, init=False)

    def gaps(self, from_ms: int, to_ms: int, most: int) -> tuple[list[Gap], int]:
        """Those that have any of this range, in order, and how far it was looked at.

        Args:
            from_ms, to_ms: the range; it ends now or earlier.
            most: about how many readings to look at; it may end before ``to_ms`` then. A gap
                that goes on there is not told, and what was looked at ends where it begins.
        """
        tapes, end_ms = self._read(from_ms, to_ms, most)
        gaps: list[Gap] = []
        for gap in _together([list(self._uncovered(tape, end_ms)) for tape in tapes]):
            if gap.from_ms >= end_ms:
                break
            if gap.to_ms is None or gap.to_ms >= end_ms:
                if end_ms < to_ms:
                    return gaps, gap.from_ms
                self._append(gaps, self._going_on(gap, end_ms), from_ms)
            else:
                self._append(gaps, gap, from_ms)
        return gaps, end_ms

    def _append(self, gaps: list[Gap], gap: Gap, from_ms: int) -> None:
        """If it is a gap, and any of it is asked about."""
        over_ms = self.transaction.now_ms if gap.to_ms is None else gap.to_ms
        if over_ms > from_ms and gap.is_longer(over_ms):
            gaps.append(gap)

    def _going_on(self, gap: Gap, end_ms: int) -> Gap:
        """A gap at the end of what is asked about, with its own end."""
        after = [self._after(device, end_ms) for device in self.devices]
        return replace(gap, to_ms=min((at for at in after if at is not None), default=None))

    # Reading

    def _read(self, from_ms: int, to_ms: int, most: int) -> tuple[list[_Tape], int]:
        tapes = {device.key: self._before(device, from_ms) for device in self.devices}
        rows = self.transaction.each(
            "readings_in_time", **self._key, from_ms=from_ms, to_ms=to_ms, longest_ms=_LONGEST
        )
        end_ms, looked = to_ms, 0
        with closing(rows):
            for row in rows:
                if looked > most:
                    # All that was before this has been read.
                    end_ms = row["from_ms"]
                    break
                tape = tapes.get(row["device_key"])
                if tape is not None:
                    tape.add(row, self._zero(row), from_ms, to_ms)
                    looked += row["count"]
        self.cost += looked
        for tape in tapes.values():
            tape.sort(end_ms)
        return list(tapes.values()), end_ms

    def _before(self, device: Device, before_ms: int) -> _Tape:
        """What tells a device's pace at a moment: its readings at the last ten moments before."""
        tape = _Tape(device)
        rows = self.transaction.each(
            "readings_before",
            **self._key,
            device_key=device.key,
            before_ms=before_ms,
            longest_ms=_LONGEST,
        )
        with closing(rows):
            for row in rows:
                known = sorted(set(tape.at_ms))[-_MOMENTS:]
                if len(known) == _MOMENTS and row["to_ms"] < known[0]:
                    break
                self.cost += tape.add(row, self._zero(row), 0, before_ms)
        tape.sort()
        moments = sorted(set(tape.at_ms))[-_MOMENTS:]
        tape.begin_at(moments[0] if moments else 0)
        return tape

    def _after(self, device: Device, from_ms: int) -> int | None:
        """A device's first moment from here on."""
        key = (device.key, from_ms)
        if key not in self._next_ms:
            self._next_ms[key] = self._find_after(device, from_ms)
        return self._next_ms[key]

    def _find_after(self, device: Device, from_ms: int) -> int | None:
        first: int | None = None
        rows = self.transaction.each(
            "readings_after", **self._key, device_key=device.key, from_ms=from_ms
        )
        with closing(rows):
            for row in rows:
                if first is not None and row["to_ms"] >= first + _LONGEST:
                    break
                if first is not None and row["from_ms"] >= first:
                    continue
                if (block := sound(row["block_key"], row["data"])) is None:
                    continue
                at_ms = wall_times(self._zero(row), block[0].elapsed())
                self.cost += len(at_ms)
                found = [at for at in at_ms if at >= from_ms]
                first = min([*found, *([] if first is None else [first])], default=None)
        return first

    @property
    def _key(self) -> dict[str, Value]:
        return {"user_key": self.user_key, "metric": self.metric}

    def _zero(self, row: sqlite3.Row) -> Zero:
        text = row["zero"]
        zero = self._zeros.get(text)
        if zero is None:
            zero = self._zeros[text] = Zero.model_validate_json(text)
        return zero

    # Each device by itself

    def _uncovered(self, tape: _Tape, end_ms: int) -> Iterator[Uncovered]:
        """In order; the last may go on after ``end_ms``, and is then told without an end."""
        at_ms = tape.at_ms
        if not at_ms:
            yield Uncovered(tape.device, 0, None, 0, None)
            return
        if not tape.earlier:
            yield Uncovered(tape.device, 0, at_ms[0], 0, None)
        begin = max(0, tape.earlier - 1)
        steps = map(sub, at_ms[begin + 1 :], at_ms[begin:])
        for place, step in enumerate(steps, begin):
            if step > SHORTEST_GAP_MS:
                yield from self._pause(tape, place, at_ms[place + 1])
        yield from self._tail(tape, end_ms)

    def _pause(self, tape: _Tape, place: int, next_ms: int | None) -> Iterator[Uncovered]:
        """What a reading leaves uncovered up to the next."""
        at_ms = tape.at_ms[place]
        pause_ms = tape.pause_ms(place)
        over_ms = self.transaction.now_ms if next_ms is None else next_ms
        if over_ms - at_ms <= pause_ms:
            return
        last = tape.spoken(place)
        if tape.on_change(place):
            until_ms = self.first_evidence(tape.device, last, over_ms)
            if until_ms is not None and until_ms < over_ms:
                yield Uncovered(tape.device, until_ms, next_ms, SHORTEST_GAP_MS, last)
        else:
            yield Uncovered(tape.device, at_ms, next_ms, pause_ms, last)

    def _tail(self, tape: _Tape, end_ms: int) -> Iterator[Uncovered]:
        place = len(tape.at_ms) - 1
        at_ms, pause_ms = tape.at_ms[place], tape.pause_ms(place)
        if end_ms - at_ms > pause_ms and not tape.on_change(place):
            # Whatever comes next.
            yield Uncovered(tape.device, at_ms, None, pause_ms, tape.spoken(place))
            return
        for one in self._pause(tape, place, self._after(tape.device, end_ms)):
            yield replace(one, to_ms=None)


def _together(silent: Sequence[Sequence[Uncovered]]) -> Iterator[Gap]:
    """Where no device has anything, and one has had before; in order of time."""
    if not silent:
        return
    found: list[_Shared] = [(one.from_ms, _end(one), (one,)) for one in silent[0]]
    for others in silent[1:]:
        found = list(_common(found, others))
    for from_ms, to_ms, ones in found:
        spoken = [(one.last, one) for one in ones if one.last is not None]
        if spoken:
            spoken.sort(key=lambda pair: pair[0][:3], reverse=True)
            end_ms = None if to_ms == _NEVER else to_ms
            yield Gap(from_ms, end_ms, tuple(one for _, one in spoken))


def _common(found: Sequence[_Shared], others: Sequence[Uncovered]) -> Iterator[_Shared]:
    place = 0
    for from_ms, to_ms, ones in found:
        while place < len(others) and _end(others[place]) <= from_ms:
            place += 1
        at = place
        while at < len(others) and others[at].from_ms < to_ms:
            other = others[at]
            begin_ms, end_ms = max(from_ms, other.from_ms), min(to_ms, _end(other))
            if begin_ms < end_ms:
                yield begin_ms, end_ms, (*ones, other)
            at += 1


def _end(one: Uncovered) -> int:
    return _NEVER if one.to_ms is None else one.to_ms
