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

import errno
import os
import sqlite3
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from strapline_bridge.errors import BridgeError

_OWN: Final = "Let the user that runs the bridge own {folder}, or choose another `state_dir`"
_ELSEWHERE: Final = "Choose another `state_dir`, on a disk that can be written to"
_ROOM: Final = "Make room on the disk of {folder}"
_FOLDER: Final = "Choose a folder as `state_dir`, or move away what stands in its place"
_DISK: Final = "Check the disk of {folder}"
_AGAIN: Final = "Stop what else has it open"
_OS_REMEDIES: Final = MappingProxyType(
    {
        errno.EACCES: _OWN,
        errno.EPERM: _OWN,
        errno.EROFS: _ELSEWHERE,
        errno.ENOSPC: _ROOM,
        errno.EDQUOT: _ROOM,
        errno.ENOTDIR: _FOLDER,
        errno.EEXIST: _FOLDER,
        errno.EIO: _DISK,
    }
)
#: By primary result code (sqlite.org/rescode.html): faults that a new file would have too.
_SQLITE_REMEDIES: Final = MappingProxyType(
    {
        sqlite3.SQLITE_PERM: _OWN,
        sqlite3.SQLITE_CANTOPEN: _OWN,
        sqlite3.SQLITE_READONLY: _OWN,
        sqlite3.SQLITE_FULL: _ROOM,
        sqlite3.SQLITE_IOERR: _DISK,
        sqlite3.SQLITE_BUSY: _AGAIN,
        sqlite3.SQLITE_LOCKED: _AGAIN,
    }
)
_PRIMARY: Final = 0xFF


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
    """The file cannot be read as an outbox, or not reached."""

    def __init__(self, path: Path, why: str, remedy: str | None = None) -> None:
        super().__init__(
            f"the outbox {path} cannot be opened: {why}",
            remedy
            or f"Put that right, or keep it aside (`mv {path} {path}.aside`): "
            "a new one is then made",
        )

    @classmethod
    def because(cls, path: Path, error: OSError | sqlite3.Error) -> Self:
        """With the remedy for this fault; a damaged file is best kept aside."""
        if isinstance(error, OSError):
            # "File exists" is what mkdir says where a file stands in the folder's place.
            number = errno.ENOTDIR if error.errno == errno.EEXIST else error.errno
            why = os.strerror(number) if number is not None else str(error)
            remedy = _OS_REMEDIES.get(number or 0)
        else:
            why = str(error)
            remedy = _SQLITE_REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY)
        return cls(path, why, remedy and remedy.format(folder=path.parent))


class OutboxReadError(OutboxError):
    """The disk gave an error instead of readings."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the outbox cannot be read: {why}", "Check the disk")
