"""What gaps should be, computed slowly and plainly out of all that was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from strapline_protocol.gaps import GapCause, longest_pause_ms

FAR = 2**53 - 1
_RANKS = {cause: rank for rank, cause in enumerate(GapCause)}
#: Holes of one cause as near to each other are one.
_NEAR_MS = 65_000
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Said:
    """One number of a stream; of a spell ``from_ms`` is where it begins."""

    number: int
    at_ms: int
    device: str
    kind: str
    fate: str
    from_ms: int = 0
    cause: str = ""

    @property
    def came(self) -> bool:
        return self.fate in {"received", "late"}


@dataclass(frozen=True)
class Taken:
    """One run; moments are wall time."""

    stream: str
    owner: str
    begins_ms: int
    said: Sequence[Said]
    next_seq: int
    ends_ms: int | None
    clean: bool


#: From, to, cause, evidence, device.
Why = tuple[int, int, str, str, str]
#: Time, stream and number of a reading.
Last = tuple[int, str, int]
#: Where a device has nothing, what a pause there may last, and its last reading.
Silent = tuple[int, int, float, Last]

_LOST = {
    "dropped": ("dropped", "full"),
    "rejected": ("rejected", "malformed"),
    "pending": ("pending", "announced"),
}


@dataclass
class Oracle:
    """All runs, what was heard of their bridges, and the present."""

    runs: Sequence[Taken]
    heard: Mapping[str, int]
    now_ms: int
    kind: str

    def readings(self, device: str) -> list[Last]:
        """In order."""
        return sorted(
            (one.at_ms, run.stream, one.number)
            for run in self.runs
            for one in run.said
            if one.came and one.kind == self.kind and one.device == device
        )

    def devices(self) -> list[str]:
        return sorted({one.device for run in self.runs for one in run.said})

    # Causes

    def evidence(self, device: str, last: Last, a: int, b: int) -> list[Why]:
        """All that touches [a, b) of a device that spoke last there."""
        owner = next(run.owner for run in self.runs if run.stream == last[1])
        found: list[Why] = [
            (one.from_ms, one.at_ms, one.cause, "linkLost", device)
            for run in self.runs
            for one in run.said
            if one.kind == "spell" and one.came and one.device == device
        ]
        runs = sorted(
            (run for run in self.runs if run.owner == owner), key=lambda run: run.begins_ms
        )
        for run, later in pairwise(runs):
            if run.ends_ms is not None and run.ends_ms < later.begins_ms:
                why = "stopped" if run.clean else "killed"
                found.append((run.ends_ms, later.begins_ms, "bridgeDown", why, ""))
        known = self.known(owner, runs)
        for place, run in enumerate(runs):
            until = runs[place + 1].begins_ms if place + 1 < len(runs) else FAR
            until = until if run.ends_ms is None else run.ends_ms
            found += self.joined(self.holes(run, until, known), a, b)
        found.append((known, FAR, "pending", "unheard", ""))
        return [one for one in found if one[0] < b and one[1] > a]

    def known(self, owner: str, runs: Sequence[Taken]) -> int:
        moments = [self.heard.get(owner, 0)]
        moments += [run.begins_ms if run.ends_ms is None else run.ends_ms for run in runs]
        moments += [one.at_ms for one in runs[-1].said if one.came]
        return max(moments)

    @staticmethod
    def holes(run: Taken, until: int, known: int) -> Iterator[Why]:
        low, before = run.begins_ms, -1
        for one in (one for one in run.said if one.came):
            for fate in {lost.fate for lost in run.said[before + 1 : one.number]}:
                yield low, one.at_ms, *_LOST[fate], ""
            low, before = one.at_ms, one.number
        rest = run.said[before + 1 :]
        missing = {lost.fate for lost in rest}
        # What was made after all that is known to be there was not announced.
        known_to = max([run.next_seq, *(one.number + 1 for one in rest if one.fate != "pending")])
        if all(one.number >= known_to for one in rest if one.fate == "pending"):
            missing.discard("pending")
        high = min(until, known if known > low else FAR)
        for fate in missing:
            yield min(low, high), max(low, high), *_LOST[fate], ""

    @staticmethod
    def joined(holes: Iterator[Why], a: int, b: int) -> list[Why]:
        touching = [one for one in holes if one[0] < b and one[1] > a]
        found: list[Why] = []
        for one in sorted(touching, key=lambda one: (one[2:], one)):
            if found and found[-1][2:] == one[2:] and one[0] - found[-1][1] <= _NEAR_MS:
                found[-1] = (found[-1][0], max(found[-1][1], one[1]), *one[2:])
            else:
                found.append(one)
        return found

    # Coverage

    def uncovered(self, device: str) -> list[Silent]:
        told = self.readings(device)
        moments = [(at, list(group)[-1]) for at, group in groupby(told, key=lambda one: one[0])]
        times = [at for at, _ in moments]
        found: list[Silent] = []
        for place, (at, last) in enumerate(moments):
            closed = place + 1 < len(times)
            to = times[place + 1] if closed else self.now_ms
            recent = times[max(0, place - 9) : place + 1]
            pause = longest_pause_ms(b - a for a, b in pairwise(recent))
            if to - at <= pause:
                continue
            if self.kind != "speed":
                found.append((at, to if closed else FAR, pause, last))
                continue
            begins = [
                one[0] if one[4] else max(one[0], at)
                for one in self.evidence(device, last, at, to)
                if not one[4] or one[0] >= at
            ]
            if begins:
                found.append((min(begins), to if closed else FAR, 2_500, last))
        return found

    def gaps(self, devices: Sequence[str]) -> list[Why]:
        """All of them, cut by their causes, up to now."""
        told = {device: self.readings(device) for device in devices}
        silent = {device: self.uncovered(device) for device in devices}
        spoken = {at for those in told.values() for at, _, _ in those}
        marks = {self.now_ms} | spoken
        marks |= {at for those in silent.values() for one in those for at in one[:2]}
        gap: list[int] = []
        whole: list[list[int]] = []
        for a, b in pairwise(sorted(mark for mark in marks if mark <= self.now_ms)):
            begun = [device for device, those in told.items() if those and those[0][0] <= a]
            covered = [
                device
                for device in begun
                if not any(one[0] <= a < one[1] for one in silent[device])
            ]
            if not begun or covered:
                gap = []
            elif gap and a not in spoken:
                gap[1] = b
            else:
                gap = [a, b]
                whole.append(gap)
        found: list[Why] = []
        for a, b in whole:
            here = [
                (device, one)
                for device in devices
                for one in silent[device]
                if one[0] <= a < one[1]
            ]
            if b - a > max(one[2] for _, one in here if one[0] == a):
                found += self.cut(a, b, here)
        return found

    def cut(self, a: int, b: int, here: Sequence[tuple[str, Silent]]) -> list[Why]:
        """One gap in pieces."""
        order = sorted(here, key=lambda pair: pair[1][3], reverse=True)
        evidence = [
            self.evidence(device, one[3], a, b)
            for place, (device, one) in enumerate(order)
            if place == 0 or a - one[3][0] <= _DAY_MS
        ]
        edges = {a, b} | {at for those in evidence for one in those for at in one[:2]}
        found: list[Why] = []
        for begin, end in pairwise(sorted(at for at in edges if a <= at <= b)):
            why = ("silent", "", "")
            for those in evidence:
                about = [one for one in those if one[0] <= begin and one[1] >= end]
                if about:
                    why = min(about, key=lambda one: (_RANKS[GapCause(one[2])], one))[2:]
                    break
            if found and found[-1][1:] == (begin, *why):
                found[-1] = (found[-1][0], end, *why)
            else:
                found.append((begin, end, *why))
        return found
