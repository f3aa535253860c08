"""A page of history: raw readings or stretches of one length, position and rights of one moment.

However long the history is, a page costs what is on it: readings and sums are found by time,
read in order, and no further than the page goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from strapline_protocol.asking import HistoryPage, HistoryParams, Resolution, Stretches
from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.metrics import metric_named
from strapline_protocol.series import TimedSeries, differences
from strapline_server.store.coarse import Coarse, Stretch
from strapline_server.store.columns import Piece, gather
from strapline_server.store.cursors import OTHERS, Cursor, safe
from strapline_server.store.database import Transaction
from strapline_server.store.ordered import Found, Loaded, in_order
from strapline_server.store.people import User, find_grant, find_user
from strapline_server.store.steps import Taken

#: A page stops before its columns outgrow what a client reads as one message.
_LARGEST_PAGE_BYTES: Final = 3 * 2**20
#: And before it has read as many readings and sums: what it has by then is a page, be it nothing.
_MOST_READ: Final = 100_000
#: Decimal places of an average.
_PLACES: Final = 3

#: Where a page ended: numbers and names by which what comes after is later.
_Place = tuple[int, int] | tuple[int, str, int]


def read_history(
    transaction: Transaction, epoch: str, sub: str, params: HistoryParams
) -> HistoryPage | None:
    """One page, in order of time; None when it is not granted.

    Raises:
        ValueError: ``after`` ends no page of this question, or there are no stretches of this
            metric.
    """
    grant = find_grant(transaction, sub)
    if grant is None or not grant.allows(params.user) or not grant.sees(params.metric):
        return None
    user = find_user(transaction, params.user)
    if user is None:
        return None
    raw = params.resolution is Resolution.RAW
    if metric_named(params.metric).said and not raw:
        raise ValueError(
            f"{params.metric} is said, not measured, so that there is no {params.resolution} of "
            "it. Ask for its history with resolution raw."
        )
    cursor = _Cursor(params, user.zone)
    series: list[TimedSeries] = []
    stretches: list[Stretches] = []
    ended: _Place | None
    if raw:
        series, ended = _raw(transaction, user, params, cursor.readings())
    else:
        stretches, ended = _coarse(transaction, user, params, cursor.stretches())
    return HistoryPage(
        user=params.user,
        metric=params.metric,
        resolution=params.resolution,
        series=series,
        stretches=stretches,
        zone=user.zone if params.resolution is Resolution.DAY else None,
        position=(epoch, user.position),
        next=cursor.at(ended) if ended is not None else None,
    )


class _Cursor(Cursor):
    """Where pages of one question end."""

    def __init__(self, params: HistoryParams, zone: str) -> None:
        question: list[str | int] = [params.user, params.metric, params.resolution]
        question += [params.from_ms, params.to_ms]
        if params.resolution is Resolution.DAY:
            # Days of another zone begin elsewhere.
            question.append(zone)
        super().__init__(question, params.after)

    def readings(self) -> tuple[int, str, int] | None:
        """Time, stream and number of the last reading that was told; ValueError for another's."""
        match self.told():
            case None:
                return None
            case [int(at_ms), str(stream), int(number)] if safe(at_ms, number):
                return at_ms, stream, number
        raise ValueError(OTHERS)

    def stretches(self) -> tuple[int, int] | None:
        """Beginning and device of the last stretch that was told; ValueError for another's."""
        match self.told():
            case None:
                return None
            case [int(at_ms), int(device_key)] if safe(at_ms, device_key):
                return at_ms, device_key
        raise ValueError(OTHERS)


# Readings


def _raw(
    transaction: Transaction,
    user: User,
    params: HistoryParams,
    after: tuple[int, str, int] | None,
) -> tuple[list[TimedSeries], _Place | None]:
    """The page's readings, and where it ended if more follow."""
    from_ms = params.from_ms if after is None else max(params.from_ms, after[0])
    page: list[Found] = []
    size, blocks = 0, set()
    for found in in_order(transaction, user.key, params.metric, from_ms, params.to_ms):
        if after is not None and found[:3] <= after:
            continue
        if found.ordinal not in blocks:
            blocks.add(found.ordinal)
            size += found.block.json_bytes
        if page and (len(page) == params.limit or size > _LARGEST_PAGE_BYTES):
            return gather(_pieces(page)), page[-1][:3]
        page.append(found)
    return gather(_pieces(page)), None


def _pieces(page: Sequence[Found]) -> Iterator[Piece]:
    """The page's readings as parts of their blocks."""
    chosen: dict[int, tuple[Loaded, list[int]]] = {}
    for found in page:
        chosen.setdefault(found.ordinal, (found.block, []))[1].append(found.row)
    for block, rows in chosen.values():
        piece = block.piece
        if len(rows) == len(piece.series):
            yield piece
            continue
        rows.sort()
        yield Piece(
            piece.stream,
            piece.series.take(rows),
            [piece.at_ms[row] for row in rows],
            piece.committed_ms,
            piece.judged_ms,
            piece.zero,
        )


# Stretches


def _coarse(
    transaction: Transaction, user: User, params: HistoryParams, after: tuple[int, int] | None
) -> tuple[list[Stretches], _Place | None]:
    """The page's stretches, and where it ended if more follow."""
    from_ms = params.from_ms if after is None else max(params.from_ms, after[0])
    coarse = Coarse(transaction, user, params.metric)
    page: list[Stretch] = []
    ended: _Place | None = None
    passed = False
    for stretch in coarse.stretches(params.resolution, from_ms, params.to_ms):
        if after is not None and stretch[:2] <= after:
            continue
        if len(page) == params.limit and stretch.held is not None:
            ended = page[-1][:2]
            break
        if coarse.cost > _MOST_READ and passed:
            # At least one is behind it, so that whoever goes on gets somewhere.
            ended = (stretch.at_ms, stretch.device_key - 1)
            break
        passed = True
        if stretch.held is not None:
            page.append(stretch)
    by_device: dict[int, list[Stretch]] = {}
    for stretch in page:
        by_device.setdefault(stretch.device_key, []).append(stretch)
    return [_columns(transaction, key, those) for key, those in by_device.items()], ended


def _columns(transaction: Transaction, device_key: int, stretches: Sequence[Stretch]) -> Stretches:
    device = None
    if device_key >= 0:
        row = transaction.one("device_by_key", device_key=device_key)
        device = None if row is None else str(row["id"])
    at_ms = differences([stretch.at_ms for stretch in stretches])
    held = [stretch.held for stretch in stretches if stretch.held is not None]
    count = [one.count for one in held]
    taken = [min(one.steps, SAFE_INTEGER) for one in held if isinstance(one, Taken)]
    if taken:
        return Stretches(device=device, at_ms=at_ms, count=count, taken=taken)
    measured = [
        (_average(one.total, one.count, one.low, one.high), one.low, one.high)
        for one in held
        if not isinstance(one, Taken) and one.low is not None and one.high is not None
    ]
    average, low, high = zip(*measured, strict=True)
    return Stretches(
        device=device,
        at_ms=at_ms,
        count=count,
        average=[_whole(value) for value in average],
        min=[_whole(value) for value in low],
        max=[_whole(value) for value in high],
    )


def _average(total: float, count: int, low: float, high: float) -> float:
    # Sums of floats are a little off: an average is never outside of what it is of.
    return min(max(round(total / count, _PLACES), low), high)


def _whole(value: float) -> float | int:
    """SQLite's REAL as the integer it was, where it was one."""
    return int(value) if float(value).is_integer() else value
