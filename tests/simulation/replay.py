"""Replays one seed: ``python -m tests.simulation.replay SEED [PATTERN]``.

Prints what happened (only lines that hold PATTERN, where one is given), what did not hold, and a
digest of all that happened, which is the same in every run of this seed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from tests.simulation.world import replay


def main(arguments: Sequence[str]) -> int:
    """0 where all holds."""
    world, violation = replay(int(arguments[0]))
    pattern = re.compile(arguments[1] if len(arguments) > 1 else "")
    for line in filter(pattern.search, world.trace):
        sys.stdout.write(line + "\n")
    counts = " ".join(f"{what}={count}" for what, count in sorted(world.counts.items()))
    sys.stdout.write(f"{counts}\n{violation or 'all holds'}\n{world.summary()}\n")
    return int(violation is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
