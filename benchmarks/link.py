"""A narrow link to a server on this machine, as a process of its own.

Run as ``python -m benchmarks.link TARGET_PORT BYTES_PER_S``; says ``listening PORT``. At each line
that it is told it says ``passed BYTES``: what went towards the server so far.
"""

from __future__ import annotations

import asyncio
import sys

from tests.fault_proxy import fault_proxy


async def main(target_port: int, bytes_per_s: int) -> None:
    """Until stdin is closed."""
    async with fault_proxy(target_port, small_buffers=True) as link:
        link.up.bytes_per_s = bytes_per_s
        _tell(f"listening {link.port}")
        while await asyncio.to_thread(sys.stdin.readline):
            _tell(f"passed {link.up.passed}")


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
