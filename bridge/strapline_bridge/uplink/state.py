"""How the uplink stands: for the bridge's status, and for counters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Link(StrEnum):
    """The hop from bridge to server."""

    CONNECTING = "connecting"
    ONLINE = "online"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(slots=True)
class UplinkState:
    """How the uplink stands.

    Attributes:
        link: ``STOPPED`` is where a viewer would stop; a bridge tries again hourly.
        why: what ended the last connection or kept it from coming about; None while online.
        retry_ms: how long it waits from then on.
        connections: that came as far as AUTHENTICATED.
        attempts: that were made.
        frames: sent.
        readings_sent: repeats included.
        unsolicited: readings that a server accounted for without having been sent them.
        most_bytes: of a message, as learned from a server that refused larger ones.
    """

    link: Link = Link.CONNECTING
    why: str | None = None
    retry_ms: int = 0
    attempts: int = 0
    connections: int = 0
    frames: int = 0
    unsolicited: int = 0
    most_bytes: int = 256 * 1_024
