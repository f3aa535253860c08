"""Which numbers of a stream are accounted for, and how: received, rejected, dropped or erased.

Received overrides rejected and dropped whenever it comes; erased overrides all. Each number is
in one kind at most; of what was rejected or dropped the reason is kept. All is done by queries that
touch only the ranges concerned, so that a stream with ten thousand holes costs no more than one
without.
"""

from __future__ import annotations

from enum import IntEnum

from strapline_protocol.intervals import IntervalSet, Range
from strapline_server.store.database import Transaction


class Kind(IntEnum):
    """How a number is accounted for."""

    RECEIVED = 1
    REJECTED = 2
    DROPPED = 3
    ERASED = 4


class Accounts:
    """The ranges of one stream within one transaction."""

    __slots__ = ("_plain", "_stream_key", "_transaction")

    def __init__(self, transaction: Transaction, stream_key: int) -> None:
        self._transaction = transaction
        self._stream_key = stream_key
        # Most streams know no other kind than received, and need be asked for none.
        self._plain = transaction.one("other_account", stream_key=stream_key) is None

    def receive(self, ranges: list[Range]) -> list[Range]:
        """Account for these as received; the parts that were not, to be stored now."""
        if self._plain:
            return [new for first, last in ranges for new in self._extend(first, last)]
        new = self._not_in(ranges, (Kind.RECEIVED, Kind.ERASED))
        for first, last in new:
            for kind in (Kind.REJECTED, Kind.DROPPED):
                self._remove(kind, first, last)
            self._add(Kind.RECEIVED, first, last)
        return new

    def reject(self, ranges: list[Range], code: str) -> list[Range]:
        """Account for these as rejected, where nothing better is known; those that are it now."""
        return self._fill(Kind.REJECTED, ranges, code)

    def drop(self, ranges: list[Range], reason: str) -> list[Range]:
        """Account for these as dropped, where nothing better is known; those that are it now."""
        return self._fill(Kind.DROPPED, ranges, reason)

    def erase(self, ranges: list[Range]) -> None:
        """Account for these as erased, whatever they were.

        What is near them is written anew at once: of two people whose readings take turns in a
        stream, each number is a range of its own then.
        """
        gone = IntervalSet(ranges)
        if not gone:
            return
        first, last = gone.span()
        for kind in (Kind.RECEIVED, Kind.REJECTED, Kind.DROPPED):
            for span, reason in self._touching(kind, first, last):
                rest = IntervalSet([span]).minus(gone).ranges()
                if rest != [span]:
                    self._delete(kind, span[0])
                    for one in rest:
                        self._insert(kind, *one, reason)
        for span, _ in self._touching(Kind.ERASED, first, last):
            self._delete(Kind.ERASED, span[0])
            gone.add(*span)
        for one in gone:
            self._insert(Kind.ERASED, *one)

    def within(self, kind: Kind, ranges: list[Range]) -> list[Range]:
        """The parts of ``ranges`` that are of this kind."""
        if self._plain and kind is not Kind.RECEIVED:
            return []
        inside = IntervalSet(ranges)
        return inside.minus(IntervalSet(self._not_in(ranges, (kind,)))).ranges()

    def held(self, most: int) -> list[Range]:
        """What is here, the last so many ranges of it.

        Dropped and rejected is not: whoever still has it may send it.
        """
        return self.of(Kind.RECEIVED, most)

    def of(self, kind: Kind, most: int = -1) -> list[Range]:
        """The ranges of one kind, in order: the last so many, or all of them."""
        rows = self._transaction.all(
            "last_accounts", stream_key=self._stream_key, kind=int(kind), most=most
        )
        return [(row["first"], row["last"]) for row in reversed(rows)]

    def _fill(self, kind: Kind, ranges: list[Range], reason: str) -> list[Range]:
        new = self._not_in(ranges, tuple(Kind))
        for first, last in new:
            self._add(kind, first, last, reason)
        return new

    def _extend(self, first: int, last: int) -> list[Range]:
        """Receive one range; its new parts. One that goes on with another costs one change."""
        touching = [span for span, _ in self._touching(Kind.RECEIVED, first, last)]
        new = IntervalSet(reversed(touching)).missing(first, last)
        if new and len(touching) == 1 and touching[0][0] <= first:
            self._transaction.run(
                "extend_account",
                stream_key=self._stream_key,
                kind=int(Kind.RECEIVED),
                first=touching[0][0],
                last=last,
            )
        elif new:
            self._add(Kind.RECEIVED, first, last)
        return new

    def _not_in(self, ranges: list[Range], kinds: tuple[Kind, ...]) -> list[Range]:
        rest = IntervalSet(ranges)
        for first, last in ranges:
            for kind in kinds:
                for (known_first, known_last), _ in self._touching(kind, first, last):
                    if known_first <= last and known_last >= first:
                        rest.remove(known_first, known_last)
        return rest.ranges()

    def _add(self, kind: Kind, first: int, last: int, reason: str = "") -> None:
        """Put in numbers that are in no range of this kind, or in those of this reason."""
        touching = [span for span, why in self._touching(kind, first, last) if why == reason]
        for known_first, known_last in touching:
            first, last = min(first, known_first), max(last, known_last)
            self._delete(kind, known_first)
        self._insert(kind, first, last, reason)

    def _remove(self, kind: Kind, first: int, last: int) -> None:
        for (known_first, known_last), reason in self._touching(kind, first, last):
            if known_last < first or known_first > last:
                continue
            self._delete(kind, known_first)
            if known_first < first:
                self._insert(kind, known_first, first - 1, reason)
            if known_last > last:
                self._insert(kind, last + 1, known_last, reason)

    def _touching(self, kind: Kind, first: int, last: int) -> list[tuple[Range, str]]:
        """Ranges that overlap or touch [first, last] and their reasons, the last one first."""
        found: list[tuple[Range, str]] = []
        rows = self._transaction.each(
            "account_touching", stream_key=self._stream_key, kind=int(kind), last=last
        )
        for row in rows:
            if row["last"] < first - 1:
                break
            found.append(((row["first"], row["last"]), row["reason"]))
        rows.close()
        return found

    def _insert(self, kind: Kind, first: int, last: int, reason: str = "") -> None:
        self._plain = self._plain and kind is Kind.RECEIVED
        self._transaction.run(
            "insert_account",
            stream_key=self._stream_key,
            kind=int(kind),
            first=first,
            last=last,
            reason=reason,
        )

    def _delete(self, kind: Kind, first: int) -> None:
        self._transaction.run(
            "delete_account", stream_key=self._stream_key, kind=int(kind), first=first
        )
