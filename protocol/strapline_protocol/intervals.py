"""Sets of sequence numbers as inclusive intervals: what an end has accounted for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

#: An inclusive range [first, last].
Range = tuple[int, int]


class IntervalSet:
    """A set of integers, kept as sorted inclusive ranges that neither overlap nor touch.

    Adding at the end is O(1); anything else finds its place in O(log n) and shifts in O(n),
    where n is the number of ranges: one, for a stream without holes.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self.update(ranges)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> IntervalSet:
        """The set of these numbers, in any order."""
        return cls((number, number) for number in numbers)

    def add(self, first: int, last: int) -> None:
        """Put in every number from ``first`` to ``last``.

        Raises:
            ValueError: when ``last`` is before ``first``.
        """
        if last < first:
            raise ValueError(f"range ends before it begins: [{first}, {last}]")
        firsts, lasts = self._firsts, self._lasts
        low = bisect_left(lasts, first - 1)
        high = bisect_right(firsts, last + 1)
        if low < high:
            first = min(first, firsts[low])
            last = max(last, lasts[high - 1])
        firsts[low:high] = [first]
        lasts[low:high] = [last]

    def update(self, ranges: Iterable[Sequence[int]]) -> None:
        """Put in all of several ranges."""
        for first, last in ranges:
            self.add(first, last)

    def remove(self, first: int, last: int) -> None:
        """Take out every number from ``first`` to ``last``; those not there are ignored."""
        if last < first:
            raise ValueError(f"range ends before it begins: [{first}, {last}]")
        low = bisect_left(self._lasts, first)
        high = bisect_right(self._firsts, last)
        if low >= high:
            return
        rest: list[Range] = []
        if self._firsts[low] < first:
            rest.append((self._firsts[low], first - 1))
        if self._lasts[high - 1] > last:
            rest.append((last + 1, self._lasts[high - 1]))
        self._firsts[low:high] = [r[0] for r in rest]
        self._lasts[low:high] = [r[1] for r in rest]

    def missing(self, first: int, last: int) -> list[Range]:
        """The parts of [first, last] that are not in the set, in order."""
        holes: list[Range] = []
        at = first
        for index in range(bisect_left(self._lasts, first), len(self._firsts)):
            if self._firsts[index] > last:
                break
            if self._firsts[index] > at:
                holes.append((at, self._firsts[index] - 1))
            at = self._lasts[index] + 1
        if at <= last:
            holes.append((at, last))
        return holes

    def minus(self, other: IntervalSet) -> IntervalSet:
        """What is here and not in ``other``."""
        result = IntervalSet()
        for first, last in self:
            result.update(other.missing(first, last))
        return result

    def span(self) -> Range:
        """The least number and the greatest.

        Raises:
            IndexError: the set is empty.
        """
        return self._firsts[0], self._lasts[-1]

    def ranges(self) -> list[Range]:
        """All ranges in order."""
        # Not list(self): that asks for the length, which may be 2^53, and makes room for it.
        return list(zip(self._firsts, self._lasts, strict=True))

    def copy(self) -> IntervalSet:
        """An independent set with the same numbers."""
        twin = IntervalSet()
        twin._firsts, twin._lasts = self._firsts[:], self._lasts[:]
        return twin

    def __iter__(self) -> Iterator[Range]:
        return iter(zip(self._firsts, self._lasts, strict=True))

    def __contains__(self, number: int) -> bool:
        index = bisect_left(self._lasts, number)
        return index < len(self._firsts) and self._firsts[index] <= number

    def __len__(self) -> int:
        """How many numbers are in the set."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IntervalSet):
            return NotImplemented
        return self._firsts == other._firsts and self._lasts == other._lasts

    def __repr__(self) -> str:
        return f"IntervalSet({self.ranges()})"

    __hash__ = None  # type: ignore[assignment]  # a set that changes has no hash
