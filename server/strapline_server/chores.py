"""What a server does again and again beside its sockets; a fault ends none of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Never

from strapline_server.errors import StoreError

_LOG = logging.getLogger(__name__)
#: A chore that goes on failing is tried no less often than this, or than it is due anyway.
LONGEST_PAUSE_S: Final = 5.0
#: One that failed so often in a row is more than unlucky.
_MANY: Final = 3
#: A fault that is older, of a chore that has not ended since, is over.
_OVER_MS: Final = 60_000


@dataclass(slots=True)
class _Faults:
    """Of one chore, in a row."""

    count: int
    last_ms: int


class Chores:
    """The chores of one server, and which of them keep failing.

    Args:
        clock: monotonic, ms.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._faults: dict[str, _Faults] = {}

    @property
    def failing(self) -> list[str]:
        """Those that failed several times in a row, and just now."""
        now_ms = self._clock()
        return sorted(
            name
            for name, faults in self._faults.items()
            if faults.count >= _MANY and now_ms - faults.last_ms <= _OVER_MS
        )

    async def again_and_again(
        self, name: str, every_s: float, chore: Callable[[], Awaitable[None]]
    ) -> Never:
        """Do ``chore``, with this pause after each time, until cancelled.

        What it raises is logged, and after it the pause doubles, up to a bound.

        Args:
            name: what the chore does, for the log.
            every_s: the pause after a good turn, s.
            chore: one turn.
        """
        pause_s = every_s
        while True:
            longer_s = max(every_s, min(2 * pause_s, LONGEST_PAUSE_S))
            try:
                await chore()
            except StoreError as error:
                _LOG.error("%s: %s", name, error)
                pause_s = self._failed(name, longer_s)
            except Exception:  # noqa: BLE001  # logged, and the next turn comes
                _LOG.exception("%s failed, and is tried again", name)
                pause_s = self._failed(name, longer_s)
            else:
                self._faults.pop(name, None)
                pause_s = every_s
            await asyncio.sleep(pause_s)

    def _failed(self, name: str, pause_s: float) -> float:
        before = self._faults.get(name)
        count = 1 if before is None else before.count + 1
        self._faults[name] = _Faults(count, self._clock())
        return pause_s
