"""What a host application is told when it is at fault, or its data is; each text has the remedy.

::

    ServerError
    └── HostError
        ├── NotRunningError     the lifespan was forgotten, or has ended
        ├── UpdateError         what was given is no health data update
        └── UnknownUserError    nobody of this id was added
"""

from __future__ import annotations

from strapline_server.errors import ServerError


class HostError(ServerError):
    """Base of what a host application is told."""


class NotRunningError(HostError):
    """The handler was used before it was started, or after it was stopped."""


class UpdateError(HostError):
    """A health data update cannot be sent as it is.

    Attributes:
        field: which part of it, as it was spelled: ``heart_rate.average``; empty for the whole.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}" if field else text)
        self.field = field


class UnknownUserError(HostError):
    """There is no such wearer."""
