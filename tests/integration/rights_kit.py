"""What tests of rights share: people who were granted this and that."""

from __future__ import annotations

from pydantic import JsonValue

from strapline_protocol.opening import (
    Authenticate,
    Client,
)
from strapline_protocol.publishing import (
    ClockSource,
    ClockStatus,
    DeviceState,
    DeviceStatus,
    Status,
)
from strapline_server import Server
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Run, connected


async def people(server: Server) -> dict[str, str]:
    """Two wearers, a bridge and a viewer of each, and one of both; their tokens."""
    for user in ("ana", "ben"):
        await server.admin.add_user(user, user.title(), "UTC")
    issue = server.admin.issue_token
    return {
        "pi-ana": await issue("pi-ana", "bridge", ["ana"], 600),
        "pi-ben": await issue("pi-ben", "bridge", ["ben"], 600),
        "eye-ana": await issue("eye-ana", "viewer", ["ana"], 600),
        "eye-ben": await issue("eye-ben", "viewer", ["ben"], 600),
        "eye-all": await issue("eye-all", "viewer", "all", 600),
    }


def history(user: str, metric: str = "heart_rate") -> dict[str, JsonValue]:
    return {"user": user, "metric": metric, "fromMs": 0, "toMs": wall_ms() + 10_000}


async def refusal(server: Server, token: str) -> tuple[int, str]:
    async with connected(server) as peer:
        await peer.say(Authenticate(token=token, client=Client(name="test", version="0")))
        return await peer.ended()


def status_of(run: Run, **fields: object) -> Status:
    device = DeviceStatus(
        device=run.device, user=run.user, name="chest", state=DeviceState.CONNECTED, state_age_ms=0
    )
    clock = ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=5)
    told: dict[str, object] = {"devices": [device], "pending": 0, "oldest_pending_ms": 0}
    return Status(clock=clock, **{**told, **fields})  # type: ignore[arg-type]  # a test's shorthand
