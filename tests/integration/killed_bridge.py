"""A bridge without a radio, to be killed: ``OUTBOX URL DEVICE EVERY_MS AGO_MS``, token on stdin.

Its strap says something each ``EVERY_MS``, as of ``AGO_MS`` ago; with 0 nothing, and what is there
is sent. Prints a JSON line for each reading, after its commit.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from strapline_bridge.outbox import Limits, Outbox, OutboxObserver, Row, Run
from strapline_bridge.uplink import SignedTokens
from strapline_protocol.digest import lines_of
from tests.integration.bridge_kit import a_moment, a_reading, an_uplink

#: A small row is soon joined to others.
_LIMITS = Limits(join_rows=24)


class _Printer(OutboxObserver):
    def committed(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for number, line in lines_of(row.series):
                sys.stdout.write(json.dumps([row.stream, number, line]) + "\n")
        sys.stdout.flush()


async def _measure(outbox: Outbox, device: str, every_ms: int, ago_ns: int) -> None:
    at = 0
    while True:
        at += 1
        now_ns = time.monotonic_ns() - ago_ns
        outbox.put(a_reading(40 + at % 150, device=device, user="ana", boot_ns=now_ns))
        await asyncio.sleep(every_ms / 1_000)


async def _main(path: Path, url: str, device: str, every_ms: int, ago_ms: int, token: str) -> None:
    ago_ns = ago_ms * 1_000_000
    outbox = await Outbox.open(
        path,
        Run("boot", time.monotonic_ns() - ago_ns),
        partial(a_moment),
        limits=_LIMITS,
        observers=[_Printer()],
    )
    async with outbox, asyncio.TaskGroup() as group:
        group.create_task(an_uplink(outbox, url, tokens=SignedTokens(lambda _: token)).run())
        if every_ms:
            group.create_task(_measure(outbox, device, every_ms, ago_ns))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    asyncio.run(
        _main(
            Path(arguments[0]),
            arguments[1],
            arguments[2],
            int(arguments[3]),
            int(arguments[4]),
            sys.stdin.readline().strip(),
        )
    )
