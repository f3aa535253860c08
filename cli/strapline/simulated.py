"""The people of the demo, and the straps that they do not really wear."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

from strapline.choosing import Choice
from strapline.life import Act, live
from strapline_bridge.radio import RadioBackend
from strapline_simulator import DEMO_PROFILES, Profile, simulation

_log = logging.getLogger(__name__)

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
    return [Choice(strap.address, person) for strap, person in zip(straps, PEOPLE, strict=True)]


@asynccontextmanager
async def living() -> AsyncIterator[tuple[RadioBackend, list[Choice]]]:
    """Straps that send, and now and then go away or are taken off, as straps do.

    Raises:
        DemoExtraMissingError: bumble is missing.
    """
    async with simulation(profiles()) as air:
        task = asyncio.create_task(live(air.straps, _told))
        try:
            yield air.backend, choices_of(air.straps)
        finally:
            task.cancel()
            await asyncio.wait([task])


def _told(place: int, act: Act) -> None:
    _log.info("%s %s", PEOPLE[place], act.value)
