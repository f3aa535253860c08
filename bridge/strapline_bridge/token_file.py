"""The file that holds the bridge's token: read anew for each connection, for its owner alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from strapline_bridge.errors import BridgeError
from strapline_bridge.private_file import read_private

#: The protocol's bound for a token.
_MOST_BYTES: Final = 16 * 1024
_TOKEN: Final = re.compile(rb"[\x21-\x7e]+")
_MAKE_ONE: Final = (
    "Make a token on the server with `strapline server token --bridge NAME --users ID,...`, put it "
    "into that file, and run `chmod 600 {path}`"
)


class TokenFileError(BridgeError):
    """The token cannot be had, or not safely. The text never holds any of it."""


def read_token(path: Path) -> str:
    """The token in a file, without the blanks around it.

    Raises:
        TokenFileError: there is no such file, others can read it, or it holds no token.
    """
    missing = _MAKE_ONE.format(path=path)
    text = read_private(path, "token file", _MOST_BYTES + 2, missing, TokenFileError).strip()
    if len(text) > _MOST_BYTES or not _TOKEN.fullmatch(text):
        raise TokenFileError(
            f"the token file {path} holds no token: one line of at most 16 KiB without blanks",
            missing,
        )
    return text.decode("ascii")
