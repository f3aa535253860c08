"""A server to be killed, always at the same port: ``FOLDER PORT``; 0 takes a free one.

Prints a JSON line: its port, tokens of three bridges, and a viewer's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from strapline_server import Server, ServerConfig

_LIFE_S = 86_400


async def _main(folder: Path, port: int) -> None:
    async with Server(ServerConfig(port=port, state_folder=folder)) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        names = [f"pi-{number}" for number in range(3)]
        tokens = [
            await server.admin.issue_token(name, "bridge", ["ana"], _LIFE_S) for name in names
        ]
        viewer = await server.admin.issue_token("eye", "viewer", ["ana"], _LIFE_S)
        sys.stdout.write(json.dumps([server.port, tokens, viewer]) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
