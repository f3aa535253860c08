"""The faults of a day, drawn from a seed: what stands still, when, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, repeat
from random import Random
from types import MappingProxyType
from typing import Final

DAY_S: Final = 86_400
STRAPS: Final = 3
FAULTS: Final = 30
#: Of faults that cannot be at one time, and of the day's ends.
_APART_S: Final = 300
_QUIET_S: Final = 600
_TRIES: Final = 2_000


class Kind(StrEnum):
    """What goes wrong."""

    # With one strap: out of range; its advertising is heard and no link comes about; no skin;
    # an empty battery; nothing at all, while its link stands.
    LINK_LOST = "link lost"
    HEARD = "heard without a link"
    NOT_WORN = "not worn"
    EMPTY = "battery empty"
    QUIET = "quiet"
    # With the bridge's machine; a reboot is another boot, with its clock in 1970 for a while.
    ADAPTER = "adapter away"
    STOPPED = "bridge stopped"
    KILLED = "bridge killed"
    ASLEEP = "machine asleep"
    REBOOT = "machine rebooted"
    # On the way to the server: away for hours; so long that the outbox's bound is reached; one
    # strap's readings are refused.
    CUT = "server away"
    FULL = "outbox full"
    REFUSED = "readings refused"


OF_A_STRAP: Final = (Kind.LINK_LOST, Kind.HEARD, Kind.NOT_WORN, Kind.EMPTY, Kind.QUIET)
OF_THE_MACHINE: Final = (Kind.ADAPTER, Kind.STOPPED, Kind.KILLED, Kind.ASLEEP, Kind.REBOOT)
DOWN: Final = frozenset({Kind.STOPPED, Kind.KILLED, Kind.REBOOT})

#: The shortest and the longest, in seconds.
_LENGTHS: Final[Mapping[Kind, tuple[int, int]]] = MappingProxyType(
    {
        Kind.LINK_LOST: (20, 3_600),
        Kind.HEARD: (20, 1_800),
        Kind.NOT_WORN: (30, 7_200),
        Kind.EMPTY: (300, 7_200),
        Kind.QUIET: (20, 2_400),
        Kind.ADAPTER: (30, 1_800),
        Kind.STOPPED: (20, 3_600),
        Kind.KILLED: (10, 1_800),
        Kind.ASLEEP: (60, 7_200),
        Kind.REBOOT: (40, 900),
        Kind.CUT: (900, 7_200),
        Kind.FULL: (18_000, 21_600),
        Kind.REFUSED: (120, 1_800),
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them, from the beginning of ``from_s`` to before ``to_s``.

    Attributes:
        strap: whose; None where it concerns all.
        clock_s: of a reboot, for how long after it the clock stays in 1970.
    """

    kind: Kind
    from_s: int
    to_s: int
    strap: int | None = None
    clock_s: int = 0

    @property
    def _end_s(self) -> int:
        return self.to_s + self.clock_s + _APART_S

    def clashes(self, other: Fault) -> bool:
        """Whether the two cannot be at one time: one lane a strap, the machine's, and the way's."""
        if _lane(self) != _lane(other):
            return False
        return self.from_s < other._end_s and other.from_s < self._end_s

    def __str__(self) -> str:
        whose = "" if self.strap is None else f" of strap {self.strap}"
        return f"{_clock(self.from_s)} to {_clock(self.to_s)} {self.kind}{whose}"


def _lane(fault: Fault) -> tuple[str, int | None]:
    if fault.kind in OF_A_STRAP:
        return "strap", fault.strap
    return ("machine" if fault.kind in OF_THE_MACHINE else "way"), None


def _clock(second: int) -> str:
    return f"{second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}"


def drawn(seed: int, faults: int = FAULTS) -> list[Fault]:
    """So many faults of a day, of each kind at least one, by their beginning."""
    random = Random(seed)  # noqa: S311  # faults, and not keys
    found: list[Fault] = []
    # The longest first, while there is room; and of it only one.
    for kind in _kinds(random, faults):
        fault = _placed(random, kind, found)
        found.append(fault)
    return sorted(found, key=lambda one: (one.from_s, one.kind))


def _kinds(random: Random, faults: int) -> Iterator[Kind]:
    each = sorted(Kind, key=lambda kind: -_LENGTHS[kind][1])
    usual = [*OF_A_STRAP, *OF_A_STRAP, *OF_THE_MACHINE, Kind.CUT, Kind.REFUSED]
    return chain(each, map(random.choice, repeat(usual, faults - len(each))))


def _placed(random: Random, kind: Kind, beside: list[Fault]) -> Fault:
    shortest, longest = _LENGTHS[kind]
    for _ in range(_TRIES):
        length = round(math.exp(random.uniform(math.log(shortest), math.log(longest))))
        clock_s = random.randrange(60, 600) if kind is Kind.REBOOT else 0
        begin = random.randrange(_QUIET_S, DAY_S - _QUIET_S - length - clock_s)
        one_strap = kind in OF_A_STRAP or kind is Kind.REFUSED
        strap = random.randrange(STRAPS) if one_strap else None
        fault = Fault(kind, begin, begin + length, strap, clock_s)
        if not any(fault.clashes(other) for other in beside):
            return fault
    raise AssertionError(f"no room in the day for {kind}")
