"""A reading: what one notification said, in the registry's units, not yet whose or when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

#: The columns of a reading that has none.
NO_COLUMNS: Final[Mapping[str, object]] = MappingProxyType({})


class Quality(StrEnum):
    """The bridge's marks on a reading, as they stand in a series' ``quality`` column."""

    #: The wearable can feel contact and feels none.
    NO_CONTACT = "noContact"
    #: A rate of 0: the wearable measures nothing.
    ZERO = "zero"
    #: A rate that stands still while the heart does not, or while nobody wears it.
    FROZEN = "frozen"
    #: RR intervals that stand in for measured ones; the rate beside them is real.
    FILLER = "filler"
    #: More steps than legs can make since the last total: counted from anew.
    IMPLAUSIBLE = "implausible"
    #: Steps that no wearable counted: cadence times time.
    DERIVED = "derived"
    #: A step total after an outage: when those steps were made is not known.
    AFTER_GAP = "afterGap"


class Reading(NamedTuple):
    """One reading of one metric, and what else came in the same notification.

    A named tuple, since each notification makes some: a frozen dataclass takes three times as
    long to make.

    Attributes:
        metric: a name in :data:`strapline_protocol.metrics.METRICS`.
        value: in the metric's unit; ``None`` where the notification does not hold it, and then
            there is no reading.
        columns: what stands beside the value, by its Python (snake_case) name in
            :class:`strapline_protocol.series.Series`; never a key without a value.
            ``heart_rate``: ``rr`` (list of int, 1/1024 s, oldest first), ``contact`` (bool,
            absent where the wearable cannot feel it), ``energy_kj`` (int, accumulated).
        quality: marks, in the order found; empty when there is nothing to say.
        also: readings of other metrics in the same notification; none of them has any itself.
        session: of a running total, the wearable's own name for the count that it belongs to;
            empty where it has none.
    """

    metric: str
    value: int | float | None
    columns: Mapping[str, object] = NO_COLUMNS
    quality: tuple[str, ...] = ()
    also: tuple[Reading, ...] = ()
    session: str = ""


_Fields = tuple[
    str, int | float | None, Mapping[str, object], tuple[str, ...], tuple[Reading, ...], str
]
#: A reading out of its six fields in order, all of them: in half the time of the class's own
#: constructor, which is Python, and which each notification would call up to three times.
make_reading: Final[Callable[[_Fields], Reading]] = partial(tuple.__new__, Reading)
