"""The real server in a process that can be killed; in place of its TCP connections are links."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode, reason_text
from strapline_protocol.codec import encode
from strapline_protocol.server_session import Deadlines
from strapline_server import Server, ServerConfig
from strapline_server.carrier import NO_HOLD, Dialogue, Hold
from strapline_server.config import Bounds
from strapline_server.errors import StoreError
from strapline_server.hub import payload_at
from strapline_server.store import Outcome
from strapline_server.store.database import FILE_NAME, Database, Transaction
from strapline_server.wheel import NOWHERE
from tests.simulation import disks
from tests.simulation.virtual import Process
from tests.simulation.wire import Link

if TYPE_CHECKING:
    from tests.simulation.ground import Ground

SECRET: Final = b"a secret of a simulation, of 32 bytes and more"
HEARTBEAT_MS: Final = 2_000
#: As many frames under way are too much for a viewer, and as few are room again.
_CONGESTED, _ROOM = 12, 3
_LIMITS: Final = Bounds(
    window_readings=40, bridge_messages_per_s=100_000, viewer_messages_per_s=10_000
)


def config_of(folder: Path) -> ServerConfig:
    """The server's settings."""
    return ServerConfig(state_folder=folder, limits=_LIMITS)


class _NoDesk:
    async def open(self) -> None:
        """Nobody asks for figures."""

    async def close(self) -> None:
        """Nothing was opened."""


class ServerProcess:
    """One run of the server on a folder."""

    def __init__(self, world: Ground, folder: Path, process: Process) -> None:
        self.world = world
        self.folder = folder
        self.process = process
        self.ready = False
        self.stopped = False
        self.links: dict[Link, None] = {}
        self._look: sqlite3.Connection | None = None
        self.server: Any = None
        self._task = process.spawn(self._run())

    async def _run(self) -> None:
        server: Any = Server(
            config_of(self.folder),
            self.world.wall_ms,
            Deadlines(heartbeat_ms=HEARTBEAT_MS),
            secret=SECRET,
            listens=False,
        )
        server._desk = _NoDesk()
        self.server = server
        self._watch(server._store._database)
        await server._start()
        self.ready = True
        await asyncio.Event().wait()

    def _watch(self, database: Database) -> None:
        write, connect = database._write, database._connect

        def written(work: Callable[[Transaction], Any]) -> Any:
            if self.process.disk_full:
                raise StoreError("the simulated disk is full")
            result = write(work)
            if isinstance(result, Outcome):
                self.world.durable(result)
            elif isinstance(result, list):
                self.world.granted()
            return result

        def connected(pragma: str) -> sqlite3.Connection:
            connection = connect(pragma)
            self.process.connections.append(connection)
            return connection

        changed: Any = database
        changed._write, changed._connect = written, connected

    def fault(self) -> str | None:
        """What ended it, where nobody killed it."""
        if self._task.done() and self.process.alive and not self.stopped:
            return repr(self._task.exception())
        return None

    def kill(self, target: Path) -> None:
        """SIGKILL; what the disk holds at this moment is then in another folder."""
        disks.copy(self.folder / FILE_NAME, target / FILE_NAME)
        self._end()

    async def stop(self, target: Path) -> None:
        """SIGTERM."""
        self.stopped = True
        self.ready = False
        try:
            await self.process.spawn(self.server._stop())
        finally:
            self.kill(target)

    def _end(self) -> None:
        self.ready = False
        self.process.die()
        if self._look is not None:
            self._look.close()
            self._look = None
        if self.server is not None:
            self.server._lock.release()
        for link in list(self.links):
            link.cut()

    def look(self) -> sqlite3.Connection:
        """Another connection, which sees only what is committed."""
        if self._look is None:
            self._look = sqlite3.connect(self.folder / FILE_NAME, isolation_level=None)
        return self._look

    def accept(self, link: Link, sub: str) -> Carrier:
        """A connection came."""
        self.links[link] = None
        return Carrier(self, link, sub)

    def back_up(self, target: Path) -> None:
        """The database of this moment in one file."""
        target.unlink(missing_ok=True)
        with closing(sqlite3.connect(target)) as there:
            self.look().backup(there)


