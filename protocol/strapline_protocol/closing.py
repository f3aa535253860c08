"""Close codes (RFC 6455 section 7.4, 4000 to 4999 private) and what a client does at each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Final


class CloseCode(IntEnum):
    """Why a connection ended."""

    GOING_AWAY = 1001
    LOST = 1006
    TOO_BIG = 1009
    SERVER_FAULT = 1011
    RESTART = 1012
    OVERLOADED = 1013
    PROTOCOL_VIOLATION = 4400
    UNAUTHENTICATED = 4401
    NOT_ALLOWED = 4403
    AUTHENTICATION_TIMEOUT = 4408
    TAKEN_OVER = 4409
    MESSAGE_TOO_LARGE = 4413
    NO_COMMON_VERSION = 4426
    RATE_LIMITED = 4429


class Reaction(Enum):
    """What a client does. A bridge never stops recording: where a viewer stops, it waits."""

    RETURN = "comes back at its given moment, else within the reconnect spread"
    BACK_OFF = "backs off"
    RENEW = "gets a new token once, then backs off"
    STOP = "stops and says why"
    WAIT_LONG = "waits an hour: another connection of the same bridge is the newer one"
    SPLIT = "sends smaller messages"


REACTIONS: Final = MappingProxyType(
    {
        CloseCode.GOING_AWAY: Reaction.RETURN,
        CloseCode.RESTART: Reaction.RETURN,
        CloseCode.LOST: Reaction.BACK_OFF,
        CloseCode.SERVER_FAULT: Reaction.BACK_OFF,
        CloseCode.OVERLOADED: Reaction.BACK_OFF,
        CloseCode.RATE_LIMITED: Reaction.BACK_OFF,
        CloseCode.PROTOCOL_VIOLATION: Reaction.STOP,
        CloseCode.UNAUTHENTICATED: Reaction.RENEW,
        CloseCode.NOT_ALLOWED: Reaction.STOP,
        CloseCode.AUTHENTICATION_TIMEOUT: Reaction.BACK_OFF,
        CloseCode.TAKEN_OVER: Reaction.WAIT_LONG,
        CloseCode.TOO_BIG: Reaction.SPLIT,
        CloseCode.MESSAGE_TOO_LARGE: Reaction.SPLIT,
        CloseCode.NO_COMMON_VERSION: Reaction.STOP,
    }
)

HOUR_MS: Final = 3_600_000

#: RFC 6455 section 5.5: a control frame holds 125 bytes, two of them the code.
_LONGEST_REASON_BYTES: Final = 123
_RETRY_AFTER: Final = re.compile(r"retry after (\d{1,8}) ms")


def reason_text(reason: str, retry_after_ms: int = 0) -> str:
    """A close frame's reason: cut to what fits, and its end says when to come back, if it does.

    >>> reason_text("too many messages", retry_after_ms=5_000)
    'too many messages; retry after 5000 ms'
    """
    end = f"; retry after {retry_after_ms} ms" if retry_after_ms else ""
    room = _LONGEST_REASON_BYTES - len(end)
    if len(reason.encode()) > room:
        reason = reason.encode()[: room - 3].decode(errors="ignore") + "..."
    return reason + end


def retry_after_ms(reason: str) -> int:
    """For how long the server asks to stay away (1013, 4429); 0 when the reason does not say."""
    found = _RETRY_AFTER.search(reason)
    return int(found[1]) if found else 0


def reaction_to(code: int) -> Reaction:
    """What a client does at this close code; one that is not in the table backs off."""
    try:
        return REACTIONS[CloseCode(code)]
    except ValueError:
        return Reaction.BACK_OFF


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter, the first retry too, without end: a value, so only the caller sleeps.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """

    attempt: int = 0
    base_ms: int = 500
    cap_ms: int = 60_000

    def delay_ms(self, random: float) -> int:
        """How long to wait now, for ``random`` in [0, 1)."""
        # The exponent is bounded, since a client that tries for a year must not make a big number.
        ceiling = min(self.cap_ms, self.base_ms * 2 ** min(self.attempt, 16))
        return int(ceiling * random)

    def failed(self) -> Backoff:
        """After a connection that ended before it was useful."""
        return Backoff(self.attempt + 1, self.base_ms, self.cap_ms)

    def useful(self) -> Backoff:
        """After a session that has really worked."""
        return Backoff(0, self.base_ms, self.cap_ms)
