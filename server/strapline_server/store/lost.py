"""Whom it concerns that numbers of a bridge will not come, or that it was down, and when that was.

Nothing of what was measured changes, but why it is missing: who looks at it asks anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.gaps import SHORTEST_GAP_MS
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.metrics import GAP
from strapline_protocol.publishing import Zero
from strapline_protocol.watching import HistoryChange
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.database import Transaction
from strapline_server.store.numbers import Moments
from strapline_server.store.people import user_of_key
from strapline_server.store.telling import Past

#: Whose readings stand next to a number: so many blocks before it and after it are looked at.
_MOST_BLOCKS: Final = 100


@dataclass(slots=True)
class Lost:
    """What becomes known within one transaction; told once for each user, whatever it was."""

    transaction: Transaction
    _numbers: dict[int, list[Range]] = field(default_factory=dict, init=False)
    _runs: set[int] = field(default_factory=set, init=False)

    def numbers(self, stream_key: int, ranges: Iterable[Range]) -> None:
        """These of a stream will not come."""
        if found := list(ranges):
            self._numbers.setdefault(stream_key, []).extend(found)

    def run(self, stream_key: int) -> None:
        """When a run of a bridge began or ended is known now."""
        self._runs.add(stream_key)

    def pasts(self) -> list[Past]:
        """What to tell, when all that the commit stores is stored."""
        found: dict[int, Past] = {}
        for stream_key, these in self._numbers.items():
            ranges = self._still(stream_key, these)
            if not ranges:
                continue
            begin_ms, end_ms = self._between(stream_key, ranges)
            users = self._near(stream_key, ranges[0][0]) or self._before(stream_key)
            count = sum(last - first + 1 for first, last in ranges)
            self._include(found, users, begin_ms, end_ms, min(count, SAFE_INTEGER))
        for stream_key in self._runs:
            self._down(found, stream_key)
        return list(found.values())

    def _still(self, stream_key: int, ranges: list[Range]) -> list[Range]:
        """Those that did not come after all, in the same commit."""
        accounts = Accounts(self.transaction, stream_key)
        came = IntervalSet(accounts.within(Kind.RECEIVED, ranges))
        return IntervalSet(ranges).minus(came).ranges()

    def _between(self, stream_key: int, ranges: Sequence[Range]) -> tuple[int, int]:
        """The moments of the received numbers around these."""
        run = self.transaction.one("run", stream_key=stream_key)
        assert run is not None, "its numbers were accounted for"
        zero, moments = Zero.model_validate_json(run["zero"]), Moments(self.transaction)
        begin_ms: int = run["begins_ms"]
        end_ms: int = self.transaction.now_ms if run["ends_ms"] is None else run["ends_ms"]
        first, last = ranges[0][0], ranges[-1][1]
        before = self.transaction.one("received_before", stream_key=stream_key, number=first)
        after = self.transaction.one("received_after", stream_key=stream_key, number=last)
        if before is not None:
            said = moments.of(stream_key, before["number"])
            begin_ms = begin_ms if said is None else zero.wall_ms(said)
        if after is not None:
            said = moments.of(stream_key, after["number"])
            end_ms = end_ms if said is None else zero.wall_ms(said)
        return min(begin_ms, end_ms), max(begin_ms, end_ms)

    def _down(self, found: dict[int, Past], stream_key: int) -> None:
        """The time before a run and after it, where the bridge was down."""
        run = self.transaction.one("run", stream_key=stream_key)
        assert run is not None, "it was declared"
        key = {"owner": run["owner"], "stream_key": stream_key, "begins_ms": run["begins_ms"]}
        before = self.transaction.one("run_before", **key)
        if before is not None and before["ends_ms"] is not None:
            users = self._near(before["stream_key"], SAFE_INTEGER)
            self._include(found, users, before["ends_ms"], run["begins_ms"], 0)
        if run["ends_ms"] is not None:
            after = self.transaction.one("run_after", **key)
            end_ms = self.transaction.now_ms if after is None else after["begins_ms"]
            self._include(found, self._near(stream_key, SAFE_INTEGER), run["ends_ms"], end_ms, 0)

    def _include(
        self, found: dict[int, Past], users: Iterable[int], begin_ms: int, end_ms: int, count: int
    ) -> None:
        if end_ms - begin_ms <= SHORTEST_GAP_MS:
            # Too short for a gap.
            return
        for user_key in users:
            known = found.get(user_key)
            if known is None:
                user = user_of_key(self.transaction, user_key)
                why = HistoryChange.BACKFILLED
                found[user_key] = Past(user, GAP.name, why, begin_ms, end_ms, count)
                continue
            found[user_key] = Past(
                known.user,
                known.metric,
                known.why,
                min(known.from_ms, begin_ms),
                max(known.to_ms, end_ms),
                min(known.count + count, SAFE_INTEGER),
            )

    def _near(self, stream_key: int, number: int) -> list[int]:
        """Users whose readings stand next to a number of a stream."""
        key = {"stream_key": stream_key, "number": number, "most": _MOST_BLOCKS}
        rows = self.transaction.all("users_before_number", **key)
        rows += self.transaction.all("users_after_number", **key)
        return sorted({row["user_key"] for row in rows})

    def _before(self, stream_key: int) -> list[int]:
        """Those of the run before, where nothing of this one has come."""
        run = self.transaction.one("run", stream_key=stream_key)
        assert run is not None, "its numbers were accounted for"
        key = {"owner": run["owner"], "stream_key": stream_key, "begins_ms": run["begins_ms"]}
        before = self.transaction.one("run_before", **key)
        return [] if before is None else self._near(before["stream_key"], SAFE_INTEGER)
