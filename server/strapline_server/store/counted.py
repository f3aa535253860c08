"""Which device counts the steps of each day that a commit touches.

A day's steps are those of one device. Where it is another after the commit, the whole day is not
what it was, and not only the stretch that came or moved: all of it is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.metrics import STEPS
from strapline_protocol.watching import HistoryChange
from strapline_server.days import day_of, zone_named
from strapline_server.store.database import Transaction
from strapline_server.store.people import User
from strapline_server.store.steps import Steps
from strapline_server.store.sums import MINUTE_MS, Folded
from strapline_server.store.telling import Past

#: Of one user. Where a commit touches more, all from the first to the last of the others is told.
_MOST_DAYS: Final = 40

#: Its first millisecond and the next day's first.
_Day = tuple[int, int]


@dataclass(slots=True)
class _Noted:
    """One user's days, and which device counted on each before the commit touched it."""

    user: User
    days: dict[_Day, int | None] = field(default_factory=dict)
    others: list[_Day] = field(default_factory=list)

    def add_other(self, day: _Day) -> None:
        """Keep from the first of them to the last."""
        all_of_them = [*self.others, day]
        self.others = [(min(all_of_them)[0], max(all_of_them)[1])]


class CountedDays:
    """Of one commit. Each day is noted before anything in it is stored or moved."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._noted: dict[int, _Noted] = {}

    def note(self, user: User, device_key: int, at_ms: Iterable[int]) -> None:
        """This device's steps are about to come to, or to leave, the days of these moments."""
        known = self._transaction.all("order_of_sources", user_key=user.key, metric=STEPS.name)
        if all(row["device_key"] == device_key for row in known):
            return
        noted = self._noted.setdefault(user.key, _Noted(user))
        zone = zone_named(user.zone)
        day = (0, 0)
        for at in at_ms:
            if day[0] <= at < day[1]:
                continue
            day = day_of(at, zone)
            if day in noted.days:
                continue
            if len(noted.days) < _MOST_DAYS:
                noted.days[day] = self._device_of(user, day)
            else:
                noted.add_other(day)

    def changed(self) -> list[Past]:
        """The days that another device counts on now, those that follow one another as one."""
        return [
            self._past(noted.user, span)
            for noted in self._noted.values()
            for span in _together([*self._changed(noted), *noted.others])
        ]

    def _changed(self, noted: _Noted) -> list[_Day]:
        changed = []
        for day, before in noted.days.items():
            # Where nothing counted, or nothing does now, it is told as what came or left.
            if before is not None and self._device_of(noted.user, day) not in {None, before}:
                changed.append(day)
        return changed

    def _device_of(self, user: User, day: _Day) -> int | None:
        folded = Folded(self._transaction, user.key, STEPS.name)
        return Steps(self._transaction, folded, lambda _: day).device_of(day[0] // MINUTE_MS)

    def _past(self, user: User, span: _Day) -> Past:
        from_ms, to_ms = span
        row = self._transaction.one(
            "readings_of_days",
            user_key=user.key,
            metric=STEPS.name,
            first_minute=from_ms // MINUTE_MS,
            end_minute=to_ms // MINUTE_MS,
        )
        count = 0 if row is None else int(row["count"] or 0)
        why = HistoryChange.OTHER_SOURCE
        return Past(user, STEPS.name, why, max(0, from_ms), min(to_ms, SAFE_INTEGER), count)


def _together(days: Iterable[_Day]) -> list[_Day]:
    """Those that touch or overlap as one, in order."""
    found: list[_Day] = []
    for begins_ms, ends_ms in sorted(days):
        if found and begins_ms <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends_ms))
        else:
            found.append((begins_ms, ends_ms))
    return found
