"""Where a client's connection is, bridge or viewer: the states that both ends of it share."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

#: Before AUTHENTICATED says how often the server speaks.
HEARTBEAT_UNTIL_TOLD_MS: Final = 15_000


class LinkState(Enum):
    """A client's connection, from its opening on."""

    WAITING = auto()
    GREETED = auto()
    AUTHENTICATING = auto()
    READY = auto()
    CLOSED = auto()
