"""What the radio reports: a notification that arrived, a link that changed, why none stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class LinkState(StrEnum):
    """The state of a wearable's link, as it stands in a status message."""

    CONNECTED = "connected"
    SEARCHING = "searching"


@dataclass(frozen=True, slots=True)
class Notification:
    """A value that a wearable sent, or that was read from it once.

    Attributes:
        device_id: the wearable's id in the list of chosen wearables, never its address.
        characteristic: UUID, 128 bits, lower case.
        value: the bytes as sent.
        boot_ns: boot clock at arrival, taken inside the notification callback.
        speaks_on_change: the wearable sends this only when it changes, so that silence
            means "still the same".
        was_read: the wearable was asked for it.
    """

    device_id: str
    characteristic: str
    value: bytes
    boot_ns: int
    speaks_on_change: bool = False
    was_read: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Offered:
    """A characteristic that a wearable has.

    Attributes:
        service: UUID of the service that it stands in, 128 bits, lower case.
        characteristic: UUID, likewise.
        properties: ``read``, ``notify``, ``indicate`` and others, in bleak's words.
    """

    service: str
    characteristic: str
    properties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A wearable's link came or went.

    Attributes:
        offered: all that the wearable has, where its link came.
    """

    device_id: str
    state: LinkState
    boot_ns: int
    offered: tuple[Offered, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """A wearable's advertising was heard while no link to it stood."""

    device_id: str
    boot_ns: int


@dataclass(frozen=True, slots=True)
class AdapterChange:
    """The adapter or the Bluetooth service went away, or is there again."""

    away: bool
    boot_ns: int


RadioEvent = Notification | LinkChange
#: What the radio notices beside that: why no link stands.
RadioNotice = Heard | AdapterChange
#: Takes an event at once, without waiting: it is called inside the radio's callbacks.
RadioSink = Callable[[RadioEvent], None]
NoticeSink = Callable[[RadioNotice], None]
