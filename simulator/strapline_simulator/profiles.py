"""What kind of strap or watch a virtual one is, and the ones of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from strapline_simulator import uuids
from strapline_simulator.battery import COIN_CELL_PERCENT_PER_H
from strapline_simulator.twins import (
    ACTIVITY_MONITOR,
    FOOT_POD,
    MI_BAND,
    STEP_CLIMBER,
    Twin,
)

#: A legacy scan response holds 31 bytes, two of them the header of the name.
NAME_LIMIT_BYTES: Final = 29

DEFAULT_RSSI_DBM: Final = -60


class BodyLocation(IntEnum):
    """Body Sensor Location (GATT specification supplement, 3.31)."""

    OTHER = 0
    CHEST = 1
    WRIST = 2
    FINGER = 3
    HAND = 4
    EAR_LOBE = 5
    FOOT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A wearable's make and what its wearer is doing.

    Attributes:
        name: as advertised.
        address: random static; ``None`` lets the simulation choose one.
        heart_rate: whether it offers the heart rate service.
        steps: whether it offers InfiniTime's step count.
        body_location: where it is worn.
        rr_intervals: whether it sends the interval of each beat.
        contact_bit: whether it can tell if it is worn.
        energy: whether it reports energy expended.
        rate_on_change_only: a watch's habit: silence means "still the same".
        off_body_sleep_s: it goes to sleep when it has been off the body for so long; ``None``
            if it stays awake.
        beats_offset_s: where in the recording this wearer starts.
        beats_scale: factor on the recorded intervals, for a wearer who works harder (below 1).
        walk_seed: which of the synthesised walks this wearer takes.
        steps_so_far: steps already taken today.
        battery_percent: charge at the start.
        battery_drain_percent_per_h: how fast it falls.
        rssi_dbm: how strongly it is heard.
        twins: characteristics beyond these.
        manufacturer, model, firmware, serial_number: in Device Information, and never to be seen
            anywhere else (but for model and firmware).
    """

    name: str
    address: str | None = None
    heart_rate: bool = True
    steps: bool = False
    body_location: BodyLocation = BodyLocation.CHEST
    rr_intervals: bool = True
    contact_bit: bool = True
    energy: bool = True
    rate_on_change_only: bool = False
    off_body_sleep_s: float | None = None
    beats_offset_s: float = 0.0
    beats_scale: float = 1.0
    walk_seed: int = 1
    steps_so_far: int = 0
    battery_percent: float = 100.0
    battery_drain_percent_per_h: float = COIN_CELL_PERCENT_PER_H
    rssi_dbm: int = DEFAULT_RSSI_DBM
    twins: tuple[Twin, ...] = ()
    manufacturer: str = "Virtual Wearables"
    model: str = "VW-1"
    firmware: str = "1.0.0"
    serial_number: str = "VW1-000000"

    def __post_init__(self) -> None:
        if not 0 < len(self.name.encode()) <= NAME_LIMIT_BYTES:
            raise ValueError(
                f"the name {self.name!r} cannot be advertised: "
                f"give one of 1 to {NAME_LIMIT_BYTES} bytes in UTF-8"
            )
        if not (self.heart_rate or self.steps or self.twins):
            raise ValueError(f"{self.name} measures nothing: give it heart_rate, steps or twins")

    @property
    def has_battery(self) -> bool:
        """Whether it has a simulated battery, rather than a twin of one."""
        return all(twin.characteristic != uuids.BATTERY_LEVEL for twin in self.twins)


def chest_strap(name: str, *, number: int = 1, beats_scale: float = 1.0) -> Profile:
    """A chest strap with beat intervals; the number tells one from another."""
    return Profile(
        name=name,
        beats_offset_s=number * 211.0,
        beats_scale=beats_scale,
        walk_seed=number,
        model="VW-Chest",
        serial_number=f"VWC-{number:06d}",
    )


def watch(name: str, *, number: int = 1, beats_scale: float = 1.0) -> Profile:
    """A watch as InfiniTime makes one: rate and steps on change, no intervals, no contact."""
    return Profile(
        name=name,
        steps=True,
        body_location=BodyLocation.WRIST,
        rr_intervals=False,
        contact_bit=False,
        energy=False,
        rate_on_change_only=True,
        beats_offset_s=number * 211.0,
        beats_scale=beats_scale,
        walk_seed=number,
        battery_drain_percent_per_h=0.6,
        model="VW-Watch",
        serial_number=f"VWW-{number:06d}",
    )


def _of_twins(name: str, number: int, model: str, twins: tuple[Twin, ...]) -> Profile:
    return Profile(
        name=name,
        heart_rate=False,
        twins=twins,
        walk_seed=number,
        model=model,
        serial_number=f"VWT-{number:06d}",
    )


def foot_pod(name: str, *, number: int = 1) -> Profile:
    """A pod on the shoe: speed, cadence and distance, no steps."""
    return _of_twins(name, number, "VW-Pod", FOOT_POD)


def step_climber(name: str, *, number: int = 1) -> Profile:
    """A step climber: the steps and floors of one workout."""
    return _of_twins(name, number, "VW-Climber", STEP_CLIMBER)


def activity_monitor(name: str, *, number: int = 1) -> Profile:
    """An activity monitor that indicates its steps."""
    return _of_twins(name, number, "VW-Monitor", ACTIVITY_MONITOR)


def mi_band(name: str, *, number: int = 1) -> Profile:
    """A Mi Band as it is without a vendor's key: steps, and no heart rate."""
    return _of_twins(name, number, "VW-Band", MI_BAND)


def straps(count: int) -> tuple[Profile, ...]:
    """As many different chest straps, from one at rest to one at hard work."""
    spread = 0.45 / max(1, count - 1)
    return tuple(
        chest_strap(f"Strap {number:02d}", number=number, beats_scale=1.0 - spread * (number - 1))
        for number in range(1, count + 1)
    )


DEMO_PROFILES: Final = (
    Profile(
        name="Strap Aspen",
        steps=True,
        beats_offset_s=60.0,
        walk_seed=11,
        steps_so_far=4_210,
        battery_percent=86,
        model="VW-Chest",
        serial_number="VWC-000011",
    ),
    Profile(
        name="Strap Birch",
        steps=True,
        beats_offset_s=1_260.0,
        beats_scale=0.78,
        walk_seed=12,
        steps_so_far=1_675,
        battery_percent=63,
        rssi_dbm=-71,
        model="VW-Chest",
        serial_number="VWC-000012",
    ),
    Profile(
        name="Strap Cedar",
        steps=True,
        beats_offset_s=2_460.0,
        beats_scale=0.6,
        walk_seed=13,
        steps_so_far=7_904,
        battery_percent=22,
        rssi_dbm=-66,
        model="VW-Chest",
        serial_number="VWC-000013",
    ),
)
"""Three athletes: one at rest, one at an easy pace, one working hard."""
