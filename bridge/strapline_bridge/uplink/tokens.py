"""Where a connection's token comes from: a file that is read anew each time, or a function."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from strapline_bridge.token_file import read_token

_log = logging.getLogger(__name__)


class TokenSource(Protocol):
    """Gives the token that says who this bridge is."""

    async def token(self, server_time_ms: int) -> str:
        """A token for a connection that begins now.

        Args:
            server_time_ms: the server's wall time, for a bridge that does not know its own.

        Raises:
            BridgeError: there is none; the text says why and what to do.
        """
        ...

    async def keep(self, token: str) -> None:
        """The server has sent the next token."""
        ...


class FileTokens:
    """The token stands in a file; the next one is written there, for the next start."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self, server_time_ms: int) -> str:
        """What stands in the file now; raises as :func:`read_token` does."""
        return await asyncio.to_thread(read_token, self._path)

    async def keep(self, token: str) -> None:
        """Put the next token in the place of the old one, at once or not at all."""
        try:
            await asyncio.to_thread(_replace, self._path, token)
        except OSError as error:
            _log.warning(
                "the renewed token cannot be written to %s: %s; let the user that runs the "
                "bridge own that folder, or renew the token by hand before it expires",
                self._path,
                error.strerror or error,
            )


class SignedTokens:
    """A function signs a new token for each connection, as where server and bridge are one."""

    def __init__(self, sign: Callable[[int], str]) -> None:
        self._sign = sign

    async def token(self, server_time_ms: int) -> str:
        """A token dated by the server's clock."""
        return self._sign(server_time_ms)

    async def keep(self, token: str) -> None:
        """Nothing to keep: the next connection gets one of its own."""


def _replace(path: Path, token: str) -> None:
    # mkstemp makes it readable by its owner alone from the first moment.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
