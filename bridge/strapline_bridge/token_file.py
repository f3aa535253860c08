"""The file that holds the bridge's token: read anew for each connection, for its owner alone."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from strapline_bridge.errors import BridgeError

#: The protocol's bound for a token.
_MOST_BYTES: Final = 16 * 1024
_TOKEN: Final = re.compile(rb"[\x21-\x7e]+")
_MAKE_ONE: Final = (
    "Make a token on the server with `strapline server token --bridge NAME --users ID,...`, put it "
    "into that file, and run `chmod 600 {path}`"
)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class TokenFileError(BridgeError):
    """The token cannot be had, or not safely. The text never holds any of it."""


def read_token(path: Path) -> str:
    """The token in a file, without the blanks around it.

    Raises:
        TokenFileError: there is no such file, others can read it, or it holds no token.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise TokenFileError(
            f"there is no token file {path}",
            _MAKE_ONE.format(path=path),
        ) from None
    except OSError as error:
        raise TokenFileError(
            f"the token file {path} cannot be read: {error.strerror}",
            "Let the user that runs the bridge own it",
        ) from None
    try:
        _check(path, os.fstat(handle).st_mode)
        text = os.read(handle, _MOST_BYTES + 3).strip()
    finally:
        os.close(handle)
    if len(text) > _MOST_BYTES or not _TOKEN.fullmatch(text):
        raise TokenFileError(
            f"the token file {path} holds no token: one line of at most 16 KiB without blanks",
            _MAKE_ONE.format(path=path),
        )
    return text.decode("ascii")


def _check(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise TokenFileError(f"the token file {path} is not a file", "Name a regular file")
    if mode & _OTHERS:
        raise TokenFileError(
            f"the token file {path} can be read by other users", f"Run `chmod 600 {path}`"
        )
