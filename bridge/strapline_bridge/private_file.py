"""Files for their owner's eyes alone: read whole, and refused where others could read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from strapline_bridge.errors import BridgeError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_private(
    path: Path, name: str, most_bytes: int, missing: str, kind: type[BridgeError]
) -> bytes:
    """What stands in it; one byte more than ``most_bytes`` at most, so that too much is seen.

    Args:
        path: the file.
        name: what it is, for the error.
        most_bytes: how much it may hold.
        missing: what to do where there is none.
        kind: the error to raise.

    Raises:
        BridgeError: of that kind: there is no such file, or others can read it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise kind(f"there is no {name} {path}", missing) from None
    except OSError as error:
        raise kind(
            f"the {name} {path} cannot be read: {error.strerror}",
            "Let the user that runs the bridge own it",
        ) from None
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise kind(f"the {name} {path} is not a file", "Name a regular file")
        if mode & _OTHERS:
            raise kind(f"the {name} {path} can be read by other users", f"Run `chmod 600 {path}`")
        return os.read(handle, most_bytes + 1)
    finally:
        os.close(handle)
