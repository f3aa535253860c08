"""What follows the end of a connection: a value, so that only the service sleeps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from strapline_protocol.closing import Backoff, CloseCode, Reaction, reaction_to, retry_after_ms

#: Before AUTHENTICATED says over which time the server wants its clients to come back.
SPREAD_UNTIL_TOLD_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Ending:
    """How one connection ended.

    Attributes:
        code: the close code; :attr:`CloseCode.LOST` where there was none.
        reason: the server's words, or the system's.
        useful: a snapshot had come.
        return_after_ms: the moment that GOING_AWAY gave to this client.
        spread_ms: within which a client comes back after a restart.
    """

    code: int = CloseCode.LOST
    reason: str = ""
    useful: bool = False
    return_after_ms: int | None = None
    spread_ms: int = SPREAD_UNTIL_TOLD_MS


@dataclass(frozen=True, slots=True)
class Again:
    """Connect again after so long."""

    after_ms: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Never again by itself: the reason is to be shown."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """How often it has failed, and whether a new token was tried since it last worked."""

    backoff: Backoff = field(default_factory=Backoff)
    renewed: bool = False

    def after(self, ending: Ending, random: float) -> tuple[Retry, Again | Stop]:
        """The next step after ``ending``, for ``random`` in [0, 1)."""
        now = Retry(self.backoff.useful()) if ending.useful else self
        reaction = reaction_to(ending.code)
        if reaction is Reaction.STOP:
            return now, Stop(ending.code, ending.reason)
        if reaction is Reaction.RETURN or ending.return_after_ms is not None:
            after_ms = ending.return_after_ms
            if after_ms is None:
                after_ms = int(ending.spread_ms * random)
            return replace(now, backoff=now.backoff.failed()), Again(after_ms)
        # Where the server says for how long to stay away, the jitter comes on top of it.
        again = Again(retry_after_ms(ending.reason) + now.backoff.delay_ms(random))
        if reaction is Reaction.RENEW and not now.renewed:
            # A token may just have run out: the fresh one is tried before any backing off.
            return replace(now, renewed=True), again
        return replace(now, backoff=now.backoff.failed()), again
