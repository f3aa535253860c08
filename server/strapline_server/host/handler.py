"""`WebSocketHandler`: what a host application makes, mounts, starts and sends by."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError
from websockets.http11 import Response

from strapline_protocol.base import UserId
from strapline_protocol.closing import CloseCode
from strapline_protocol.metrics import SUMMARY
from strapline_protocol.opening import ErrorCode
from strapline_server.admin import Admin
from strapline_server.clock import wall_ms
from strapline_server.config import Bounds, ServerConfig
from strapline_server.errors import FolderTakenError, NoteError, ServerError
from strapline_server.host.asgi import (
    Receive,
    Scope,
    Send,
    asked,
    path_below,
    redact,
    request_of,
    respond,
)
from strapline_server.host.errors import NotRunningError, UnknownUserError, UpdateError
from strapline_server.host.farewell import farewell
from strapline_server.host.handshake import serve_socket, turn_away
from strapline_server.host.update import Receipt, checked
from strapline_server.http import HEALTH_PATH, check_method, has_token, refuse
from strapline_server.secret import check_secret
from strapline_server.server import Server
from strapline_server.store import HOST, Note, NoteStored

_LOG = logging.getLogger(__name__)
_USER: Final[TypeAdapter[str]] = TypeAdapter(UserId)
#: How long the end of the process waits for the goodbyes.
_GOODBYE_S: Final = 0.5
_START_IT: Final = (
    "Start it with your application: FastAPI(lifespan=handler.lifespan), or within a lifespan of "
    "your own: `async with handler.running(): yield`. What is mounted gets no lifespan of itself."
)
_ONE_WORKER: Final = (
    "An application with a WebSocketHandler runs in one process (uvicorn --workers 1): what one "
    "process stores, the viewers of another would never see."
)
#: The page asks for its parts, and for its socket, at the root of its address.
_ONLY_SOCKET: Final = (
    "Here is only the socket, at /ws. The dashboard is where this is mounted at /."
)
_NOT_STARTED: Final = f"WebSocketHandler was not started. {_START_IT}"


class WebSocketHandler:
    """A realtime server inside of a host application, as an ASGI application to be mounted.

    ::

        handler = WebSocketHandler(os.environ["STRAPLINE_SECRET"])
        app = FastAPI(lifespan=handler.lifespan)
        app.mount("/realtime", handler)    # the WebSocket is then at /realtime/ws

        await handler.send_health_data_update("user123", {"steps": 10000})

    Args:
        secret: signs tokens with HS256, the host application's and the server's own; 32 bytes or
            more.
        state_folder: the database; by default ``$STATE_DIRECTORY``, as systemd gives it, else
            ``~/.local/state/strapline-host`` (XDG Base Directory Specification).
        allowed_origins: pages of other hosts that may connect, such as
            ``https://coach.example.org``.
        limits: how much of each to take on.

    Raises:
        SecretError: the secret is short, a sample, or otherwise unfit; the text has the command
            that makes a good one.
        ConfigError: another argument is wrong.
    """

    def __init__(
        self,
        secret: str | bytes,
        *,
        state_folder: str | os.PathLike[str] | None = None,
        allowed_origins: Sequence[str] = (),
        limits: Bounds | None = None,
    ) -> None:
        key = secret.encode() if isinstance(secret, str) else secret
        self._secret = check_secret(key, "WebSocketHandler")
        self._config = ServerConfig(
            state_folder=default_folder()
            if state_folder is None
            else Path(state_folder).absolute(),
            allowed_origins=tuple(allowed_origins),
            limits=limits or Bounds(),
        )
        self._server: Server | None = None
        self._ended = asyncio.Event()
        self._told = False

    def __repr__(self) -> str:
        return f"WebSocketHandler(state_folder={str(self._config.state_folder)!r})"

    # Starting and stopping

    def lifespan(self, app: object) -> AbstractAsyncContextManager[None]:
        """For ``FastAPI(lifespan=handler.lifespan)`` and Starlette's alike: it runs as long.

        Raises (on entering): as :meth:`running`.
        """
        return self._lifespan()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """It runs within this: ``async with handler.running(): ...``. Not twice at a time.

        Raises:
            StoreError: the database cannot be opened; or another process has the state folder,
                which is so where an application is run by more than one worker.
        """
        if self._server is not None:
            raise NotRunningError(
                "WebSocketHandler runs already. Start it in one place: the lifespan of the "
                "outermost application."
            )
        server = self._make_server()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(server)
            except FolderTakenError as error:
                raise FolderTakenError(f"{error} {_ONE_WORKER}") from error
            self._server, self._ended = server, asyncio.Event()
            stack.callback(self._end)
            with farewell(lambda: server.say_goodbye(_GOODBYE_S)):
                yield self

    def _make_server(self) -> Server:
        return Server(self._config, secret=self._secret, listens=False)

    def _end(self) -> None:
        """What still waits is told, and nothing new begins."""
        self._server = None
        self._ended.set()

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        async with self.running():
            yield

    # What a host application does

    @property
    def admin(self) -> Admin:
        """Users, grants and tokens.

        Raises:
            NotRunningError: it was not started, or has been stopped.
        """
        return self._running().admin

    async def send_health_data_update(self, user: str, data: Mapping[str, object]) -> Receipt:
        """Store what is known of a person's health, and show it to all who may see it.

        It is shown as given: no reading, and in no average of what was measured.

        Args:
            user: the wearer's id, who was added before.
            data: such as ``{"steps": 10000, "heart_rate": {"average": 75}}``, in snake_case or
                camelCase. Known are ``steps``, ``floors``, ``distance`` (m), ``calories`` (kcal),
                ``activeMinutes``, ``battery`` (%), and of ``heartRate`` ``current``, ``average``,
                ``min``, ``max`` and ``resting`` (bpm); all other fields pass as they are. What is
                not in it stays as it was said last.

        Raises:
            UpdateError: ``data`` is not such; the text names the field.
            UnknownUserError: there is no such user.
            NoteError: it cannot be stored now, and is not stored. Send it again.
            NotRunningError: the handler was not started, or has been stopped.
        """
        server = self._running()
        summary = checked(data)
        try:
            _USER.validate_python(user)
        except ValidationError:
            raise UnknownUserError(
                f"user: {user!r:.80} is no id: letters, digits and ._@+-, at most 128."
            ) from None
        note = Note(user, SUMMARY.name, HOST, wall_ms(), {SUMMARY.columns[0]: summary})
        stored = await self._store(server, note)
        return Receipt(
            user=user,
            position=stored.position,
            stored_ms=stored.committed_ms,
            stream=stored.stream,
            seq=stored.seq,
            viewers=server.reach(user, SUMMARY.name),
        )

    async def _store(self, server: Server, note: Note) -> NoteStored:
        """As the server does, but no longer than it runs."""
        storing = asyncio.ensure_future(server.note(note))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({storing, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not storing.done():
                raise NotRunningError(
                    "WebSocketHandler was stopped before this update was confirmed. Send it again."
                )
            return storing.result()
        except NoteError as error:
            raise _told_apart(error, note.user) from None
        finally:
            storing.cancel()
            ended.cancel()

    # ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one WebSocket, or the lifespan where nothing is around it."""
        match scope["type"]:
            case "websocket":
                await self._websocket(scope, receive, send)
            case "http":
                await self._http(scope, send)
            case "lifespan":
                await self._whole_application(receive, send)
            case other:
                raise ValueError(f"ASGI scope {other!r} is not known here")

    async def _whole_application(self, receive: Receive, send: Send) -> None:
        """The lifespan protocol, which only the outermost application is spoken to in."""
        await receive()
        phase = "startup"
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
                phase = "shutdown"
        except ServerError as error:
            await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, send: Send) -> None:
        if self._server is None:
            self._say_not_started()
            text = "This application did not start its WebSocketHandler. Its log says how."
            await respond(send, refuse(HTTPStatus.SERVICE_UNAVAILABLE, text))
            return
        self._server.counters.http_responses += 1
        await respond(send, _answer(self._server, scope))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._server is not None:
            await serve_socket(self._server, scope, receive, send)
            return
        self._say_not_started()
        reason = "the server was not started; its log says how"
        await turn_away(scope, receive, send, CloseCode.SERVER_FAULT, reason)

    def _running(self) -> Server:
        if self._server is None:
            ended = self._ended.is_set()
            raise NotRunningError("WebSocketHandler has been stopped." if ended else _NOT_STARTED)
        return self._server

    def _say_not_started(self) -> None:
        """Once, as whoever connects could fill a log."""
        if not self._told:
            self._told = True
            _LOG.error(_NOT_STARTED)


def _answer(server: Server, scope: Scope) -> Response:
    """The answer to a plain request."""
    if has_token(asked(scope)):
        redact(scope)
        text = "A token never goes into an address. Send it in AUTHENTICATE."
        return refuse(HTTPStatus.BAD_REQUEST, text)
    path = path_below(scope)
    if scope.get("root_path") and path != HEALTH_PATH:
        return refuse(HTTPStatus.NOT_FOUND, _ONLY_SOCKET)
    request = request_of(scope, path)
    return check_method(request) or server.respond(request)


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """What systemd made for the service (``StateDirectory=``), else the user's own folder."""
    made = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if made:
        return Path(made)
    home = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "strapline-host"


def _told_apart(error: NoteError, user: str) -> ServerError:
    """By whose fault it is."""
    if error.code == ErrorCode.NOT_GRANTED:
        return UnknownUserError(
            f"no user {user!r}. Add them first: await handler.admin.add_user({user!r})"
        )
    return UpdateError("", str(error)) if error.code == ErrorCode.BAD_REQUEST else error
