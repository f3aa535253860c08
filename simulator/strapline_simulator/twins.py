"""Twins of wearables beyond strap and watch: each a characteristic, and what it tells of a walk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from strapline_simulator import measurement, uuids
from strapline_simulator.walk import WALK_SOURCE, Walk

if TYPE_CHECKING:
    from strapline_simulator.profiles import Profile

#: A step of an easy walk, and what it costs: plausible, not a model of a body.
STRIDE_M: Final = 0.72
_KCAL_PER_STEP: Final = 0.035
_STEPS_PER_FLOOR: Final = 16

Today = Callable[[], date]


class TwinSensor(Protocol):
    """What one characteristic of a twin tells."""

    @property
    def source(self) -> str:
        """Whether its values were recorded or made up, for people to read; empty for a constant."""
        ...

    @property
    def value(self) -> bytes:
        """What reading it gives now."""
        ...

    def advance(self, seconds: float) -> Sequence[bytes]:
        """Let time pass; the values to notify, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Twin:
    """A characteristic that a profile adds.

    Attributes:
        service, characteristic: UUIDs, 128 bits, lower case.
        properties: ``read``, ``notify``, ``indicate``.
        make: a sensor for one wearable, whose days begin as ``Today`` says.
    """

    service: str
    characteristic: str
    properties: frozenset[str]
    make: Callable[[Profile, Today], TwinSensor]

    @property
    def sends(self) -> bool:
        """Whether it sends of its own accord."""
        return not self.properties.isdisjoint({"notify", "indicate"})


class Constant:
    """A value that is read and never changes."""

    source = ""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def advance(self, seconds: float) -> Sequence[bytes]:
        return ()


class PodSensor:
    """A foot pod: speed, cadence and distance each second, and no count of steps."""

    source = WALK_SOURCE

    def __init__(self, profile: Profile, _today: Today) -> None:
        self._walk = Walk(seed=profile.walk_seed)

    @property
    def value(self) -> bytes:
        cadence = round(self._walk.cadence_per_min)
        speed_256 = round(cadence / 60 * STRIDE_M * 256)
        distance_dm = round(self._walk.total * STRIDE_M * 10)
        return measurement.running_measurement(speed_256, cadence, distance_dm=distance_dm)

    def advance(self, seconds: float) -> Sequence[bytes]:
        self._walk.advance(seconds)
        return (self.value,)


class ClimberSensor:
    """A step climber in the gym: floors and steps of this workout, each second."""

    source = WALK_SOURCE

    def __init__(self, profile: Profile, _today: Today) -> None:
        self._walk = Walk(seed=profile.walk_seed, total=profile.steps_so_far)

    @property
    def value(self) -> bytes:
        steps = self._walk.total & measurement.U16_MAX
        cadence = round(self._walk.cadence_per_min)
        return measurement.step_climber_data(steps // _STEPS_PER_FLOOR, steps, cadence)

    def advance(self, seconds: float) -> Sequence[bytes]:
        self._walk.advance(seconds)
        return (self.value,)


class ActivitySensor:
    """An activity monitor: the steps of a sub-session that is a day long, on change."""

    source = WALK_SOURCE

    def __init__(self, profile: Profile, today: Today) -> None:
        self._walk = Walk(seed=profile.walk_seed, total=profile.steps_so_far)
        self._today = today
        self._day = today()
        self._sub_session = 1
        self._sequence = 0

    @property
    def value(self) -> bytes:
        return measurement.activity_summary(1, self._sub_session, self._sequence, self._walk.total)

    def advance(self, seconds: float) -> Sequence[bytes]:
        before = self._walk.total
        if (day := self._today()) != self._day:
            self._day = day
            self._sub_session += 1
            self._walk.restart()
        elif self._walk.advance(seconds) == before:
            return ()
        self._sequence += 1
        return (self.value,)


class BandSensor:
    """A Mi Band: today's steps, distance and calories, on change; nothing at midnight."""

    source = WALK_SOURCE

    def __init__(self, profile: Profile, today: Today) -> None:
        self._walk = Walk(seed=profile.walk_seed, total=profile.steps_so_far)
        self._today = today
        self._day = today()

    @property
    def value(self) -> bytes:
        steps = self._walk.total
        return measurement.day_activity(
            steps, round(steps * STRIDE_M), round(steps * _KCAL_PER_STEP)
        )

    def advance(self, seconds: float) -> Sequence[bytes]:
        before = self._walk.total
        if (day := self._today()) != self._day:
            self._day = day
            self._walk.restart()
            return ()
        return () if self._walk.advance(seconds) == before else (self.value,)


FOOT_POD: Final = (
    Twin(uuids.RUNNING_SERVICE, uuids.RUNNING_MEASUREMENT, frozenset({"notify"}), PodSensor),
    Twin(
        uuids.RUNNING_SERVICE,
        uuids.RUNNING_FEATURE,
        frozenset({"read"}),
        lambda _profile, _today: Constant(
            measurement.running_feature(distance=True, walking_or_running=True)
        ),
    ),
)
STEP_CLIMBER: Final = (
    Twin(
        uuids.FITNESS_MACHINE_SERVICE,
        uuids.STEP_CLIMBER_DATA,
        frozenset({"notify"}),
        ClimberSensor,
    ),
)
ACTIVITY_MONITOR: Final = (
    Twin(
        uuids.ACTIVITY_MONITOR_SERVICE,
        uuids.ACTIVITY_SUMMARY,
        frozenset({"indicate"}),
        ActivitySensor,
    ),
)
MI_BAND: Final = (
    Twin(uuids.HUAMI_SERVICE, uuids.HUAMI_STEPS, frozenset({"read", "notify"}), BandSensor),
)
