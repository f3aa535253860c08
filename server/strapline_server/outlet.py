"""What is kept for a viewer that is not to be written to now: the newest of each, no more.

For each user and metric the newest update, for each user the newest status. A viewer that reads
slowly is told as well which stretches it did not get, so that it can fetch them: those before
the newest update come before it, those after it behind it. So whatever of this reaches the
viewer before its connection ends, nothing up to the position that it then holds is untold. One
that asked for an interval wanted less, and is told only how many updates that was.

What goes out says what came before it in this viewer's own sequence, so that a jump is no gap.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from strapline_protocol.base import SAFE_INTEGER, WireModel
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChange,
    HistoryChanged,
    Position,
    SyncStatusUpdate,
)

#: Of several reasons why a stretch is to be fetched, the last in this order is told.
REASONS: Final = (
    HistoryChange.SESSION,
    HistoryChange.OTHER_SOURCE,
    HistoryChange.BACKFILLED,
    HistoryChange.SKIPPED,
    HistoryChange.REBASED,
    HistoryChange.ERASED,
)


@dataclass(slots=True)
class _Kept:
    """One user's metric since this viewer last got something of it, in order of position."""

    previous: Position
    before: HistoryChanged | None = None
    update: HealthDataUpdate | None = None
    after: HistoryChanged | None = None
    left_out: int = 0


class Outlet:
    """One viewer's newest states.

    Args:
        tells_skipped: whether stretches of updates that were left out are told.
    """

    __slots__ = ("_kept", "_statuses", "_tells_skipped")

    def __init__(self, *, tells_skipped: bool = True) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._statuses: dict[str, SyncStatusUpdate] = {}
        self._tells_skipped = tells_skipped

    def __bool__(self) -> bool:
        return bool(self._kept or self._statuses)

    def keep(self, change: HealthDataUpdate | HistoryChanged) -> int:
        """Keep this change in place of an older one; how many were left out by that."""
        key = (change.user, change.metric)
        kept = self._kept.setdefault(key, _Kept(change.previous))
        if isinstance(change, HistoryChanged):
            if kept.update is None:
                kept.before = _union(kept.before, change)
            else:
                kept.after = _union(kept.after, change)
            return 0
        older, kept.update = kept.update, change
        kept.left_out += change.conflated
        if older is None:
            return 0
        kept.left_out += 1
        if self._tells_skipped:
            kept.before = _union(kept.before, _skipped(older))
        if kept.after is not None:
            kept.before, kept.after = _union(kept.before, kept.after), None
        return 1

    def keep_status(self, status: SyncStatusUpdate) -> None:
        """Keep this status in place of an older one of the same user."""
        self._statuses[status.user] = status

    def forget(self, users: AbstractSet[str]) -> None:
        """Drop what is kept of users that are no longer granted."""
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] not in users}
        for user in users:
            self._statuses.pop(user, None)

    def take(self) -> list[WireModel]:
        """All that is kept, in order of position; nothing is kept any more."""
        changes: list[HealthDataUpdate | HistoryChanged] = []
        for kept in self._kept.values():
            previous = kept.previous
            for change in (kept.before, kept.update, kept.after):
                if change is None:
                    continue
                told: dict[str, object] = {"previous": previous}
                if isinstance(change, HealthDataUpdate):
                    told["conflated"] = kept.left_out
                changes.append(change.model_copy(update=told))
                previous = change.position
        statuses = list(self._statuses.values())
        self._kept, self._statuses = {}, {}
        return [*sorted(changes, key=lambda one: one.position[1]), *statuses]


def _skipped(update: HealthDataUpdate) -> HistoryChanged:
    """The stretch of an update that is left out."""
    times = update.series.at()
    return HistoryChanged(
        user=update.user,
        metric=update.metric,
        data=update.data,
        from_ms=min(times),
        to_ms=min(max(times) + 1, SAFE_INTEGER),
        count=len(times),
        position=update.position,
        previous=update.previous,
        server_time=update.server_time,
        why=HistoryChange.SKIPPED,
    )


def _union(earlier: HistoryChanged | None, later: HistoryChanged) -> HistoryChanged:
    if earlier is None:
        return later
    # Some are empty: then the state alone is news.
    stretches = [one for one in (earlier, later) if one.from_ms < one.to_ms] or [later]
    return later.model_copy(
        update={
            "from_ms": min(one.from_ms for one in stretches),
            "to_ms": max(one.to_ms for one in stretches),
            "count": earlier.count + later.count,
            "why": max(earlier.why, later.why, key=REASONS.index),
        }
    )
