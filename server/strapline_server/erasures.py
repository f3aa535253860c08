"""People are erased, by this process or another: bridges shall look up what is held of theirs.

They do so when they connect: what is not held any more they send again, learn that it is erased,
and delete it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final

from strapline_protocol.opening import Role
from strapline_server.dialogue import Member
from strapline_server.store import Store

#: Within which they come back.
_SPREAD_MS: Final = 1_000


class Erasures:
    """How many were seen so far."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = 0

    async def begin(self) -> None:
        """What was erased before concerns nobody: who connects looks it up."""
        self._seen = await self._store.erasures()

    async def look(self, members: Iterable[Member]) -> None:
        """Where there is a new one, let the bridges among these connect again."""
        found = await self._store.erasures()
        if found == self._seen:
            return
        for member in list(members):
            if member.role is Role.BRIDGE:
                member.go_away(int(random.random() * _SPREAD_MS))  # noqa: S311  # spread
        self._seen = found
