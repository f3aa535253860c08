"""`strapline bridge run`, but with three simulated straps near: a process to be killed.

Run as ``python -m tests.acceptance.simulated_bridge CONFIG RATE_HZ``; at a rate of 0 the straps
are there and silent.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from strapline import __version__, logs
from strapline.running import run_until_stopped
from strapline.simulated import profiles
from strapline_bridge.config import load
from strapline_bridge.daemon import Bridge
from strapline_bridge.uplink import FileTokens
from strapline_simulator import Pace, simulation


async def main(config: Path, rate_hz: float) -> None:
    settings = load(config)
    pace = Pace(rate_hz=rate_hz) if rate_hz else None
    async with simulation(profiles(), pace=pace) as air:
        tokens = FileTokens(settings.token_path)
        async with Bridge(settings, air.backend, tokens, version=__version__) as bridge:
            await bridge.run()


if __name__ == "__main__":
    logs.set_up(logging.INFO)
    run_until_stopped(main(Path(sys.argv[1]), float(sys.argv[2])))
