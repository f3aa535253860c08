"""Wearables that are not there: real GATT servers on a virtual Bluetooth link."""

from strapline_simulator.conditions import Conditions
from strapline_simulator.extra import DemoExtraMissingError
from strapline_simulator.ledger import Ledger, Sent
from strapline_simulator.pace import Pace
from strapline_simulator.profiles import (
    DEMO_PROFILES,
    BodyLocation,
    Profile,
    activity_monitor,
    chest_strap,
    foot_pod,
    mi_band,
    step_climber,
    straps,
    watch,
)
from strapline_simulator.replay import replay, replay_file
from strapline_simulator.simulation import simulation

__all__ = [
    "DEMO_PROFILES",
    "BodyLocation",
    "Conditions",
    "DemoExtraMissingError",
    "Ledger",
    "Pace",
    "Profile",
    "Sent",
    "activity_monitor",
    "chest_strap",
    "foot_pod",
    "mi_band",
    "replay",
    "replay_file",
    "simulation",
    "step_climber",
    "straps",
    "watch",
]
