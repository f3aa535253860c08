"""A state folder of our server with people, bridges and viewers in it, and their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strapline_protocol.opening import Role
from strapline_server import ServerConfig, open_admin
from strapline_server.admin import make_authority
from strapline_server.clock import wall_ms
from strapline_server.secret import load_or_make_secret
from strapline_server.store import Store

_TOKEN_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Rights:
    """Who is who.

    Attributes:
        state: the folder; a server gets a copy of it.
        bridges, viewers: a token for each.
    """

    state: Path
    bridges: tuple[str, ...]
    viewers: tuple[str, ...]

    @staticmethod
    def user(number: int) -> str:
        """A user's id."""
        return f"user-{number:04d}"

    def bridge(self, number: int) -> str:
        return self.bridges[number]

    def viewer(self, number: int) -> str:
        return self.viewers[number]


async def grant(
    state: Path,
    users: int,
    bridges: Sequence[Sequence[int]],
    viewers: Sequence[Sequence[int]],
) -> Rights:
    """Make the folder.

    Args:
        users: how many there are, by number.
        bridges: for each, whom it may publish for.
        viewers: for each, whom it may watch.
    """
    config = ServerConfig(state_folder=state)
    async with open_admin(config) as admin:
        for number in range(users):
            await admin.add_user(Rights.user(number), zone="UTC")
    # Past the administration's own checks, which look at all users for each of a thousand grants.
    authority = make_authority(config, load_or_make_secret(config.secret_path), wall_ms)
    store = Store(state, wall_ms)
    await store.open()

    async def tokens(role: Role, principals: Sequence[Sequence[int]]) -> tuple[str, ...]:
        found = []
        for number, granted in enumerate(principals):
            sub = f"{role}-{number}"
            await store.put_grant(sub, role, sub, [Rights.user(user) for user in granted], None)
            found.append(authority.issue(sub, role, _TOKEN_S))
        return tuple(found)

    try:
        return Rights(state, await tokens(Role.BRIDGE, bridges), await tokens(Role.VIEWER, viewers))
    finally:
        await store.close()
