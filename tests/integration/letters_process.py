"""Handles all dead letters of an outbox, and is killed while it does: ``PATH resend|discard``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from strapline_bridge.dead_letters import HandleParams, handle
from tests.integration.bridge_kit import an_outbox


async def _main(path: Path, *, discard: bool) -> None:
    async with an_outbox(path) as outbox:
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        await handle(outbox, HandleParams(discard=discard))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), discard=sys.argv[2] == "discard"))
