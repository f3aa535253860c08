"""When to come back after a connection ended: a decision as a value; only the caller sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strapline_protocol.closing import (
    HOUR_MS,
    Backoff,
    CloseCode,
    Reaction,
    reaction_to,
    retry_after_ms,
)

#: Where a server names no spread of its own.
_SPREAD_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended.

    Attributes:
        code: the close code, or 1006 where no connection came about.
        reason: in words, for the status and the log.
        useful: readings were acknowledged in it.
        come_back_ms: this bridge's own moment, as GOING_AWAY gave it.
        spread_ms: ``reconnectSpreadMs`` of the server.
    """

    code: int
    reason: str
    useful: bool = False
    come_back_ms: int | None = None
    spread_ms: int = _SPREAD_MS


@dataclass(frozen=True, slots=True)
class Next:
    """What follows: wait so long, then try with this backoff.

    Attributes:
        stopped: why a viewer would stop here; a bridge says so and tries again hourly.
        split: messages must become smaller.
    """

    wait_ms: int
    backoff: Backoff
    stopped: str | None = None
    split: bool = False


def after(ending: Ending, backoff: Backoff, random: float) -> Next:
    """What to do after an ending, for ``random`` in [0, 1)."""
    if ending.useful:
        backoff = backoff.useful()
    reaction = reaction_to(ending.code)
    match reaction:
        case Reaction.STOP | Reaction.WAIT_LONG:
            # Not all bridges of a server on the same second of each hour.
            wait_ms = int(HOUR_MS * (0.9 + 0.2 * random))
            return Next(wait_ms, backoff, stopped=_why(ending))
        case Reaction.SPLIT:
            return Next(backoff.delay_ms(random), backoff.failed(), split=True)
        case _ if ending.come_back_ms is not None:
            return Next(ending.come_back_ms, backoff.failed())
        case Reaction.RETURN:
            return Next(int(ending.spread_ms * random), backoff.failed())
        case _:
            # RENEW too: each connection asks for its token anew.
            asked_ms = retry_after_ms(ending.reason)
            return Next(asked_ms + backoff.delay_ms(random), backoff.failed())


def _why(ending: Ending) -> str:
    told = f": {ending.reason}" if ending.reason else ""
    match ending.code:
        case CloseCode.TAKEN_OVER:
            return f"another connection of this same bridge took over{told}"
        case CloseCode.NOT_ALLOWED:
            return f"the server does not allow this bridge{told}"
        case CloseCode.NO_COMMON_VERSION:
            return f"this bridge and the server have no version in common{told}"
        case _:
            return f"the server calls this bridge's messages wrong{told}"
