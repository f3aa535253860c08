"""A bridge with simulated straps near, as a process of its own, and the truth of what they sent.

Run as ``python -m benchmarks.straps CONFIG STRAPS``: ``strapline bridge run``, apart from the
radio; the strap of each number is worn by the user of that number. It says ``listening`` when all
are subscribed to. A line ``RATE_HZ SECONDS FILE`` lets them send; once all is acknowledged it
says ``sent``, and what they sent stands in the file: ``STRAP MONOTONIC_NS BPM`` in each line. With
a fourth word, ``unsettled``, it does not wait for the acknowledgements.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Final

from benchmarks.rights import Rights
from strapline import __version__, logs
from strapline.running import run_until_stopped
from strapline_bridge.config import load
from strapline_bridge.daemon import Bridge
from strapline_bridge.decoders import heart_rate
from strapline_bridge.outbox import Outbox, OutboxObserver
from strapline_bridge.uplink import FileTokens
from strapline_bridge.wearables import Wearables, WearablesFile
from strapline_protocol.intervals import IntervalSet
from strapline_simulator import Pace, simulation, straps
from strapline_simulator.assembly import Simulation
from strapline_simulator.pace import paced

_LEDGER: Final = 100_000


def _choose(air: Simulation, state: Path) -> None:
    chosen = Wearables()
    for number, strap in enumerate(air.straps):
        chosen, _ = chosen.add(
            address=strap.address, user=Rights.user(number), name="Strap", added_at=0
        )
    WearablesFile(state).change(lambda _: chosen)


class _Sent(OutboxObserver):
    """Waits until a server has acknowledged what the outbox holds."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def acknowledged(self, stream: str, numbers: IntervalSet) -> None:
        self._news.set()

    async def wait_all(self, outbox: Outbox) -> None:
        while outbox.status().pending:
            self._news.clear()
            await self._news.wait()


async def _send(air: Simulation, bridge: Bridge, sent: _Sent, order: str) -> None:
    rate_hz, seconds, path, *unsettled = order.split()
    async with paced(air.straps, Pace(rate_hz=float(rate_hz))):
        await asyncio.sleep(float(seconds))
    await bridge.outbox.flush()
    if not unsettled:
        await sent.wait_all(bridge.outbox)
    lines = [
        f"{number} {entry.at_monotonic_ns} {heart_rate.decode(entry.value).value}\n"
        for number, strap in enumerate(air.straps)
        for entry in strap.ledger.entries
        if entry.characteristic == heart_rate.CHARACTERISTIC
    ]
    await asyncio.to_thread(Path(path).write_text, "".join(lines))
    print("sent", flush=True)


async def main(config: Path, count: int) -> None:
    """Until stdin is closed."""
    settings = load(config)
    async with simulation(straps(count), pace=None, ledger_size=_LEDGER) as air:
        await asyncio.to_thread(_choose, air, settings.state_dir)
        tokens = FileTokens(settings.token_path)
        sent = _Sent()
        async with Bridge(
            settings, air.backend, tokens, version=__version__, observers=[sent]
        ) as bridge:
            for strap in air.straps:
                await strap.wait_subscribed(heart_rate.CHARACTERISTIC)
            print("listening", flush=True)
            while order := await asyncio.to_thread(sys.stdin.readline):
                await _send(air, bridge, sent, order)


if __name__ == "__main__":
    logs.set_up(logging.INFO)
    run_until_stopped(main(Path(sys.argv[1]), int(sys.argv[2])))
