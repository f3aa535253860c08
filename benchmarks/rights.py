"""A state folder of our server with people, bridges and viewers in it, and their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strapline_protocol.opening import Role
from strapline_server import ServerConfig, open_admin

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
    async with open_admin(ServerConfig(state_folder=state)) as admin:
        for number in range(users):
            await admin.add_user(Rights.user(number), zone="UTC")

        async def tokens(role: Role, principals: Sequence[Sequence[int]]) -> tuple[str, ...]:
            return tuple(
                [
                    await admin.issue_token(
                        f"{role}-{number}", role, [Rights.user(user) for user in granted], _TOKEN_S
                    )
                    for number, granted in enumerate(principals)
                ]
            )

        return Rights(state, await tokens(Role.BRIDGE, bridges), await tokens(Role.VIEWER, viewers))
