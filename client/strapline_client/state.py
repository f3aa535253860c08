"""Keeps every watched user's whole state, so that each event can be handed on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from strapline_client.events import Update, UserState, WebSocketEventType
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    Subscribed,
    SubscriptionChanged,
    SyncStatusUpdate,
    UserSnapshot,
    UserStatus,
)

Watched = HealthDataUpdate | HistoryChanged | Subscribed | SubscriptionChanged | SyncStatusUpdate


class States:
    """The users of one service. Applying a message gives the update to hand on."""

    def __init__(self) -> None:
        self._users: dict[str, UserState] = {}

    @property
    def users(self) -> Mapping[str, UserState]:
        """By user id; a view that follows."""
        return MappingProxyType(self._users)

    def apply(self, message: Watched) -> Update:
        """Take a message in. A change of a user who is not watched changes nothing here."""
        match message:
            case Subscribed():
                for user, snapshot in message.snapshot.items():
                    self._snapshot(user, snapshot)
                return Update(WebSocketEventType.SUBSCRIBED, message)
            case SubscriptionChanged():
                for user in message.removed:
                    self._users.pop(user, None)
                return Update(WebSocketEventType.SUBSCRIPTION_CHANGED, message)
            case SyncStatusUpdate():
                self._set(message.user, status=message)
            case HealthDataUpdate() | HistoryChanged():
                self._set(message.user, metric=message)
        return Update(
            WebSocketEventType(message.type),
            message,
            message.user,
            self._users.get(message.user),
        )

    def _snapshot(self, user: str, snapshot: UserSnapshot) -> None:
        held = self._users.get(user)
        # Without a state the changes since then follow, and what is held stays true until they do.
        if snapshot.state is not None:
            metrics: Mapping[str, object] = snapshot.state
        else:
            metrics = held.metrics if held else {}
        self._users[user] = UserState(
            user,
            snapshot.name,
            MappingProxyType(dict(metrics)),  # type: ignore[arg-type]  # both are of MetricData
            snapshot.status,
        )

    def _set(
        self,
        user: str,
        *,
        status: UserStatus | None = None,
        metric: HealthDataUpdate | HistoryChanged | None = None,
    ) -> None:
        held = self._users.get(user)
        if held is None:
            return
        if status is not None:
            held = replace(held, status=status)
        if metric is not None:
            metrics = MappingProxyType({**held.metrics, metric.metric: metric.data})
            held = replace(held, metrics=metrics)
        self._users[user] = held
