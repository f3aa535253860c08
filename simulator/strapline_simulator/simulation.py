"""The way in: straps, air and adapter, ready to hand to a bridge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING

from strapline_simulator.conditions import Conditions
from strapline_simulator.extra import require_demo_extra
from strapline_simulator.ledger import DEFAULT_LEDGER_SIZE
from strapline_simulator.pace import Pace, paced
from strapline_simulator.profiles import DEMO_PROFILES, Profile

if TYPE_CHECKING:
    from strapline_simulator.assembly import Simulation

_LIFE = Pace()
_KIND = Conditions()


@asynccontextmanager
async def simulation(
    profiles: Sequence[Profile] = DEMO_PROFILES,
    *,
    pace: Pace | None = _LIFE,
    conditions: Conditions = _KIND,
    today: Callable[[], date] = date.today,
    ledger_size: int = DEFAULT_LEDGER_SIZE,
) -> AsyncIterator[Simulation]:
    """Run straps for as long as the context lasts; afterwards nothing is left running.

    Args:
        profiles: one for each strap.
        pace: the clock that makes them notify; ``None`` leaves that to the caller, who calls
            ``tick``, ``push`` or ``notify_…`` on a strap.
        conditions: how good the air is.
        today: the date where the wearers are, for their steps to begin anew at midnight.
        ledger_size: how many sent notifications each strap remembers.

    Raises:
        DemoExtraMissingError: bumble is not installed.
        ValueError: a profile cannot be.
    """
    # Half a second of importing, in which the loop goes on with whatever else it has to do.
    await asyncio.to_thread(require_demo_extra)
    from strapline_simulator.assembly import assemble  # noqa: PLC0415  # needs the extra

    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            assemble(profiles, conditions, today=today, ledger_size=ledger_size)
        )
        if pace is not None:
            await stack.enter_async_context(paced(running.straps, pace))
        yield running
