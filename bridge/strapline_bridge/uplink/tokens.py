"""Where a connection's token comes from: a file, the bridge's own key, or a function."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from strapline_bridge.clock import ClockState, SystemWallClock, TimeSource, WallClock, clock_state
from strapline_bridge.config import BridgeConfig
from strapline_bridge.key_file import load_key
from strapline_bridge.token_file import read_token

_log = logging.getLogger(__name__)

#: A server whose clock differs by more, from one that is known, does not date this bridge's tokens.
_MOST_APART_MS: Final = 24 * 3_600 * 1_000


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


class KeyTokens:
    """The bridge signs each token with a key of its own, which is read anew, so that another one
    needs no restart.

    A token is dated by the server's time: it is the server that judges it, and this machine may
    not know the date. A known clock bounds that, so that nobody gets a token for another year.
    """

    def __init__(
        self,
        path: Path,
        wall_clock: WallClock | None = None,
        clock: Callable[[], ClockState] = clock_state,
    ) -> None:
        self._path = path
        self._wall_clock = wall_clock or SystemWallClock()
        self._clock = clock

    async def token(self, server_time_ms: int) -> str:
        """A token from now on; raises as :func:`load_key` does."""
        return await asyncio.to_thread(self._sign, server_time_ms)

    async def keep(self, token: str) -> None:
        """Nothing to keep: the next one is signed when it is needed."""

    def _sign(self, server_time_ms: int) -> str:
        own_ms = self._wall_clock.now_ms()
        apart = abs(server_time_ms - own_ms) > _MOST_APART_MS
        if apart and self._clock().source is TimeSource.SYSTEM:
            _log.warning(
                "this machine's clock is synchronised and the server's is more than a day from it: "
                "the server may refuse this bridge; set the server's clock right"
            )
            return load_key(self._path).sign(own_ms)
        return load_key(self._path).sign(server_time_ms)


class SignedTokens:
    """A function signs a new token for each connection, as where server and bridge are one."""

    def __init__(self, sign: Callable[[int], str]) -> None:
        self._sign = sign

    async def token(self, server_time_ms: int) -> str:
        """A token dated by the server's clock."""
        return self._sign(server_time_ms)

    async def keep(self, token: str) -> None:
        """Nothing to keep: the next connection gets one of its own."""


def configured_tokens(config: BridgeConfig) -> TokenSource:
    """Where this bridge's tokens come from: what is named, else its own key where it has one."""
    key_path = config.key_path
    if key_path is not None:
        return KeyTokens(key_path)
    return FileTokens(config.token_path)


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
