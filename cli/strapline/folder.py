"""The data folder of `strapline up`: where server and bridge keep what is theirs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strapline.errors import CommandError

_OWNER_ONLY: Final = 0o600
#: The configuration of a server that runs as a service, which has no data folder.
SERVICE_CONFIG: Final = Path("/etc/strapline/server.toml")


def default_folder(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """``~/.local/share/NAME`` (XDG Base Directory Specification)."""
    return Path(environment.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / name


@dataclass(frozen=True, slots=True)
class DataFolder:
    """One machine's own Strapline: nothing of it is anywhere else."""

    path: Path

    @property
    def server(self) -> Path:
        """The server's folder, with database and signing secret."""
        return self.path / "server"

    @property
    def bridge(self) -> Path:
        """The bridge's state folder, with outbox and wearables."""
        return self.path / "bridge"

    @contextmanager
    def held(self) -> Iterator[None]:
        """The folder, made where it is missing, for this process alone.

        Raises:
            CommandError: it cannot be made, or another process has it.
        """
        try:
            for folder in (self.path, self.server, self.bridge):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        except OSError as error:
            raise CommandError(
                f"The data folder {self.path} cannot be used: {error.strerror}. "
                "Choose another with --data FOLDER."
            ) from error
        try:
            self._take(lock)
            yield
        finally:
            os.close(lock)

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise CommandError(
                f"The data folder {self.path} is in use by another strapline (process {holder}). "
                "Stop that one, or choose another folder with --data FOLDER."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def is_running(folder: DataFolder) -> bool:
    """Whether a process has this folder."""
    with suppress(OSError):
        lock = os.open(folder.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
    return False
