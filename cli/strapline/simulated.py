"""The people of the demo, and the straps that they do not really wear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from strapline.choosing import Choice
from strapline_simulator import DEMO_PROFILES, Profile

#: In the order of :data:`strapline_simulator.DEMO_PROFILES`: at rest, at ease, at work.
PEOPLE: Final = ("Ilse Brandt", "Maren Holt", "Tomás Reyes")


class _Strap(Protocol):
    @property
    def address(self) -> str: ...


def profiles() -> tuple[Profile, ...]:
    """One strap for each person."""
    return DEMO_PROFILES


def choices_of(straps: Sequence[_Strap]) -> list[Choice]:
    """Each strap with its person."""
    return [
        Choice(strap.address, person, ("heart rate", "steps"))
        for strap, person in zip(straps, PEOPLE, strict=True)
    ]
