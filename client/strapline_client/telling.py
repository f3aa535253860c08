"""Who is told of what comes: listeners at once, readers at their own speed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from weakref import WeakSet

from strapline_client.events import Update, WebSocketEventType
from strapline_client.updates import Updates

_log = logging.getLogger(__name__)

Listener = Callable[[Update], None]


@dataclass(frozen=True, slots=True)
class Counters:
    """What waits, and what was given up.

    Attributes:
        waiting: messages that wait for a session, at most 64.
        dropped: messages given up because too many waited.
        ignored: the server's messages that were not understood.
        left_out: updates that slow readers did not get.
    """

    waiting: int
    dropped: int
    ignored: int
    left_out: int


class Teller:
    """The listeners and readers of one service, and the last event of each kind.

    Attributes:
        over: nothing more comes.
        error: why; None where the program ended it.
        left_out: updates that slow readers did not get.
    """

    def __init__(self) -> None:
        self.over = False
        self.error: Exception | None = None
        # Weakly: a program that breaks out of an iteration tells nobody of it.
        self._readers: WeakSet[Updates] = WeakSet()
        self._listeners: dict[WebSocketEventType, list[Listener]] = {}
        self._latest: dict[tuple[WebSocketEventType, str | None], Update] = {}
        self.left_out = 0

    def begin(self) -> None:
        """Something comes, again."""
        self.over, self.error = False, None

    def reader(self, bound: int) -> Updates:
        """A new reader, of what comes from now on; one of nothing where nothing comes."""
        reader = Updates(bound)
        if self.over:
            reader.end(self.error)
        else:
            self._readers.add(reader)
        return reader

    def add(self, kind: WebSocketEventType, listener: Listener) -> Callable[[], None]:
        """Call it at each event of this kind, once however often it is added."""
        listeners = self._listeners.setdefault(kind, [])
        if listener not in listeners:
            listeners.append(listener)
        return lambda: self.remove(kind, listener)

    def remove(self, kind: WebSocketEventType, listener: Listener) -> None:
        """No longer."""
        listeners = self._listeners.get(kind, [])
        if listener in listeners:
            listeners.remove(listener)

    def latest(self, kind: WebSocketEventType, user: str | None) -> Update | None:
        """The last event of this kind, of one user or of anyone."""
        return self._latest.get((kind, user))

    def keep_only(self, users: Container[str]) -> None:
        """Of whoever is not among these, nothing is kept."""
        gone = [
            key
            for key, update in self._latest.items()
            if update.user is not None and update.user not in users
        ]
        for key in gone:
            del self._latest[key]

    def tell(self, update: Update) -> None:
        """All of them, at once."""
        self._latest[update.type, None] = update
        if update.user is not None:
            self._latest[update.type, update.user] = update
        for reader in self._readers:
            self.left_out += reader.put(update)
        for listener in tuple(self._listeners.get(update.type, ())):
            try:
                listener(update)
            except Exception:  # noqa: BLE001  # a program's mistake must not end its connection
                _log.exception("a listener of %s failed", update.type)

    def end(self, error: Exception | None) -> None:
        """Every iteration ends, with ``error`` where there is one."""
        if self.over:
            return
        self.over, self.error = True, error
        for reader in self._readers:
            reader.end(error)
        self._readers.clear()