class Carrier:
    """The server's side of a connection, as its dialogues see it."""

    def __init__(self, host: ServerProcess, link: Link, sub: str) -> None:
        self.wheel_slot = NOWHERE
        self.number = host.world.next_number()
        self.address = sub
        self.sub = sub
        self.authenticated = False
        self.congested = False
        self.wrote_ms = host.server.now_ms()
        self._host = host
        self._link = link
        self._holds = NO_HOLD
        self._waiting: deque[bytes] = deque()
        self._closing = False
        self._gone = False
        self._heard_ms = self.wrote_ms
        self._dialogue: Dialogue | None = None

    def begin(self) -> None:
        """Greet."""
        self._host.process.run(self._begin)

    def _begin(self) -> None:
        server = self._host.server
        assert server.opened(self), "there is room"
        self._dialogue = server.converse(self)
        due_ms = self._dialogue.wake(server.now_ms())
        if due_ms is not None:
            server.wheel.wake_at(self, due_ms)

    # What the link calls

    def heard(self, frame: bytes) -> None:
        """A frame came: read now, unless this end is to wait."""
        if self._host.process.alive and not self._gone:
            self._heard_ms = self._host.server.now_ms()
            self._waiting.append(frame)
            self._host.process.run(self._read)

    def lost(self, code: int, reason: str) -> None:
        """It is over."""
        self._host.links.pop(self._link, None)
        if self._host.process.alive and not self._gone:
            self._host.process.run(self._lost)

    def roomier(self) -> None:
        """A frame has arrived."""
        if self.congested and self._link.under_way[True] <= _ROOM and self._host.process.alive:
            self.congested = False
            if self._dialogue is not None:
                self._host.process.run(self._dialogue.room)

    def _read(self) -> None:
        while self._waiting and not self._holds and self.open and self._dialogue is not None:
            self._dialogue.receive(self._waiting.popleft().decode())

    def _lost(self) -> None:
        self._gone = True
        server = self._host.server
        server.wheel.remove(self)
        if self._dialogue is not None:
            dialogue, self._dialogue = self._dialogue, None
            dialogue.lost()
        server.closed(self)

    # What the dialogue calls

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return not self._closing and not self._gone and self._link.open

    def send(self, message: WireModel) -> None:
        """Send one message."""
        self.send_text(encode(message))

    def send_text(self, payload: bytes) -> None:
        """Send one encoded message."""
        if self.open and self._host.process.alive:
            self.wrote_ms = self._host.server.now_ms()
            self._host.world.server_says(self.sub, payload)
            self._link.send(payload, to_client=True)
            if not self.congested and self._link.under_way[True] > _CONGESTED:
                self.congested = True
                self._host.world.narrowed(self.sub)

    def write(self, frame: bytes, now_ms: int) -> None:
        """Send what one ready frame holds."""
        self.send_text(frame[payload_at(frame) :])

    def close(self, code: CloseCode, reason: str, retry_after_ms: int = 0) -> None:
        """Say why."""
        if self.open:
            self._closing = True
            self._link.close(int(code), reason_text(reason, retry_after_ms), to_client=True)

    def abort(self) -> None:
        """Cut it."""
        self._link.cut()

    def admit(self, messages_per_s: int) -> None:
        """The other end is known."""
        self.authenticated = True
        self._host.server.admitted(self)

    def hold(self, why: Hold) -> None:
        """Read nothing more."""
        self._holds |= why

    def release(self, why: Hold) -> None:
        """Read on."""
        self._holds &= ~why
        if not self._holds:
            asyncio.get_running_loop().call_soon(self._read)

    def wake(self, now_ms: int) -> int | None:
        """Look at all deadlines."""
        if self._gone or self._dialogue is None:
            return None
        if self._link.silent and now_ms - self._heard_ms > HEARTBEAT_MS * 2:
            # Pings would tell: neither side hears the other.
            self.abort()
            return None
        due_ms = self._dialogue.wake(now_ms)
        return now_ms + HEARTBEAT_MS if due_ms is None else min(due_ms, now_ms + HEARTBEAT_MS)
