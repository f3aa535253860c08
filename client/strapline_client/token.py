"""The token of one service: given, fetched from the program, or renewed by the server in band."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from strapline_client.errors import TokenSourceError

#: A token, or a function that gets a fresh one each time it is called.
TokenSource = str | Callable[[], Awaitable[str]]

#: As the wire takes it; checked here, since the wire's own check would show it in a traceback.
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,16384}")


class TokenKeeper:
    """Holds the newest token; never shown by ``repr``.

    The program's function is asked where there is no token, where the server refused the one
    that is held, and where that runs out and the server issues no other. Without a function there
    is nobody to ask, and a token that the server refuses ends the service.

    Raises:
        ValueError: a given token is none.
    """

    __slots__ = ("_held", "_refused", "_renewed", "_source")

    def __init__(self, source: TokenSource) -> None:
        self._source = None if isinstance(source, str) else source
        self._held: str | None = None
        self._refused: str | None = None
        self._renewed = False
        if isinstance(source, str):
            self.keep(source)

    def can_renew(self) -> bool:
        """Whether a new token may be tried at once: none was since a session worked."""
        return self._source is not None and not self._renewed

    @property
    def has_source(self) -> bool:
        """Whether there is a function to ask."""
        return self._source is not None

    def differs_from(self, used: str) -> bool:
        """Whether another one is held than was used."""
        return self._held is not None and self._held != used

    def refused(self, used: str) -> None:
        """The server will not have this one."""
        self._refused = used

    def worked(self) -> None:
        """A session stands: the next refusal may ask at once again."""
        self._refused = None
        self._renewed = False

    async def current(self) -> str:
        """The one to use now.

        Raises:
            TokenSourceError: the function failed, or gave none.
        """
        if self._held is None or (self.has_source and self._held == self._refused):
            return await self.renew()
        return self._held

    async def renew(self) -> str:
        """A new one from the function; raises as :meth:`current` does."""
        if self._source is None:
            raise TokenSourceError("no token to be had: no function was given to ask for one")
        try:
            token = await self._source()
            self.keep(token)
        except Exception as error:
            raise TokenSourceError(f"no token to be had: {type(error).__name__}") from error
        self._renewed = True
        return token

    def keep(self, token: str) -> None:
        """A newer one, for this connection and the next.

        Raises:
            ValueError: it is none.
        """
        if not _TOKEN.fullmatch(token):
            raise ValueError(
                "not a token: 1 to 16,384 characters without spaces and line ends; give it as "
                "it was issued"
            )
        self._held = token
