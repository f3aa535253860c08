"""The server's own errors; each text names the thing, the cause and the remedy.

::

    StraplineError
    └── ServerError
        ├── ConfigError    a setting is wrong; nothing starts
        ├── SecretError    the signing secret, or a public key, is missing, weak or open to others
        ├── StoreError     the database cannot be opened or written
        │   └── FolderTakenError    another process has the state folder
        ├── TokenError     a token was refused; never holds the token
        ├── NoteError      what was said of a user is not stored
        └── AdminError     a user, principal or grant cannot be changed as asked
"""

from __future__ import annotations

from strapline_protocol.errors import StraplineError


class ServerError(StraplineError):
    """Base of the errors that this package raises on purpose."""


class ConfigError(ServerError):
    """A setting is missing or wrong."""


class SecretError(ServerError):
    """The secret that signs tokens, or a public key that checks them, cannot be used."""


class StoreError(ServerError):
    """The database cannot be opened, or not be written now."""


class FolderTakenError(StoreError):
    """Another server has the state folder."""


class TokenError(ServerError):
    """A token was refused. ``text`` is safe for a log and for the peer."""


class NoteError(ServerError):
    """What was said of a user is not stored; ``code`` as the wire tells it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class AdminError(ServerError):
    """What was asked of users and grants cannot be done."""
