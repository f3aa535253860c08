"""The radio port, the only importer of bleak: finds, connects and watches over wearables."""

from strapline_bridge.radio.backend import RadioBackend
from strapline_bridge.radio.events import (
    LinkChange,
    LinkState,
    Notification,
    RadioEvent,
    RadioSink,
)

__all__ = [
    "LinkChange",
    "LinkState",
    "Notification",
    "RadioBackend",
    "RadioEvent",
    "RadioSink",
]
