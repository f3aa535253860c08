"""From readings to rows: one series a wearer, device and metric, numbered without holes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from strapline_bridge.intake import Arrived
from strapline_protocol.series import LONGEST_SERIES, Counter, Series, differences

_NS_PER_MS: Final = 1_000_000
#: A row of readings with many RR intervals stays far below a message's 256 KiB.
LONGEST_ROW: Final = 250
_COLUMNS: Final = ("rr", "contact", "energy_kj", "quality")

_Key = tuple[str, str, str, bool, str | None, int | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A run of one stream's readings with adjoining numbers, as it is stored and sent."""

    stream: str
    series: Series

    @property
    def first_seq(self) -> int:
        """The number of its first reading."""
        return self.series.seq[0]

    @property
    def last_seq(self) -> int:
        """The number of its last reading."""
        return sum(self.series.seq)


def elapsed_ms(boot_ns: int, zero_ns: int) -> int:
    """Boot clock since a stream's zero, in whole ms."""
    return (boot_ns - zero_ns) // _NS_PER_MS


def rows_of(arrivals: Iterable[Arrived], *, stream: str, next_seq: int, zero_ns: int) -> list[Row]:
    """What arrived since the last commit as rows, in order of each one's first arrival.

    Numbers adjoin within a row, since time and number may order readings differently.
    """
    groups: dict[_Key, list[Arrived]] = {}
    for arrived in arrivals:
        groups.setdefault(_key(arrived), []).append(arrived)
    rows: list[Row] = []
    for group in groups.values():
        for start in range(0, len(group), LONGEST_ROW):
            part = group[start : start + LONGEST_ROW]
            rows.append(Row(stream, _series(part, next_seq, zero_ns)))
            next_seq += len(part)
    return rows


def _key(arrived: Arrived) -> _Key:
    counter = arrived.counter
    return (
        arrived.user,
        arrived.device,
        arrived.reading.metric,
        arrived.on_change,
        counter.id if counter else None,
        counter.counted_from if counter else None,
    )


def _series(group: Sequence[Arrived], first_seq: int, zero_ns: int) -> Series:
    head = group[0]
    names = dict.fromkeys(chain.from_iterable(one.reading.columns for one in group))
    columns: dict[str, Any] = {
        name: [one.reading.columns.get(name) for one in group] for name in names
    }
    if any(one.reading.quality for one in group):
        columns["quality"] = [list(one.reading.quality) or None for one in group]
    counter = head.counter
    return Series(
        user=head.user,
        device=head.device,
        metric=head.reading.metric,
        seq=[first_seq] + [1] * (len(group) - 1),
        elapsed_ms=differences([elapsed_ms(one.boot_ns, zero_ns) for one in group]),
        value=[one.reading.value for one in group],
        counter=None if counter is None else Counter(id=counter.id, from_=counter.counted_from),
        on_change=head.on_change,
        **columns,
    )


def row_values(series: Sequence[Series], stream: int, store: str | None) -> dict[str, object]:
    """Parameters of the query ``insert_row``.

    Args:
        series: whose numbers together have no holes: one, or those that were joined into a row.
        stream: the key of its stream.
        store: what acknowledged all of it; None: it is still to be sent.
    """
    texts = [one.model_dump_json(by_alias=True) for one in series]
    return {
        "stream": stream,
        "first_seq": min(one.seq[0] for one in series),
        "last_seq": max(sum(one.seq) for one in series),
        "first_ms": min(one.elapsed_ms[0] for one in series),
        "device": series[0].device,
        "store": store,
        "payload": texts[0] if len(texts) == 1 else f"[{','.join(texts)}]",
    }


def letter_values(letter: Series, stream: int, code: str, message: str) -> dict[str, object]:
    """Parameters of the query ``insert_dead_letter``; the letter's numbers have no holes."""
    return {
        "stream": stream,
        "first_seq": letter.seq[0],
        "last_seq": sum(letter.seq),
        "code": code,
        "message": message,
        "payload": letter.model_dump_json(by_alias=True),
    }


def merged(series: Iterable[Series]) -> list[Series]:
    """The same readings in fewer series: one for each wearer, device, metric and counter.

    Within each, the numbers must ascend in the order given, as rows read in order do.
    """
    groups: dict[object, list[Series]] = {}
    for one in series:
        counter = one.counter and (one.counter.id, one.counter.from_)
        extra = tuple(sorted(one.model_extra or ()))
        # What this version does not know cannot be joined safely.
        alone = one.seq[0] if extra else None
        key = (one.user, one.device, one.metric, one.on_change, counter, alone)
        groups.setdefault(key, []).append(one)
    return [joined for group in groups.values() for joined in _join(group)]


def _join(group: Sequence[Series]) -> list[Series]:
    if len(group) == 1:
        return list(group)
    joined: list[Series] = []
    part: list[Series] = []
    length = 0
    for one in group:
        if part and length + len(one) > LONGEST_SERIES:
            joined.append(_concatenated(part))
            part, length = [], 0
        part.append(one)
        length += len(one)
    joined.append(_concatenated(part))
    return joined


def _concatenated(part: Sequence[Series]) -> Series:
    if len(part) == 1:
        return part[0]
    head = part[0]
    columns = {
        name: list(chain.from_iterable(getattr(one, name) or [None] * len(one) for one in part))
        for name in _COLUMNS
        if any(getattr(one, name) is not None for one in part)
    }
    return Series(
        user=head.user,
        device=head.device,
        metric=head.metric,
        counter=head.counter,
        on_change=head.on_change,
        seq=differences(list(chain.from_iterable(one.numbers() for one in part))),
        elapsed_ms=differences(list(chain.from_iterable(one.elapsed() for one in part))),
        value=list(chain.from_iterable(one.value for one in part)),
        **columns,
    )
