"""What a server does again and again beside its sockets; a fault ends none of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Never

from strapline_server.errors import StoreError

_LOG = logging.getLogger(__name__)
#: A chore that goes on failing is tried no less often than this, or than it is due anyway.
LONGEST_PAUSE_S: Final = 5.0


async def again_and_again(name: str, every_s: float, chore: Callable[[], Awaitable[None]]) -> Never:
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
            pause_s = longer_s
        except Exception:  # noqa: BLE001  # logged, and the next turn comes
            _LOG.exception("%s failed, and is tried again", name)
            pause_s = longer_s
        else:
            pause_s = every_s
        await asyncio.sleep(pause_s)
