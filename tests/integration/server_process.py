"""A server as a process of its own, to be killed: `python -m tests.integration.server_process`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from strapline_server import Server, ServerConfig


async def main() -> None:
    """Serve one user until killed; the first line says the port and the tokens."""
    config = ServerConfig(port=0, state_folder=Path(sys.argv[1]))
    async with Server(config) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        tokens = [
            await server.admin.issue_token(f"pi-{number}", "bridge", ["ana"], 600)
            for number in range(3)
        ]
        viewer = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        sys.stdout.write(json.dumps([server.port, tokens, viewer]) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
