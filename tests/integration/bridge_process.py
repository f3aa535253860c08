"""A bridge without a radio in a process of its own, to be killed: outbox, uplink, and a source.

Run as ``python -m tests.integration.bridge_process OUTBOX URL``, with a token in the variable
``BRIDGE_TOKEN``. It prints one JSON line for each reading, after its commit: what it prints is
stored.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from strapline_bridge.outbox import OutboxObserver, Row
from strapline_bridge.uplink import SignedTokens
from tests.integration.bridge_kit import a_reading, an_outbox, an_uplink, readings_of

_EVERY_S = 0.001


class _Printer(OutboxObserver):
    def committed(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for (stream, number), content in readings_of(row.stream, [row.series]).items():
                sys.stdout.write(json.dumps([stream, number, content]) + "\n")
        sys.stdout.flush()


async def _main(path: Path, url: str) -> None:
    tokens = SignedTokens(lambda _: os.environ["BRIDGE_TOKEN"])
    async with an_outbox(path, _Printer()) as outbox, asyncio.TaskGroup() as group:
        group.create_task(an_uplink(outbox, url, tokens=tokens).run())
        rate = 0
        while True:
            rate += 1
            outbox.put(a_reading(30 + rate % 200, boot_ns=time.monotonic_ns()))
            await asyncio.sleep(_EVERY_S)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2]))
