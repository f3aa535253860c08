"""What follows the end of a connection: a value, so that only the service sleeps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from strapline_client.events import Reason
from strapline_protocol.closing import Backoff, CloseCode, Reaction, reaction_to, retry_after_ms
from strapline_protocol.opening import SUBPROTOCOL

#: Before AUTHENTICATED says over which time the server wants its clients to come back.
SPREAD_UNTIL_TOLD_MS: Final = 5_000
#: A server that asks for more has made a mistake, and a screen does not go dark over it.
LONGEST_ASKED_MS: Final = 120_000

_WHY: Final = MappingProxyType(
    {
        CloseCode.GOING_AWAY: Reason.SERVER_RESTARTS,
        CloseCode.RESTART: Reason.SERVER_RESTARTS,
        CloseCode.OVERLOADED: Reason.SERVER_BUSY,
        CloseCode.RATE_LIMITED: Reason.SERVER_BUSY,
        CloseCode.PROTOCOL_VIOLATION: Reason.BUG,
        CloseCode.UNAUTHENTICATED: Reason.LINK_ENDED,
        CloseCode.NOT_ALLOWED: Reason.LINK_REVOKED,
    }
)
_VERSION: Final = re.compile(r"strapline\.v(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Ending:
    """How one connection ended.

    Attributes:
        code: the close code; :attr:`CloseCode.LOST` where there was none.
        reason: the server's words, or the system's.
        useful: a snapshot had come.
        return_after_ms: what is left of the moment that GOING_AWAY gave to this client.
        spread_ms: within which a client comes back after a restart.
        versions: the server's, of HELLO; empty where that did not come.
    """

    code: int = CloseCode.LOST
    reason: str = ""
    useful: bool = False
    return_after_ms: int | None = None
    spread_ms: int = SPREAD_UNTIL_TOLD_MS
    versions: Sequence[str] = ()

    @property
    def why(self) -> Reason:
        """In one word."""
        if self.code == CloseCode.NO_COMMON_VERSION:
            return _who_is_behind(self.versions)
        try:
            return _WHY.get(CloseCode(self.code), Reason.SERVER_AWAY)
        except ValueError:
            return Reason.SERVER_AWAY


@dataclass(frozen=True, slots=True)
class Again:
    """Connect again after so long."""

    after_ms: int


@dataclass(frozen=True, slots=True)
class Renew:
    """Connect again at once, with another token; where none is to be had, after so long."""

    else_after_ms: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Never again by itself: the reason is to be shown."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """How often it has failed since a session was useful."""

    backoff: Backoff = field(default_factory=Backoff)

    def after(
        self,
        ending: Ending,
        random: float,
        *,
        other_token: bool = False,
        asks: bool = True,
    ) -> tuple[Retry, Again | Renew | Stop]:
        """The next step after ``ending``.

        Args:
            ending: how it ended.
            random: in [0, 1).
            other_token: another token than the one that was refused is there, or may be had now.
            asks: there is somebody to ask for a token, who may have another one later.
        """
        now = Retry(self.backoff.useful()) if ending.useful else self
        reaction = reaction_to(ending.code)
        if reaction is Reaction.STOP:
            return now, Stop(ending.code, ending.reason)
        # A server that is lost while it drains has said when to come back all the same.
        lost = ending.code == CloseCode.LOST and ending.return_after_ms is not None
        if reaction is Reaction.RETURN or lost:
            after_ms = ending.return_after_ms
            if after_ms is None:
                after_ms = round(ending.spread_ms * random)
            return replace(now, backoff=now.backoff.failed()), Again(after_ms)
        delay_ms = now.backoff.delay_ms(random)
        if reaction is Reaction.RENEW and other_token:
            # A token may just have run out: the fresh one is tried before any backing off.
            return now, Renew(delay_ms)
        if reaction is Reaction.RENEW and not asks:
            # The same token stays refused, however often it is shown.
            return now, Stop(ending.code, ending.reason)
        # Where the server says for how long to stay away, the jitter comes on top of it.
        asked_ms = min(LONGEST_ASKED_MS, retry_after_ms(ending.reason))
        return replace(now, backoff=now.backoff.failed()), Again(asked_ms + delay_ms)

    def failed(self, random: float) -> tuple[Retry, Again]:
        """The next step where it did not even come to a connection."""
        return replace(self, backoff=self.backoff.failed()), Again(self.backoff.delay_ms(random))


def _who_is_behind(versions: Sequence[str]) -> Reason:
    """Of an old program and an old server, the program is the likelier one."""
    numbers = [int(found[1]) for one in versions if (found := _VERSION.fullmatch(one))]
    own = _VERSION.fullmatch(SUBPROTOCOL)
    assert own is not None
    older = bool(numbers) and max(numbers) < int(own[1])
    return Reason.UPGRADE_SERVER if older else Reason.UPGRADE_CLIENT
