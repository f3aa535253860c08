"""The realtime server: its parts put together, its sockets, its start and its end."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from websockets.http11 import Request, Response

from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import encode
from strapline_protocol.metrics import metric_named
from strapline_protocol.opening import ClockState, Health, Limits, Role
from strapline_protocol.server_session import Deadlines, ServerSession
from strapline_protocol.watching import HealthDataUpdate
from strapline_server.admin import Admin, make_authority, prepare_folder
from strapline_server.auth import Authority
from strapline_server.carrier import Carrier
from strapline_server.chores import Chores
from strapline_server.clock import clock_state, monotonic_ms, wall_ms
from strapline_server.config import ServerConfig
from strapline_server.connection import Connection
from strapline_server.counters import Counters
from strapline_server.desk import Desk
from strapline_server.dialogue import Context, Dialogue, Member, Part
from strapline_server.erasures import Erasures
from strapline_server.errors import ConfigError, StoreError
from strapline_server.http import HEALTH_PATH, Site, json_response
from strapline_server.hub import Hub
from strapline_server.ingest import Ingest
from strapline_server.lock import FolderLock
from strapline_server.publishing import Publisher
from strapline_server.secret import load_or_make_secret
from strapline_server.stats import Running, Stats, StoreStats, bridge_stats, counted, queues
from strapline_server.status import Statuses
from strapline_server.store import Grant, Note, NoteStored, Outcome, Store
from strapline_server.watching import Viewer
from strapline_server.wheel import Wheel

_LOG = logging.getLogger(__name__)
_WEB: Final = Path(__file__).parent / "_web"
_BACKLOG: Final = 1_024
_RECONNECT_SPREAD_MS: Final = 5_000
_STORE_AGAIN_S: Final = 0.25
_RIGHTS_EVERY_S: Final = 0.5
_COOL_EVERY_S: Final = 0.5
#: What bridges call devices, for the command line.
_NAMES_EVERY_S: Final = 5.0
#: A store that nobody writes to is tried.
_PROBE_EVERY_S: Final = 30.0
#: Settings that only a restart changes.
_FIXED: Final = ("state_folder", "host", "port")
#: How long a stop waits for clients to close.
_GOODBYE_S: Final = 2.0


class Server:
    """Everything between a socket and the database; ``async with`` starts and stops it.

    Args:
        config: see :class:`ServerConfig`.
        clock: wall time, ms.
        deadlines: how long clients may take.
        secret: the one that signs tokens, where a host application has it; else the
            configuration's file has.
        listens: False where a host application has the sockets.
        clock_state: whether the wall time is synchronised, which a machine may learn late.

    Raises (on entering):
        ConfigError: an address cannot be listened on.
        SecretError: the secret cannot be used.
        StoreError: the database cannot be opened, or another server has it.
    """

    def __init__(
        self,
        config: ServerConfig,
        clock: Callable[[], int] = wall_ms,
        deadlines: Deadlines | None = None,
        *,
        secret: bytes | None = None,
        listens: bool = True,
        clock_state: Callable[[], ClockState] = clock_state,
    ) -> None:
        self.config = config
        self._clock_state = clock_state
        self._secret = secret
        self._listens = listens
        self.counters = Counters()
        self.wheel = Wheel(monotonic_ms)
        self.allowed_origins = config.allowed_origins
        self.message_bytes = config.limits.message_bytes
        self.buffer_bytes = config.limits.viewer_buffer_bytes
        self._deadlines = deadlines or Deadlines()
        self.heartbeat_ms = self._deadlines.heartbeat_ms
        self._wall_ms = clock
        self._store = Store(config.state_folder, clock)
        self._lock = FolderLock(config.state_folder)
        self._hub = Hub(self.counters, monotonic_ms)
        self._statuses = Statuses(self._hub, clock, monotonic_ms)
        self._store.ask_hops_of(self._statuses.hop)
        self._ingest = Ingest(self._store, self.counters, self._committed, self._statuses.storing)
        self._connections: set[Carrier] = set()
        self._by_address: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._members: dict[str, set[Member]] = {}
        self._chores = Chores(monotonic_ms)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[asyncio.Server] = []
        self._desk = Desk(config.state_folder, self.stats)
        self._began_ms = monotonic_ms()
        self._site = Site({})
        self._context: Context | None = None
        self._admin: Admin | None = None
        self._rights = 0
        self._erasures = Erasures(self._store)
        self._quiet = asyncio.Event()
        self._stopping = False

    # What callers use

    def reconfigure(self, config: ServerConfig) -> list[str]:
        """Use these settings for all who connect from now on.

        Returns:
            The names of those that differ and stay until a restart.

        Raises:
            SecretError: the secret or a public key cannot be used; nothing is changed.
        """
        fixed = {name: getattr(self.config, name) for name in _FIXED}
        changed = [name for name, value in fixed.items() if getattr(config, name) != value]
        config = config.model_copy(update=fixed)
        authority = self._make_authority(config)
        self.config = config
        self.allowed_origins = config.allowed_origins
        self.message_bytes = config.limits.message_bytes
        self.buffer_bytes = config.limits.viewer_buffer_bytes
        self._admin = Admin(self._store, authority)
        self._context = self._make_context(authority)
        return changed

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._listeners, "the server runs"
        port: int = self._listeners[0].sockets[0].getsockname()[1]
        return port

    @property
    def admin(self) -> Admin:
        """Users, grants and tokens."""
        assert self._admin is not None, "the server runs"
        return self._admin

    @property
    def storing(self) -> bool:
        """Whether the store can be written."""
        return self._ingest.storing

    async def note(self, note: Note) -> NoteStored:
        """Store what a host application says of a user, and tell viewers.

        Raises:
            NoteError: it has a fault or cannot be stored now; nothing of it is, nor will be.
        """
        return await self._ingest.note(None, note)

    def reach(self, user: str, metric: str) -> int:
        """How many viewers get this metric of this user at the moment."""
        return self._hub.reach(user, metric)

    async def stats(self) -> Stats:
        """All that is counted, and how it is now."""
        try:
            facts = await self._store.facts()
        except StoreError as error:
            _LOG.warning("%s", error)
            facts = None
        return Stats(
            version=version("strapline"),
            running=self._running(),
            store=None if facts is None else StoreStats.of(facts),
        )

    def _running(self) -> Running:
        members = [member for members in self._members.values() for member in members]
        bridges = sum(member.role is Role.BRIDGE for member in members)
        return Running(
            uptime_ms=monotonic_ms() - self._began_ms,
            storing=self._ingest.storing,
            storing_age_ms=self._statuses.storing_age_ms(),
            failing=self._chores.failing,
            bridges_connected=bridges,
            viewers_connected=len(members) - bridges,
            slow=sum(connection.congested for connection in self._connections),
            queues=queues(self.counters, self._ingest, self.config.limits),
            bridges=bridge_stats(self._statuses),
            counters=counted(self.counters),
        )

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set."""
        async with self:
            await stop.wait()

    # Starting and stopping

    async def _start(self) -> None:
        prepare_folder(self.config)
        authority = self._make_authority(self.config)
        self._lock.acquire()
        try:
            await self._store.open()
        except StoreError:
            self._lock.release()
            raise
        self._site = Site.load(_WEB)
        self._admin = Admin(self._store, authority)
        self._context = self._make_context(authority)
        self._rights = await self._store.rights_version()
        await self._erasures.begin()
        self._statuses.know(await self._store.bridge_grants())
        loop = asyncio.get_running_loop()
        self.wheel.start(loop)
        self.wheel.wake_at(self._statuses, monotonic_ms())
        self._begin_chores()
        await self._desk.open()
        if not self._listens:
            return
        try:
            await self._listen(loop)
        except OSError as error:
            await self._stop()
            raise ConfigError(
                f"cannot listen on {', '.join(self.config.hosts)} port {self.config.port} "
                f"({error.strerror}). Stop what has it, or set another port."
            ) from error
        _LOG.info("serving on port %d", self.port)

    def _begin_chores(self) -> None:
        """Each on its own, so that rights wait for nothing else."""
        chores: tuple[tuple[str, float, Callable[[], Awaitable[None]]], ...] = (
            ("storing what bridges send", _STORE_AGAIN_S, self._ingest.run),
            ("looking at rights", _RIGHTS_EVERY_S, self._look_at_rights),
            ("merging small blocks", _COOL_EVERY_S, self._cool),
            ("trying the store", _PROBE_EVERY_S, self._ingest.probe),
            ("keeping names of devices", _NAMES_EVERY_S, self._keep_names),
        )
        for name, every_s, chore in chores:
            self._spawn(self._chores.again_and_again(name, every_s, chore))

    async def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        port = self.config.port
        for host in self.config.hosts:
            listener = await loop.create_server(
                lambda: Connection(self), host, port, backlog=_BACKLOG
            )
            self._listeners.append(listener)
            # Where any port will do, all addresses share the first one's.
            port = port or self.port

    async def say_goodbye(self, patience_s: float = _GOODBYE_S) -> None:
        """Take nobody new, tell everybody when to come back, and wait for them to go."""
        self._stopping = True
        for listener in self._listeners:
            listener.close()
        for member in [member for members in self._members.values() for member in members]:
            member.go_away(int(random.random() * _RECONNECT_SPREAD_MS))  # noqa: S311  # spread
        for connection in list(self._connections):
            connection.close(CloseCode.RESTART, "the server restarts")
            if not connection.authenticated:
                connection.abort()
        if self._connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), patience_s)

    async def _stop(self) -> None:
        await self.say_goodbye()
        await self._desk.close()
        for connection in list(self._connections):
            connection.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.wheel.stop()
        await self._store.close()
        self._lock.release()

    def _make_authority(self, config: ServerConfig) -> Authority:
        secret = self._secret or load_or_make_secret(config.secret_path)
        return make_authority(config, secret, self._wall_ms)

    def _make_context(self, authority: Authority) -> Context:
        limits = self.config.limits
        rates = {
            Role.BRIDGE: limits.bridge_messages_per_s,
            Role.VIEWER: limits.viewer_messages_per_s,
        }
        return Context(
            authority=authority,
            store=self._store,
            ingest=self._ingest,
            hub=self._hub,
            statuses=self._statuses,
            wheel=self.wheel,
            counters=self.counters,
            wall_ms=self._wall_ms,
            monotonic_ms=monotonic_ms,
            spawn=self._spawn,
            register=self._register,
            unregister=self._unregister,
            make_part=_make_part,
            limits=Limits(
                window_readings=limits.window_readings, message_bytes=limits.message_bytes
            ),
            deadlines=self._deadlines,
            messages_per_s=rates.__getitem__,
            reconnect_spread_ms=_RECONNECT_SPREAD_MS,
            simulated=self.config.simulated,
            clock_state=self._clock_state,
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._stopping:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a task ended that should not have", exc_info=error)

    # What connections use

    def now_ms(self) -> int:
        """The monotonic clock."""
        return monotonic_ms()

    def opened(self, connection: Carrier) -> bool:
        """A connection came; whether there is room for it."""
        self._connections.add(connection)
        self._quiet.clear()
        counters, limits = self.counters, self.config.limits
        counters.connections_opened += 1
        counters.connections = len(self._connections)
        address = connection.address
        self._by_address[address] += 1
        self._unknown[address] += 1
        counters.unauthenticated += 1
        fits = (
            not self._stopping
            and len(self._connections) <= limits.connections
            and self._by_address[address] <= limits.connections_per_address
            and counters.unauthenticated <= limits.unauthenticated
            and self._unknown[address] <= limits.unauthenticated_per_address
        )
        counters.connections_refused += not fits
        return fits

    def admitted(self, connection: Carrier) -> None:
        """A connection has authenticated."""
        self.counters.unauthenticated -= 1
        _count_down(self._unknown, connection.address)

    def closed(self, connection: Carrier) -> None:
        """A connection went."""
        self._connections.discard(connection)
        self.counters.connections = len(self._connections)
        _count_down(self._by_address, connection.address)
        if not connection.authenticated:
            self.admitted(connection)
        if not self._connections:
            self._quiet.set()

    def respond(self, request: Request) -> Response:
        """The answer to a plain request."""
        if request.path == HEALTH_PATH:
            health = self._health()
            good = health.status == "ok"
            status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
            return json_response(request, status, encode(health))
        return self._site.respond(request)

    def _health(self) -> Health:
        failing = self._chores.failing
        bad: Literal["ok", "failing"] = "failing" if failing else "ok"
        return Health(
            status=bad if self._ingest.storing else "notStoring",
            version=version("strapline"),
            connections=len(self._connections),
            failing=failing,
        )

    def converse(self, connection: Carrier) -> Dialogue:
        """Begin a dialogue on an open socket."""
        assert self._context is not None, "the server runs"
        return Dialogue(self._context, connection, secrets.token_urlsafe(12))

    # Who is here

    def _register(self, member: Member) -> bool:
        members = self._members.setdefault(member.sub, set())
        if member.role is Role.BRIDGE:
            for older in list(members):
                self.counters.taken_over += 1
                older.end(CloseCode.TAKEN_OVER, "another connection of this bridge took over")
                members.discard(older)
        elif len(members) >= self.config.limits.connections_per_principal:
            return False
        members.add(member)
        return True

    def _unregister(self, member: Member) -> None:
        members = self._members.get(member.sub)
        if members is not None:
            members.discard(member)
            if not members:
                del self._members[member.sub]

    async def _look_at_rights(self) -> None:
        """Whoever changed users or grants, in this process or another, within a second it holds."""
        found = await self._store.rights_version()
        if found != self._rights:
            await self._regrant()
            members = [member for members in self._members.values() for member in members]
            await self._erasures.look(members)
            # Another process may have changed what viewers see of the past, too.
            self._ingest.look()
            self._rights = found

    async def _regrant(self) -> None:
        self._statuses.know(await self._store.bridge_grants())
        # Of one moment, and each user read once: hundreds of viewers may each see hundreds.
        subs = list(self._members)
        grants = await self._store.grants_of(subs)
        for sub in subs:
            for member in list(self._members.get(sub, ())):
                try:
                    member.regrant(grants.get(sub))
                except Exception:  # noqa: BLE001  # logged, and this connection alone pays for it
                    _LOG.exception("rights could not be changed on a connection, which is closed")
                    member.end(CloseCode.SERVER_FAULT, "a fault of the server")

    async def _keep_names(self) -> None:
        if self._ingest.storing and (names := self._statuses.take_names()):
            await self._store.name_devices(names)

    async def _cool(self) -> None:
        # An hour of one strap each time: commits go in between.
        if self._ingest.storing:
            await self._store.cool()

    def _committed(self, outcome: Outcome) -> None:
        """A commit is durable: tell the viewers."""
        self._hub.publish(outcome.changes)
        for change in outcome.changes:
            # What is said is no sign of a strap.
            said = metric_named(change.metric).said
            if isinstance(change.message, HealthDataUpdate) and not said:
                self._statuses.heard(change.user, max(change.message.series.at()))
            else:
                self._statuses.synced(change.user)


def _count_down(counts: Counter[str], address: str) -> None:
    counts[address] -= 1
    if counts[address] <= 0:
        del counts[address]


def _make_part(context: Context, connection: Carrier, session: ServerSession, grant: Grant) -> Part:
    """What this role does with its messages."""
    role = Publisher if grant.role is Role.BRIDGE else Viewer
    return role(context, connection, session, grant)
