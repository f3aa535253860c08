"""The WebSocket service of a program that watches: connects for ever, resumes, and tells."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from strapline_client.asking import Asking, checked
from strapline_client.errors import NotConnectedError
from strapline_client.events import (
    ConnectionState,
    ConnectionStatus,
    Update,
    UserState,
    WebSocketEventType,
)
from strapline_client.link import Link, forgets
from strapline_client.options import Options
from strapline_client.outgoing import frame_of
from strapline_client.ports import Ports
from strapline_client.state import States, Watched
from strapline_client.telling import Counters, Listener, Teller
from strapline_client.token import TokenKeeper, TokenSource
from strapline_client.updates import DEFAULT_BOUND, Updates
from strapline_protocol.asking import (
    EndSessionParams,
    GapsPage,
    GapsParams,
    HistoryPage,
    HistoryParams,
    MarkParams,
    Resolution,
    SessionMeasured,
    SessionsParams,
    StartSessionParams,
)
from strapline_protocol.base import Number, WireModel
from strapline_protocol.metrics import HEART_RATE
from strapline_protocol.opening import Authenticated, Client
from strapline_protocol.watching import Mark, Session, Subscribed, SubscriptionChanged

_log = logging.getLogger(__name__)


class WebSocketService:
    """Watches all users that a token grants, and keeps their state across connections.

    ::

        async with WebSocketService("wss://strapline.example/ws", token) as service:
            async for update in service.updates():
                print(update.user, update.state)

    Args:
        url: ``wss://…``; ``ws://…`` on this machine.
        token: a viewer's token, or a function that gets a fresh one. A token that the server
            refuses ends the service (:class:`StoppedError`); a function is asked again, for ever.
        client: how this program calls itself to the server.
        plain_text: allow ``ws://`` beyond this machine, where others in the network can read
            along.
        auto_reconnect: whether a lost connection is tried again.
        users: whom to watch; all that are granted when None.
        metrics: which; all that are granted when None.
        min_interval_ms: at most one update of a metric in so long; each when 0.
        ports: network, time and chance; the real ones when None.

    Raises:
        ValueError: ``url`` is not one, carries a token, or would send it unencrypted; ``token``
            is none.
    """

    def __init__(
        self,
        url: str,
        token: TokenSource,
        *,
        client: Client | None = None,
        plain_text: bool = False,
        auto_reconnect: bool = True,
        users: Sequence[str] | None = None,
        metrics: Sequence[str] | None = None,
        min_interval_ms: int = 0,
        ports: Ports | None = None,
    ) -> None:
        options = Options(
            url,
            plain_text=plain_text,
            auto_reconnect=auto_reconnect,
            users=users,
            metrics=metrics,
            min_interval_ms=min_interval_ms,
        )
        self._tokens = TokenKeeper(token)
        self._states = States()
        self._teller = Teller()
        self._link = Link(
            options if client is None else replace(options, client=client),
            self._tokens,
            ports or Ports(),
            delivered=self._deliver,
            changed=self._changed,
        )
        self._asking = Asking(self.request, self._until_connected)
        self._task: asyncio.Task[None] | None = None
        # The one above, and those before it that are still taking their leave.
        self._running: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # The connection.

    @property
    def status(self) -> ConnectionStatus:
        """This end's link to the server."""
        return self._link.state.status

    @property
    def connection(self) -> ConnectionState:
        """The link with why, since when, and what follows."""
        return self._link.state

    @property
    def session(self) -> Authenticated | None:
        """What the server granted, newest; None before the first session."""
        return self._link.session

    @property
    def connections(self) -> int:
        """How many sessions stood so far."""
        return self._link.connections

    @property
    def counters(self) -> Counters:
        """What waits, and what was given up or left out."""
        return Counters(
            waiting=len(self._link.outgoing),
            dropped=self._link.outgoing.dropped,
            ignored=self._link.ignored,
            left_out=self._teller.left_out,
        )

    def connect(self) -> None:
        """Connect, within a running event loop; nothing where it does already, or has stopped."""
        if self._task is None:
            self._start()

    async def disconnect(self) -> None:
        """Leave. Updates go on once :meth:`connect` resumes from here.

        Who reads the past meanwhile gets NotConnectedError.
        """
        self._leave()
        await _all_ended(self._running)

    def reconnect(self) -> None:
        """Try now, whatever was planned, after a stop too; nothing where there is a session."""
        if self._link.connection is None or not self._link.connection.stands:
            self._start()

    async def stop(self) -> None:
        """Leave, and end every iteration; one over the past with NotConnectedError."""
        self._leave()
        self._end(None)
        await _all_ended(self._running)

    def configure(
        self,
        *,
        url: str | None = None,
        token: str | None = None,
        auto_reconnect: bool | None = None,
        users: Sequence[str] | None = None,
        metrics: Sequence[str] | None = None,
        min_interval_ms: int | None = None,
    ) -> None:
        """Change what is not None. A new token or address counts at once, else the next connection.

        Raises:
            ValueError: ``url`` or ``token`` is none, as when the service was made.
        """
        given = {
            "url": url,
            "auto_reconnect": auto_reconnect,
            "users": users,
            "metrics": metrics,
            "min_interval_ms": min_interval_ms,
        }
        moved = url is not None and url != self._link.options.url
        told = {name: value for name, value in given.items() if value is not None}
        self._link.options = replace(self._link.options, **told)  # type: ignore[arg-type]  # by name
        if token is not None:
            self._tokens.keep(token)
        if self._task is not None and (moved or token is not None):
            self._start()

    # What is known.

    @property
    def users(self) -> Mapping[str, UserState]:
        """Every watched user's whole state, by id."""
        return self._states.users

    def server_now_ms(self) -> int | None:
        """The server's time, as nearly as this end knows it; None before its first word."""
        return self._link.server_now_ms()

    def silence_ms(self) -> int:
        """Since the server's last word; 0 before the first."""
        return self._link.silence_ms()

    def retry_in_ms(self) -> int | None:
        """Until it is tried again; None where that is not planned."""
        return self._link.retry_in_ms()

    def age_ms(self, user: str, metric: str) -> int | None:
        """How old the newest value is now, by the server's clock; None where there is none."""
        state = self.users.get(user)
        return None if state is None else state.age_ms(metric, self.server_now_ms())

    def current(self, user: str, metric: str) -> Number | None:
        """What it is now; None once the last value is no longer the present."""
        state = self.users.get(user)
        if state is None:
            return None
        connected = self.status is ConnectionStatus.CONNECTED
        return state.current(metric, self.server_now_ms(), connected=connected)

    def latest(self, kind: WebSocketEventType, user: str | None = None) -> Update | None:
        """The last event of this kind, of one user or of anyone; None before the first."""
        return self._teller.latest(kind, user)

    # What is told.

    def updates(self, bound: int = DEFAULT_BOUND) -> Updates:
        """What comes from now on; at most ``bound`` updates wait for a slow reader."""
        return self._teller.reader(bound)

    def add_event_listener(
        self, kind: WebSocketEventType, listener: Listener
    ) -> Callable[[], None]:
        """Call ``listener`` at each event of this kind; the function returned takes it off."""
        return self._teller.add(kind, listener)

    def remove_event_listener(self, kind: WebSocketEventType, listener: Listener) -> None:
        """Take it off; nothing where it is not on."""
        self._teller.remove(kind, listener)

    # What is said and asked.

    def send(
        self, kind: WebSocketEventType | str, payload: Mapping[str, JsonValue] | None = None
    ) -> bool:
        """Send ``{"type": kind, **payload}``, its fields named as on the wire.

        Returns:
            False when it waits for a session; at most 64 wait, and the oldest gives way.

        Raises:
            ValueError: it is no message, or one that the service says by itself.
        """
        self._link.outgoing.push(frame_of(str(kind), payload or {}))
        connection = self._link.connection
        return connection is not None and connection.subscribed

    async def request(self, method: str, params: Mapping[str, JsonValue]) -> WireModel:
        """Ask the server, params as on the wire. Raises as :meth:`Connection.request` does."""
        if self._link.connection is None:
            raise NotConnectedError(f"no session to ask {method} in")
        return await self._link.connection.request(method, params)

    async def sync(self) -> None:
        """Ask the bridges to flush and report; nothing while there is no session."""
        if self._link.connection is not None:
            await self._link.connection.sync()

    def history(
        self,
        user: str,
        metric: str,
        from_ms: int,
        to_ms: int,
        *,
        resolution: Resolution | str = Resolution.RAW,
        limit: int = 2_000,
    ) -> AsyncIterator[HistoryPage]:
        """Pages of the past, from ``from_ms`` to before ``to_ms``, server's wall time.

        Waits for a session, and goes on over a lost one from where it was.

        Args:
            user: whose.
            metric: its name on the wire.
            from_ms: milliseconds since 1970 UTC.
            to_ms: likewise.
            resolution: ``raw`` gives readings (``page.series``); ``second``, ``minute``, ``hour``
                and ``day`` give ``page.stretches``.
            limit: readings or stretches of one page, at most 10,000.

        Raises:
            ValueError: a parameter is none.
            RequestRefusedError, StoppedError, MalformedMessageError: while iterating.
        """
        finely = Resolution(resolution)
        question = checked(
            HistoryParams,
            user=user,
            metric=metric,
            from_ms=from_ms,
            to_ms=to_ms,
            resolution=finely,
            limit=limit,
        )
        return self._asking.history(question)

    def gaps(
        self,
        user: str,
        metric: str = HEART_RATE.name,
        *,
        from_ms: int,
        to_ms: int,
        device: str | None = None,
        limit: int = 500,
    ) -> AsyncIterator[GapsPage]:
        """Pages of the stretches without a reading, each with its cause; as :meth:`history` does.

        Args:
            user: whose.
            metric: its name on the wire.
            from_ms: milliseconds since 1970 UTC.
            to_ms: likewise; what lies ahead of now is left out.
            device: of this one alone; of all together, as history shows the metric, where None.
            limit: gaps of one page, at most 1,000.

        Raises:
            ValueError: a parameter is none.
            RequestRefusedError, StoppedError, MalformedMessageError: while iterating.
        """
        question = checked(
            GapsParams,
            user=user,
            metric=metric,
            device=device,
            from_ms=from_ms,
            to_ms=to_ms,
            limit=limit,
        )
        return self._asking.gaps(question)

    def sessions(self, user: str, from_ms: int, to_ms: int) -> AsyncIterator[SessionMeasured]:
        """Sessions that touch that stretch, by their start; raises as :meth:`history` does."""
        question = checked(SessionsParams, user=user, from_ms=from_ms, to_ms=to_ms)
        return self._asking.sessions(question)

    def marks(self, user: str, from_ms: int, to_ms: int) -> AsyncIterator[Mark]:
        """Marks in that stretch, by their moment; raises as :meth:`history` does."""
        return self._asking.marks(user, from_ms, to_ms)

    async def start_session(self, user: str, name: str, at_ms: int | None = None) -> Session:
        """Begin a session now, or at a past moment; one that runs ends there.

        Never asked twice by itself. Raises ValueError, and as :meth:`request` does.
        """
        question = checked(StartSessionParams, user=user, name=name, at_ms=at_ms)
        return await self._asking.start_session(question)

    async def end_session(self, user: str, at_ms: int | None = None) -> Session:
        """End the session that runs; raises as :meth:`start_session` does."""
        return await self._asking.end_session(checked(EndSessionParams, user=user, at_ms=at_ms))

    async def mark(self, user: str, label: str = "", at_ms: int | None = None) -> Mark:
        """Point at this moment, or at one that is past; raises as :meth:`start_session` does."""
        return await self._asking.mark(checked(MarkParams, user=user, label=label, at_ms=at_ms))

    # Inside.

    def _start(self) -> None:
        self._teller.begin()
        self._link.moves()
        self._cancel()
        before = frozenset(self._running)
        self._task = asyncio.create_task(self._run_after(before), name="strapline viewer")
        self._running.add(self._task)
        self._task.add_done_callback(self._running.discard)

    def _leave(self) -> None:
        """At once for all who look; the connection takes its leave of the server after it."""
        if self._task is not None:
            self._task = None
            self._link.left()
        self._cancel()

    def _cancel(self) -> None:
        # Here, not in the task that follows: that one may be cancelled before it ever runs.
        for task in self._running:
            if not task.cancelling():  # A second time would cut its leave-taking short.
                task.cancel()

    async def _run_after(self, before: Collection[asyncio.Task[None]]) -> None:
        """Run; what nobody thought of ends every iteration with it: nobody waits for ever."""
        await _all_ended(before)
        try:
            error = await self._link.run()
        except Exception as fault:  # noqa: BLE001  # handed on to those who wait
            _log.exception("the service failed")
            self._link.failed(str(fault))
            self._end(fault)
        else:
            _log.error("given up: %s", self._link.state.reason)
            self._end(error or NotConnectedError(self._link.state.reason))

    def _deliver(self, message: Watched) -> None:
        for update in self._states.apply(message):
            self._teller.tell(update)
        if isinstance(message, Subscribed | SubscriptionChanged):
            # At nothing else do users leave, and this looks at whatever is kept of anybody.
            self._teller.keep_only(self._states.users)

    def _changed(self, state: ConnectionState) -> None:
        if forgets(state.why):
            self._states.clear()
            for user in self._link.positions.users():
                self._link.positions.forget(user)
            self._teller.keep_only(())
        self._teller.tell(Update(WebSocketEventType.CONNECTION_STATUS_UPDATE, state))
        self._turn.set()
        self._turn = asyncio.Event()

    def _end(self, error: Exception | None) -> None:
        self._teller.end(error)
        self._turn.set()
        self._turn = asyncio.Event()

    async def _until_connected(self) -> None:
        """Raises what ended the service, or NotConnectedError where nobody asked it to connect."""
        while self._link.connection is None or not self._link.connection.subscribed:
            if self._teller.over:
                raise self._teller.error or NotConnectedError("the service was stopped")
            if self._task is None:
                raise NotConnectedError(
                    "nobody asked to connect: call connect(), or use async with"
                )
            await self._turn.wait()


async def _all_ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """Wait for them; whoever is cancelled at it cancels none of them."""
    if tasks:
        await asyncio.wait(frozenset(tasks))
