"""A reading: what one notification said, in the registry's units, not yet whose or when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

#: The columns of a reading that has none.
NO_COLUMNS: Final[Mapping[str, object]] = MappingProxyType({})


class Quality(StrEnum):
    """The bridge's marks on a reading, as they stand in a series' ``quality`` column."""

    #: The wearable can feel contact and feels none.
    NO_CONTACT = "noContact"
    #: A rate of 0: the wearable measures nothing.
    ZERO = "zero"
    #: More steps than legs can make since the last total: counted from anew.
    IMPLAUSIBLE = "implausible"
    #: A step total after an outage: when those steps were made is not known.
    AFTER_GAP = "afterGap"


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one metric.

    Attributes:
        metric: a name in :data:`strapline_protocol.metrics.METRICS`.
        value: in the metric's unit; ``None`` where the wearable's format says "no data".
        columns: what stands beside the value, by its Python (snake_case) name in
            :class:`strapline_protocol.series.Series`; never a key without a value.
            ``heart_rate``: ``rr`` (list of int, 1/1024 s, oldest first), ``contact`` (bool,
            absent where the wearable cannot feel it), ``energy_kj`` (int, accumulated).
        quality: marks, in the order found; empty when there is nothing to say.
    """

    metric: str
    value: int | float | None
    columns: Mapping[str, object] = field(default_factory=lambda: NO_COLUMNS)
    quality: tuple[str, ...] = ()
