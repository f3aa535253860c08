"""What a strap feels: heart, steps and battery turned into values to notify."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from strapline_simulator.battery import Battery
from strapline_simulator.measurement import (
    U16_MAX,
    battery_level,
    heart_rate_measurement,
    rr_units,
    step_count,
)
from strapline_simulator.profiles import Profile
from strapline_simulator.recording import BeatPlayer, Recording
from strapline_simulator.walk import Walk

#: Energy goes with each tenth measurement (Heart Rate Service 1.0, 3.1.1.3).
ENERGY_EVERY: Final = 10

#: So many intervals fit beside rate and energy into the 20 bytes of the smallest packet. A strap
#: that is asked so seldom that more have gathered forgets the oldest.
INTERVALS_KEPT: Final = 8

#: Off the body a strap goes on with its last rate for a moment before it says "none".
STALE_RATE_S: Final = 3.0

# A plausible slope, not a model of metabolism.
_RESTING_KJ_PER_MIN: Final = 5.0
_KJ_PER_BEAT_ABOVE_REST: Final = 0.35
_RESTING_BPM: Final = 60


class HeartSensor:
    """Heart rate measurements from recorded beats, and what changes when it is taken off."""

    def __init__(self, profile: Profile, recording: Recording) -> None:
        self._profile = profile
        self._player = BeatPlayer(
            recording, offset_s=profile.beats_offset_s, scale=profile.beats_scale
        )
        self._energy_kj = 0.0
        self._measurements = 0
        self._off_body_s = 0.0
        self._last_bpm: int | None = None
        self.worn = True

    @property
    def source(self) -> str:
        return self._player.source

    @property
    def energy_kj(self) -> int:
        """Energy since the last reset; it stays at the largest value of its field."""
        return min(int(self._energy_kj), U16_MAX)

    @property
    def off_body_s(self) -> float:
        """For how long it has been off the body."""
        return self._off_body_s

    def reset_energy(self) -> None:
        self._energy_kj = 0.0

    def advance(self, seconds: float) -> bytes | None:
        """Let time pass; the measurement that is due, or none if nothing changed."""
        beats = self._player.advance(seconds)
        if self.worn:
            self._off_body_s = 0.0
            above_rest = max(0, beats.bpm - _RESTING_BPM) * _KJ_PER_BEAT_ABOVE_REST
            self._energy_kj += seconds / 60 * (_RESTING_KJ_PER_MIN + above_rest)
            bpm, rr_ms = beats.bpm, beats.rr_ms
        else:
            self._off_body_s += seconds
            bpm = (self._last_bpm or 0) if self._off_body_s <= STALE_RATE_S else 0
            rr_ms = ()
        unchanged = bpm == self._last_bpm
        self._last_bpm = bpm
        if self._profile.rate_on_change_only and unchanged:
            return None
        return self._encode(bpm, rr_ms)

    def encode(self, bpm: int, rr_ms: Sequence[float], contact: bool | None) -> bytes:
        """A measurement by hand, with the contact bit of the moment if none is given."""
        if contact is None and self._profile.contact_bit:
            contact = self.worn
        return heart_rate_measurement(bpm, rr=map(rr_units, rr_ms), contact=contact)

    def _encode(self, bpm: int, rr_ms: tuple[float, ...]) -> bytes:
        self._measurements += 1
        with_energy = self._profile.energy and self._measurements % ENERGY_EVERY == 0
        return heart_rate_measurement(
            bpm,
            rr=map(rr_units, rr_ms[-INTERVALS_KEPT:]) if self._profile.rr_intervals else (),
            contact=self.worn if self._profile.contact_bit else None,
            energy_kj=self.energy_kj if with_energy else None,
        )


class StepSensor:
    """The steps of today, from a synthesised walk; zero at midnight."""

    def __init__(self, profile: Profile, today: Callable[[], date]) -> None:
        self._walk = Walk(seed=profile.walk_seed, total=profile.steps_so_far)
        self._today = today
        self._day = today()

    @property
    def source(self) -> str:
        return self._walk.source

    @property
    def value(self) -> bytes:
        return step_count(self._walk.total)

    def advance(self, seconds: float) -> bytes | None:
        """Let time pass; the new total, or none if it is the old one."""
        before = self._walk.total
        if (day := self._today()) != self._day:
            self._day = day
            self._walk.restart()
        else:
            self._walk.advance(seconds)
        return self.value if self._walk.total != before else None

    def set_total(self, total: int) -> bytes:
        """Go on from another total.

        Raises:
            ValueError: the total does not fit 32 bits.
        """
        value = step_count(total)
        self._walk.set_total(total)
        return value


class BatterySensor:
    """The battery's level."""

    def __init__(self, profile: Profile) -> None:
        self._battery = Battery(
            profile.battery_percent, drain_percent_per_h=profile.battery_drain_percent_per_h
        )

    @property
    def value(self) -> bytes:
        return battery_level(self._battery.level)

    def advance(self, seconds: float) -> bytes | None:
        """Let time pass; the new level, or none if it is the old one."""
        before = self._battery.level
        return self.value if self._battery.advance(seconds) != before else None

    def set(self, percent: float) -> bytes:
        """Charge or discharge to a level.

        Raises:
            ValueError: not a percentage.
        """
        self._battery.set(percent)
        return self.value
