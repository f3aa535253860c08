"""The token of one service: given, fetched from the program, or renewed by the server in band."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from strapline_client.errors import TokenSourceError

#: A token, or a function that gets a fresh one each time it is called.
TokenSource = str | Callable[[], Awaitable[str]]


class TokenKeeper:
    """Holds the newest token; never shown by ``repr``."""

    __slots__ = ("_newest", "_source")

    def __init__(self, source: TokenSource) -> None:
        self._source = source
        self._newest = source if isinstance(source, str) else ""

    async def fresh(self) -> str:
        """From the function where there is one; else the newest that was given.

        Raises:
            TokenSourceError: the function failed.
        """
        if not isinstance(self._source, str):
            try:
                self._newest = await self._source()
            except Exception as error:
                raise TokenSourceError(f"no token to be had: {type(error).__name__}") from error
        return self._newest

    def keep(self, token: str) -> None:
        """The server issued a newer one."""
        self._newest = token
