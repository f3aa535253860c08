"""The causes of gaps in words, as both ends' `verify` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from strapline_protocol.gaps import GapCause

_CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        GapCause.ERASED: "erased",
        GapCause.BRIDGE_DOWN: "bridge off",
        GapCause.BRIDGE_ASLEEP: "bridge asleep",
        GapCause.DROPPED: "dropped",
        GapCause.REJECTED: "refused by the server",
        GapCause.PENDING: "still coming",
        GapCause.RADIO_LOST: "radio lost",
        GapCause.NOT_WORN: "not worn",
        GapCause.OFF: "off",
        GapCause.SILENT: "silent: off, asleep or out of range",
    }
)


def cause_in_words(cause: str) -> str:
    """What a person reads; one that only a newer version knows is said by its own code."""
    return _CAUSES.get(cause, cause)
