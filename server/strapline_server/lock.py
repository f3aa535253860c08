"""One server for one state folder: a second would commit what the first one's viewers never see."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from strapline_server.errors import FolderTakenError, StoreError

FILE_NAME: Final = "server.lock"


class FolderLock:
    """An exclusive lock, which the kernel gives back whatever becomes of this process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take it.

        Raises:
            FolderTakenError: another server has it, and the text names its process.
            StoreError: the folder cannot be written to.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"{self._path}: cannot be opened ({error.strerror}). Let this user write to "
                f"{self._path.parent}, or set another state_folder."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise FolderTakenError(
                f"{self._path.parent}: another server (process {holder or 'unknown'}) uses this "
                "state folder. Stop it, or set another state_folder."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
