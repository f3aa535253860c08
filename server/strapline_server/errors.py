"""The server's own errors; each text names the thing, the cause and the remedy.

::

    StraplineError
    └── ServerError
        ├── ConfigError    a setting is wrong; nothing starts
        ├── SecretError    the signing secret is missing, weak or readable by others
        ├── StoreError     the database cannot be opened or written
        ├── TokenError     a token was refused; never holds the token
        └── AdminError     a user, principal or grant cannot be changed as asked
"""

from __future__ import annotations

from strapline_protocol.errors import StraplineError


class ServerError(StraplineError):
    """Base of the errors that this package raises on purpose."""


class ConfigError(ServerError):
    """A setting is missing or wrong."""


class SecretError(ServerError):
    """The secret that signs tokens cannot be used."""


class StoreError(ServerError):
    """The database cannot be opened, or not be written now."""


class TokenError(ServerError):
    """A token was refused. ``text`` is safe for a log and for the peer."""


class AdminError(ServerError):
    """What was asked of users and grants cannot be done."""
