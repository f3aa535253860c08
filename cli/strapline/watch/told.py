"""What the server says of stretches without a reading: its causes, in the words of the page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from strapline.watch.causes import Because, Why, counted
from strapline_protocol.gaps import Evidence, GapCause
from strapline_protocol.watching import Gap

#: By cause and evidence; an evidence that says no more stands under None.
_WHY: Final = MappingProxyType(
    {
        (GapCause.ERASED, None): Why.ERASED,
        (GapCause.BRIDGE_DOWN, None): Why.BRIDGE_OFF,
        (GapCause.BRIDGE_DOWN, Evidence.KILLED): Why.BRIDGE_CRASHED,
        (GapCause.BRIDGE_ASLEEP, None): Why.BRIDGE_ASLEEP,
        (GapCause.DROPPED, None): Why.DROPPED,
        (GapCause.DROPPED, "discarded"): Why.DISCARDED,
        (GapCause.DROPPED, "damaged"): Why.DAMAGED,
        (GapCause.REJECTED, None): Why.REFUSED,
        (GapCause.PENDING, None): Why.PENDING,
        (GapCause.RADIO_LOST, None): Why.RADIO_LOST,
        (GapCause.RADIO_LOST, Evidence.ADAPTER_AWAY): Why.BLUETOOTH_AWAY,
        (GapCause.NOT_WORN, None): Why.NOT_WORN,
        (GapCause.OFF, None): Why.BATTERY_EMPTY,
        (GapCause.SILENT, None): Why.SILENT,
        (GapCause.SILENT, Evidence.LINKED): Why.SILENT_LINKED,
    }
)
_LONG: Final = MappingProxyType(
    {
        Why.BRIDGE_CRASHED: "bridge off: it crashed or lost power",
        Why.DROPPED: "readings dropped: the bridge\u2019s card was full",
        Why.DISCARDED: "readings discarded by hand on the bridge",
        Why.DAMAGED: "readings damaged on the bridge\u2019s card",
        Why.REFUSED: "readings refused by the server",
        Why.PENDING: "still coming: waiting on the bridge",
        Why.RADIO_LOST: "radio lost: strap heard, no link",
        Why.BLUETOOTH_AWAY: "bridge\u2019s Bluetooth was off",
        Why.SILENT: "silent: off, asleep or out of range",
        Why.SILENT_LINKED: "strap connected, but silent",
    }
)
_STOPPED: Final = "bridge off: it was stopped"
#: What gives way to anything that is known here: it names nothing that happened.
_VAGUE: Final = frozenset({Why.PENDING, Why.SILENT, Why.SILENT_LINKED})
_CAPITAL: Final = re.compile(r"([a-z0-9])([A-Z])")


class Said(NamedTuple):
    """A cause in words.

    Attributes:
        short: on a plate that is small.
        long: all of it; None where there is no more.
        counted: after a number of people.
    """

    short: str
    long: str | None
    counted: str


def told(gap: Gap) -> Said:
    """In words; a cause that only a newer server knows is said by its own code."""
    why = _why_of(gap)
    long = _LONG.get(why) if isinstance(why, Why) else None
    if why is Why.BRIDGE_OFF and gap.evidence == Evidence.STOPPED:
        long = _STOPPED
    return Said(str(why), long, counted(why))


def spelled(gap: Gap) -> str:
    """``silent: off, asleep or out of range``: all of it."""
    said = told(gap)
    return said.long or said.short


def _why_of(gap: Gap) -> Why | str:
    try:
        cause = GapCause(gap.cause)
    except ValueError:
        return _CAPITAL.sub(r"\1 \2", gap.cause).replace("_", " ").replace("-", " ").lower()
    return _WHY.get((cause, gap.evidence)) or _WHY[cause, None]


def because_told(from_ms: int, to_ms: int, gaps: Iterable[Gap]) -> Because | None:
    """The cause of most of a stretch; None where the server has told of no gap in it."""
    lengths: Counter[Why | str] = Counter()
    begins: dict[Why | str, int] = {}
    for gap in gaps:
        length_ms = min(to_ms, gap.to_ms) - max(from_ms, gap.from_ms)
        if length_ms > 0:
            why = _why_of(gap)
            lengths[why] += length_ms
            begins.setdefault(why, gap.from_ms)
    if not lengths:
        return None
    why = max(lengths, key=lengths.__getitem__)
    return Because(why, begins[why])


def agreed(own: Because, gaps: Sequence[Gap], from_ms: int, to_ms: int, *, lasts: bool) -> Because:
    """What this screen noticed itself counts for the present, and what the server knows after it.

    Args:
        own: by this screen's own knowledge.
        lasts: the stretch goes on.
    """
    answer = because_told(from_ms, to_ms, gaps)
    if answer is None:
        return own
    knows = own.why is not Why.NO_READING
    return own if knows and (lasts or answer.why in _VAGUE) else answer
