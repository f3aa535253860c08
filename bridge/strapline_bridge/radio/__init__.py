"""The radio port, the only importer of bleak: finds, connects and watches over wearables."""

from strapline_bridge.radio.backend import PLATFORM, RadioBackend, load_backend
from strapline_bridge.radio.errors import NoAdapterError, RadioError
from strapline_bridge.radio.events import (
    AdapterChange,
    Heard,
    LinkChange,
    LinkState,
    NoticeSink,
    Notification,
    Offered,
    RadioEvent,
    RadioNotice,
    RadioSink,
)
from strapline_bridge.radio.link import Target
from strapline_bridge.radio.radio import Radio
from strapline_bridge.radio.scan import Sighting, clean_name, ensure_available, scan
from strapline_bridge.radio.timing import Timing

__all__ = [
    "PLATFORM",
    "AdapterChange",
    "Heard",
    "LinkChange",
    "LinkState",
    "NoAdapterError",
    "NoticeSink",
    "Notification",
    "Offered",
    "Radio",
    "RadioBackend",
    "RadioError",
    "RadioEvent",
    "RadioNotice",
    "RadioSink",
    "Sighting",
    "Target",
    "Timing",
    "clean_name",
    "ensure_available",
    "load_backend",
    "scan",
]
