"""Asks which straps, with simulated ones near, at the terminal that it is started on.

Run as ``python -m tests.integration.choosing_process``; it prints what was chosen as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from strapline.choosing import choose
from strapline.running import run_until_stopped
from strapline.terminal import make_console
from strapline_simulator import chest_strap, simulation, watch


async def main() -> None:
    profiles = [chest_strap("Polar H10 7E3A1B2C"), watch("InfiniTime", number=2)]
    async with simulation(profiles) as near:
        choices = await choose(make_console(), near.backend)
    sys.stdout.write(f"chosen {json.dumps([asdict(choice) for choice in choices])}\n")


if __name__ == "__main__":
    run_until_stopped(main())
