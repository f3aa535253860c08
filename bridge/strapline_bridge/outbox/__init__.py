"""The only importer of SQLite in the bridge: readings are safe here until a server has them."""

from strapline_bridge.outbox.errors import (
    OutboxError,
    OutboxHeldError,
    OutboxTooNewError,
    OutboxUnreadableError,
)
from strapline_bridge.outbox.ledger import StreamRecord
from strapline_bridge.outbox.observer import OutboxObserver
from strapline_bridge.outbox.outbox import Outbox, OutboxStatus
from strapline_bridge.outbox.reader import DeadLetter, Page, Place
from strapline_bridge.outbox.rows import Row, merged
from strapline_bridge.outbox.transaction import Limits
from strapline_bridge.outbox.writer import Run
from strapline_bridge.outbox.zero import ClockMoment

__all__ = [
    "ClockMoment",
    "DeadLetter",
    "Limits",
    "Outbox",
    "OutboxError",
    "OutboxHeldError",
    "OutboxObserver",
    "OutboxStatus",
    "OutboxTooNewError",
    "OutboxUnreadableError",
    "Page",
    "Place",
    "Row",
    "Run",
    "StreamRecord",
    "merged",
]
