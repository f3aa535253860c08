"""Where the control socket stands: in the state folder, for its owner alone.

The server's desk stands the same way in the server's folder; neither part may import the other.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NAME: Final = "control.sock"
_OWNER_ONLY: Final = 0o600
#: sun_path of unix(7) holds 108 bytes with the zero at its end.
_LONGEST_PATH: Final = 107


def bind(folder: Path) -> socket.socket:
    """The socket, in place of one that a dead process left: the outbox's lock is this process's.

    Raises:
        OSError: it cannot be made there.
    """
    remove(folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The mode that it has when it is bound, so that nobody else has a moment.
        os.fchmod(listener.fileno(), _OWNER_ONLY)
        with reachable(folder) as path:
            listener.bind(path)
    except OSError:
        listener.close()
        raise
    return listener


def remove(folder: Path) -> None:
    """Take the socket away."""
    (folder / NAME).unlink(missing_ok=True)


@contextmanager
def reachable(folder: Path) -> Iterator[str]:
    """A path to the socket that fits into an address, however long the folder's is."""
    path = str(folder / NAME)
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield path
        return
    # The kernel follows an open folder by its number (proc(5)).
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
