"""Hands each committed change to every viewer who may see it, encoded once, as one ready frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from websockets.frames import Frame, Opcode

from strapline_protocol.codec import encode
from strapline_protocol.watching import HealthDataUpdate, HistoryChanged, SyncStatusUpdate
from strapline_server.counters import Counters
from strapline_server.store import Change


def ready_frame(payload: bytes) -> bytes:
    """A text frame as a server sends it (RFC 6455 section 5.2), for any number of sockets."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def payload_at(frame: bytes) -> int:
    """Where in a ready frame its payload begins."""
    return {126: 4, 127: 10}.get(frame[1], 2)


class Watcher(Protocol):
    """One viewer's subscription."""

    def deliver(self, change: HealthDataUpdate | HistoryChanged, frame: bytes, now_ms: int) -> None:
        """A change of a user that it joined for."""

    def deliver_status(self, status: SyncStatusUpdate, frame: bytes, now_ms: int) -> None:
        """A status of a user that it joined for."""

    def sees(self, metric: str) -> bool:
        """Whether it gets this metric of the users that it joined for."""


class Hub:
    """Who watches whom. A watcher may be joined for any number of users."""

    def __init__(self, counters: Counters, clock: Callable[[], int]) -> None:
        self._counters = counters
        self._clock = clock
        self._watchers: dict[str, set[Watcher]] = {}

    def join(self, watcher: Watcher, users: Iterable[str]) -> None:
        """From now on this one gets what is committed of these users."""
        for user in users:
            self._watchers.setdefault(user, set()).add(watcher)

    def leave(self, watcher: Watcher, users: Iterable[str]) -> None:
        """From now on it does not."""
        for user in users:
            watchers = self._watchers.get(user)
            if watchers is not None:
                watchers.discard(watcher)
                if not watchers:
                    del self._watchers[user]

    def is_watched(self, user: str) -> bool:
        """Whether anyone watches this user."""
        return user in self._watchers

    def reach(self, user: str, metric: str) -> int:
        """How many get this metric of this user at the moment."""
        return sum(watcher.sees(metric) for watcher in self._watchers.get(user, ()))

    def publish(self, changes: Iterable[Change]) -> None:
        """Hand out what was committed, in order of position."""
        now_ms = self._clock()
        for change in changes:
            self._counters.changes += 1
            watchers = self._watchers.get(change.user)
            if not watchers:
                continue
            frame = ready_frame(change.payload)
            self._counters.deliveries += len(watchers)
            for watcher in watchers:
                watcher.deliver(change.message, frame, now_ms)

    def publish_status(self, status: SyncStatusUpdate) -> None:
        """Hand out a status."""
        watchers = self._watchers.get(status.user)
        if not watchers:
            return
        now_ms, frame = self._clock(), ready_frame(encode(status))
        for watcher in watchers:
            watcher.deliver_status(status, frame, now_ms)
