"""How far a viewer has each user's changes: what is news, what is old, and where one is missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from strapline_protocol.watching import HealthDataUpdate, HistoryChanged, Position

Change = HealthDataUpdate | HistoryChanged


@dataclass(slots=True)
class _Held:
    """How far one user is held: since the last reset, what came last, by metric, behind a gap."""

    start: Position
    last: Position
    metrics: dict[str, Position]
    behind: Position | None = None

    def metric(self, name: str) -> Position:
        return self.metrics.get(name, self.start)


class Taken(Enum):
    """What a change is to one who holds some already."""

    NEWS = auto()
    OLD = auto()
    GAP = auto()


class Positions:
    """How far a viewer has each user's changes; it outlives the connections."""

    def __init__(self) -> None:
        self._users: dict[str, _Held] = {}

    def since(self) -> dict[str, Position]:
        """What to subscribe from: what is held behind a gap, else the user's last that came."""
        return {user: held.behind or held.last for user, held in self._users.items()}

    def users(self) -> list[str]:
        """Whose changes are held."""
        return list(self._users)

    def snapshot(self, user: str, position: Position, *, reset: bool) -> None:
        """Start anew at a snapshot's position, or go on where ``reset`` is false."""
        held = self._users.get(user)
        if reset or held is None:
            self._users[user] = _Held(position, position, {})
        elif held.behind is not None:
            # What was missing comes now: until it has, here is where to go on from.
            held.last, held.behind = held.behind, None

    def forget(self, user: str) -> None:
        """This user is no longer granted."""
        self._users.pop(user, None)

    def take(self, change: Change, *, conflated: bool) -> Taken:
        """Hold this change if it is the next one; ``conflated``: a jump is no gap."""
        held = self._users.get(change.user)
        if held is None:
            return Taken.OLD
        at = held.metric(change.metric)
        same_epoch = change.position[0] == at[0]
        if same_epoch and change.position[1] <= at[1]:
            # Of the metric it is old; of the user it may be the last of those that come again.
            held.last = change.position
            return Taken.OLD
        if not same_epoch or (not conflated and change.previous[1] > at[1]):
            if held.behind is None or at[1] < held.behind[1]:
                held.behind = at
            return Taken.GAP
        held.metrics[change.metric] = held.last = change.position
        return Taken.NEWS
