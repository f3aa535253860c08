"""One process at a time: a lock file beside the outbox that names its holder."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from strapline_bridge.outbox.errors import OutboxHeldError, OutboxUnreadableError

_OWNER_ONLY = 0o600
_FOLDER_OWNER_ONLY = 0o700
_LONGEST_HOLDER = 200


class ProcessLock:
    """An exclusive ``flock`` on ``<outbox>.lock``; the kernel lets go of it when we die."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, database: Path) -> ProcessLock:
        """Take the lock at once or not at all; its folder is made where it is missing.

        Raises:
            OutboxHeldError: another process has it; the text names its pid and host.
            OutboxUnreadableError: folder or lock file cannot be made here.
        """
        path = database.with_name(database.name + ".lock")
        try:
            path.parent.mkdir(mode=_FOLDER_OWNER_ONLY, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        except OSError as error:
            raise OutboxUnreadableError.because(database, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, _LONGEST_HOLDER).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise OutboxHeldError(database, holder or "which has not said who it is") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes lock two files."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1
