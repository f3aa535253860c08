"""This screen's own link to the server: whether it stands, and what to do where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strapline_client.events import ConnectionStatus, Reason


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no session: short for the header, and what a person can do."""

    short: str
    title: str
    remedy: str
    #: Trying again changes nothing: a person must do something first.
    final: bool = False


_KEEP_RECORDING: Final = "Bridges that still run keep recording; their readings come later."
_NEW_LINK: Final = "Ask for a new link and start with it: strapline watch -"

SERVER_AWAY: Final = Trouble("server away", "The server is away", _KEEP_RECORDING)
_RESTARTING: Final = Trouble("server restarting", "The server is restarting", _KEEP_RECORDING)
_BUSY: Final = Trouble(
    "server busy",
    "The server has too much to do",
    "This screen comes back as soon as the server allows it.",
)
LINK_ENDED: Final = Trouble(
    "link expired",
    "This link no longer holds",
    f"It has expired, or it belongs to another server. {_NEW_LINK}",
    final=True,
)
LINK_REVOKED: Final = Trouble(
    "link revoked",
    "This link was revoked",
    f"What it showed left this screen at that moment. {_NEW_LINK}",
    final=True,
)
_NOT_UNDERSTOOD: Final = Trouble(
    "not understood",
    "Server and screen do not understand each other",
    "This is a fault of Strapline. Start again; if it comes back, please report it.",
    final=True,
)
_SERVER_OLD: Final = Trouble(
    "server too old",
    "The server is older than this screen",
    "Upgrade Strapline on the server, then start again.",
    final=True,
)
_SCREEN_OLD: Final = Trouble(
    "screen too old",
    "This screen is older than the server",
    "Upgrade Strapline on this machine, then start again.",
    final=True,
)
_TROUBLES: Final = {
    Reason.SERVER_AWAY: SERVER_AWAY,
    Reason.SERVER_RESTARTS: _RESTARTING,
    Reason.SERVER_BUSY: _BUSY,
    Reason.LINK_ENDED: LINK_ENDED,
    Reason.LINK_REVOKED: LINK_REVOKED,
    Reason.BUG: _NOT_UNDERSTOOD,
    Reason.UPGRADE_SERVER: _SERVER_OLD,
    Reason.UPGRADE_CLIENT: _SCREEN_OLD,
}


def trouble_of(why: Reason | None) -> Trouble | None:
    """What a person is told of it; None where nothing is wrong, or known yet."""
    return None if why is None else _TROUBLES[why]


@dataclass(frozen=True, slots=True)
class Connection:
    """This screen's link.

    Attributes:
        trouble: why it does not stand; None while it does, or is not known yet.
        lost_at_ms: when it went, by the server's clock; None where it never stood.
    """

    status: ConnectionStatus = ConnectionStatus.CONNECTING
    trouble: Trouble | None = None
    lost_at_ms: int | None = None

    @property
    def stands(self) -> bool:
        return self.status is ConnectionStatus.CONNECTED

    @property
    def ended(self) -> bool:
        """A person must act: what was shown is shown no more."""
        stopped = self.status is ConnectionStatus.STOPPED
        return stopped or (self.trouble is not None and self.trouble.final and not self.stands)
