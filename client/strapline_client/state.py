"""Keeps every watched user's whole state, so that each event can be handed on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from strapline_client.events import Update, UserState, WebSocketEventType
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    MetricData,
    Subscribed,
    SubscriptionChanged,
    SyncStatusUpdate,
    UserSnapshot,
)

Watched = HealthDataUpdate | HistoryChanged | Subscribed | SubscriptionChanged | SyncStatusUpdate


class States:
    """The users of one service. Applying a message gives the updates to hand on, in order."""

    def __init__(self) -> None:
        self._users: dict[str, UserState] = {}

    @property
    def users(self) -> Mapping[str, UserState]:
        """By user id; a view that follows. By name at first; who comes later joins at the end."""
        return MappingProxyType(self._users)

    def apply(self, message: Watched) -> list[Update]:
        """Take a message in. A change of a user who is not watched changes nothing here."""
        match message:
            case Subscribed():
                return self._subscribed(message)
            case SubscriptionChanged():
                for user in message.removed:
                    self._users.pop(user, None)
                return [Update(WebSocketEventType.SUBSCRIPTION_CHANGED, message)]
        held = self._users.get(message.user)
        if held is None:
            return []
        match message:
            case SyncStatusUpdate():
                held = replace(held, status=message)
            case HealthDataUpdate() | HistoryChanged():
                metrics = MappingProxyType({**held.metrics, message.metric: message.data})
                held = replace(held, metrics=metrics)
        self._users[message.user] = held
        told = [Update(WebSocketEventType(message.type), message, message.user, held)]
        if isinstance(message, HistoryChanged):
            # The past is new, and so is the state that it leaves.
            kind = WebSocketEventType.HEALTH_DATA_UPDATE
            told.append(Update(kind, message, message.user, held))
        return told

    def clear(self) -> None:
        """Nobody may be watched any more."""
        self._users.clear()

    def _subscribed(self, message: Subscribed) -> list[Update]:
        """Who is not in the snapshot is no longer granted, and leaves."""
        for user in self._users.keys() - message.snapshot.keys():
            del self._users[user]
        new = message.snapshot.keys() - self._users.keys()
        came = sorted(((message.snapshot[user].name or user).casefold(), user) for user in new)
        for user in [*self._users, *(user for _, user in came)]:
            self._users[user] = _taken(user, message.snapshot[user], self._users.get(user))
        told = [Update(WebSocketEventType.SUBSCRIBED, message)]
        for user, state in self._users.items():
            told.append(Update(WebSocketEventType.SYNC_STATUS_UPDATE, None, user, state))
            told.append(Update(WebSocketEventType.HEALTH_DATA_UPDATE, None, user, state))
        return told


def _taken(user: str, snapshot: UserSnapshot, held: UserState | None) -> UserState:
    if snapshot.state is not None:
        metrics: Mapping[str, MetricData] = snapshot.state
    elif snapshot.reset or held is None:
        metrics = {}
    else:
        # The changes since then follow, and what is held stays true until they do.
        metrics = held.metrics
    name = snapshot.name or user
    return UserState(user, name, MappingProxyType(dict(metrics)), snapshot.status)
