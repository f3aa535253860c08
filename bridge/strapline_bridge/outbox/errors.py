"""What can be wrong with an outbox on this machine, each with its cause and its remedy.

::

    BridgeError
    └── OutboxError
        ├── OutboxHeldError       another process has it
        ├── OutboxTooNewError     a newer Strapline wrote it
        ├── OutboxUnreadableError no outbox, damaged, or not ours to open
        └── OutboxReadError       the disk failed while it was open
"""

from __future__ import annotations

from pathlib import Path

from strapline_bridge.errors import BridgeError


class OutboxError(BridgeError):
    """The outbox cannot be used. Nothing in it was changed."""


class OutboxHeldError(OutboxError):
    """Another process has the outbox open.

    Attributes:
        holder: what it wrote of itself: ``pid 4711 on pi-kitchen``.
    """

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            f"the outbox {path} is held by another bridge ({holder})",
            "Stop that one first, or give this one another `state_dir`",
        )
        self.holder = holder


class OutboxTooNewError(OutboxError):
    """A newer version of Strapline has changed the outbox's tables."""

    def __init__(self, path: Path, found: str, known: str) -> None:
        super().__init__(
            f"the outbox {path} was written by a newer Strapline "
            f"(its last migration is {found}; this version knows up to {known})",
            "Upgrade Strapline on this machine",
        )


class OutboxUnreadableError(OutboxError):
    """The file cannot be read as an outbox."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"the outbox {path} cannot be opened: {why}",
            f"Put that right, or keep it aside (`mv {path} {path}.aside`): a new one is then made",
        )


class OutboxReadError(OutboxError):
    """The disk gave an error instead of readings."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the outbox cannot be read: {why}", "Check the disk")
