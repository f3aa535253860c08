"""Plays a capture of a real wearable again: the same characteristics, values and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strapline_bridge.radio.captures import Capture, CapturedValue, CaptureError, loads
from strapline_simulator import uuids
from strapline_simulator.profiles import Profile
from strapline_simulator.twins import Today, Twin

#: What the virtual wearable has of its own.
_OWN: Final = frozenset({uuids.DEVICE_INFORMATION_SERVICE})
_PROPERTIES: Final = frozenset({"read", "notify", "indicate"})
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


class ReplaySensor:
    """One characteristic of a capture: each value when it is due, the last one to be read."""

    source = "recorded capture"

    def __init__(self, values: Sequence[CapturedValue]) -> None:
        self._values = values
        self._next = 0
        self._elapsed_ns = 0
        read = [one.value for one in values if one.was_read]
        self.value = read[0] if read else b""

    def advance(self, seconds: float) -> Sequence[bytes]:
        self._elapsed_ns += round(seconds * _NS_PER_S)
        due: list[bytes] = []
        while self._next < len(self._values):
            value = self._values[self._next]
            if value.offset_ms * _NS_PER_MS > self._elapsed_ns:
                break
            self._next += 1
            self.value = value.value
            if not value.was_read:
                due.append(value.value)
        return due


@dataclass(frozen=True, slots=True)
class _Replay:
    """Makes the sensor of one characteristic."""

    values: tuple[CapturedValue, ...]

    def __call__(self, profile: Profile, today: Today) -> ReplaySensor:
        return ReplaySensor(self.values)


def replay(name: str, capture: Capture) -> Profile:
    """A wearable that does what a captured one did, once.

    It is called as it is told: a capture has no name. What a real one says of its make is
    replaced by what virtual ones say.

    Raises:
        ValueError: the capture holds nothing that can be played.
    """
    twins = {
        offer.characteristic: Twin(
            offer.service,
            offer.characteristic,
            _PROPERTIES & set(offer.properties),
            _Replay(_of(capture, offer.characteristic)),
        )
        for offer in reversed(capture.offers)
        if offer.service not in _OWN and not _PROPERTIES.isdisjoint(offer.properties)
    }
    return Profile(name=name, heart_rate=False, twins=tuple(reversed(twins.values())))


def replay_file(name: str, path: Path, device: int = 1) -> Profile:
    """The wearable of this number in a file that `strapline bridge capture` wrote.

    Raises:
        CaptureError: the file is no capture, or has no such device.
        OSError: it cannot be read.
    """
    captures = loads(path.read_text("utf-8"))
    if not 1 <= device <= len(captures):
        raise CaptureError(
            f"the capture has {len(captures)} wearables, and none of number {device}",
            "Name one that it has",
        )
    return replay(name, captures[device - 1])


def _of(capture: Capture, characteristic: str) -> tuple[CapturedValue, ...]:
    return tuple(one for one in capture.values if one.characteristic == characteristic)
