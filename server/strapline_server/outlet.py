"""What is kept for a viewer that is not to be written to now: the newest of each, no more.

For each user and metric the newest update and the union of changed stretches of the past, for
each user the newest status. When they go out, each says what came before it in this viewer's
own sequence, so that a jump is no gap to it, and how many updates were left out.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from strapline_protocol.base import WireModel
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    Position,
    SyncStatusUpdate,
)


@dataclass(slots=True)
class _Kept:
    """One user's metric since this viewer last got something of it."""

    previous: Position
    update: HealthDataUpdate | None = None
    past: HistoryChanged | None = None
    left_out: int = 0


class Outlet:
    """One viewer's newest states."""

    __slots__ = ("_kept", "_statuses")

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._statuses: dict[str, SyncStatusUpdate] = {}

    def __bool__(self) -> bool:
        return bool(self._kept or self._statuses)

    def keep(self, change: HealthDataUpdate | HistoryChanged) -> int:
        """Keep this change in place of an older one; how many were left out by that."""
        key = (change.user, change.metric)
        kept = self._kept.setdefault(key, _Kept(change.previous))
        if isinstance(change, HealthDataUpdate):
            replaced = kept.update is not None
            kept.left_out += replaced + change.conflated
            kept.update = change
            return int(replaced)
        kept.past = change if kept.past is None else _union(kept.past, change)
        return 0

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
            pair = [one for one in (kept.update, kept.past) if one is not None]
            previous = kept.previous
            for change in sorted(pair, key=lambda one: one.position[1]):
                told: dict[str, object] = {"previous": previous}
                if isinstance(change, HealthDataUpdate):
                    told["conflated"] = kept.left_out
                changes.append(change.model_copy(update=told))
                previous = change.position
        statuses = list(self._statuses.values())
        self._kept, self._statuses = {}, {}
        return [*sorted(changes, key=lambda one: one.position[1]), *statuses]


def _union(earlier: HistoryChanged, later: HistoryChanged) -> HistoryChanged:
    return later.model_copy(
        update={
            "from_ms": min(earlier.from_ms, later.from_ms),
            "to_ms": max(earlier.to_ms, later.to_ms),
            "count": earlier.count + later.count,
        }
    )
