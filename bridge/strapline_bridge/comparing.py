"""Compares the readings of one run with the server's, down to the single one that differs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from strapline_protocol.asking import (
    MOST_DIGESTED,
    Accounts,
    AccountsParams,
    Digest,
    Digests,
    DigestsParams,
)
from strapline_protocol.base import WireModel
from strapline_protocol.digest import digest_of_lines, lines_of
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.series import Series

R = TypeVar("R", bound=WireModel)

_MOST_RANGES: Final = 1_000
#: Into how many a range that differs is cut, until it is one reading.
_PARTS: Final = 100
#: A run in which so many differ is looked at no further.
_MOST_BAD: Final = 10_000


class Ask(Protocol):
    """Asks the server: over the service's connection, or over one of its own."""

    async def __call__(self, method: str, params: WireModel, kind: type[R]) -> R:
        """The answer; raises :class:`strapline_bridge.uplink.UplinkError`."""
        ...


@dataclass(slots=True)
class Account:
    """What a server accounts for of one run."""

    received: IntervalSet = field(default_factory=IntervalSet)
    rejected: IntervalSet = field(default_factory=IntervalSet)
    dropped: IntervalSet = field(default_factory=IntervalSet)
    erased: IntervalSet = field(default_factory=IntervalSet)


async def account_of(ask: Ask, stream: str) -> Account:
    """All pages of it."""
    account, first = Account(), 0
    while True:
        page = await ask("accounts", AccountsParams(stream=stream, first=first), Accounts)
        account.received.update(page.received)
        account.rejected.update(page.rejected)
        account.dropped.update(page.dropped)
        account.erased.update(page.erased)
        if page.next is None or page.next <= first:
            return account
        first = page.next


def both(one: IntervalSet, other: IntervalSet) -> IntervalSet:
    """What is in one and in the other."""
    return one.minus(one.minus(other))


class Comparison:
    """One run's readings, a stretch at a time.

    What is here of them is compared in content. Of what is here no longer the server's readings
    are counted: whether one is missing for one that is double, only the server can see.

    Attributes:
        missing: numbers that the server accounts for as received, and has no reading of.
        doubled: of which it has more than one.
        different: of which it has another reading than this bridge.
        compared: how many are the same at both ends.
    """

    def __init__(self, ask: Ask, stream: str, received: IntervalSet) -> None:
        self._ask = ask
        self._stream = stream
        self._received = received
        self.missing = IntervalSet()
        self.doubled = IntervalSet()
        self.different = IntervalSet()
        self.compared = 0

    async def stretch(self, first: int, last: int, here: Iterable[Series]) -> None:
        """Compare what lies between two numbers, with the readings that are here of it."""
        there = both(self._received, IntervalSet([(first, last)]))
        if not there or self._bad > _MOST_BAD:
            return
        lines = await asyncio.to_thread(_lines, here, there)
        known = IntervalSet.of(lines)
        ranges = sorted([*known, *there.minus(known)])
        for part in _bounded(ranges):
            await self._compare(part, lines)

    @property
    def _bad(self) -> int:
        return len(self.missing) + len(self.doubled) + len(self.different)

    async def _compare(self, ranges: list[Range], lines: dict[int, list[str]]) -> None:
        params = DigestsParams(stream=self._stream, ranges=ranges)
        answer = await self._ask("digests", params, Digests)
        for span, digest in zip(ranges, answer.digests, strict=True):
            await self._judge(span, digest, lines)

    async def _judge(self, span: Range, digest: Digest, lines: dict[int, list[str]]) -> None:
        first, last = span
        length = last - first + 1
        here = [line for number in range(first, last + 1) for line in lines.get(number, ())]
        same = not here or digest.sha256 == await asyncio.to_thread(digest_of_lines, here)
        if digest.count == length and same:
            self.compared += len(here)
        elif length > 1:
            for part in _bounded(_cut(span)):
                await self._compare(part, lines)
        elif digest.count == 0:
            self.missing.add(first, last)
        elif digest.count > 1:
            self.doubled.add(first, last)
        else:
            self.different.add(first, last)


def _lines(here: Iterable[Series], there: IntervalSet) -> dict[int, list[str]]:
    """The lines of what is here of these numbers, each number's in order."""
    found: dict[int, list[str]] = {}
    for series in here:
        part = series.within(there)
        for number, line in lines_of(part) if part is not None else ():
            found.setdefault(number, []).append(line)
    return dict(sorted(found.items()))


def _bounded(ranges: Iterable[Range]) -> Iterator[list[Range]]:
    """The ranges in questions of a size that a server answers."""
    part: list[Range] = []
    room = MOST_DIGESTED
    for first, last in ranges:
        begin = first
        while begin <= last:
            if not room or len(part) == _MOST_RANGES:
                yield part
                part, room = [], MOST_DIGESTED
            end = min(last, begin + room - 1)
            part.append((begin, end))
            room -= end - begin + 1
            begin = end + 1
    if part:
        yield part


def _cut(span: Range) -> list[Range]:
    first, last = span
    step = -(-(last - first + 1) // _PARTS)
    return [(at, min(last, at + step - 1)) for at in range(first, last + 1, step)]
