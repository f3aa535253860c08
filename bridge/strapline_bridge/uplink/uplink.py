"""Keeps a bridge connected: for ever, with full jitter, and never stopping to record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import random
from typing import Final, TypeVar

from strapline_bridge.clock import BootClock
from strapline_bridge.outbox import Outbox
from strapline_bridge.uplink.connection import Connection, Endpoint, Greeting
from strapline_bridge.uplink.conversation import Conversation
from strapline_bridge.uplink.errors import NotConnectedError
from strapline_bridge.uplink.retrying import Ending, after
from strapline_bridge.uplink.sent import Sent
from strapline_bridge.uplink.state import Link, UplinkState
from strapline_bridge.uplink.tokens import TokenSource
from strapline_protocol.base import WireModel
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.closing import Backoff
from strapline_protocol.opening import Authenticated, Client, Hello
from strapline_protocol.publishing import Rejected, Status

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=WireModel)

_STATUS_EVERY_S: Final = 30.0
#: The bridge's own code for a dead letter that no message may carry.
_TOO_LARGE: Final = "tooLarge"
#: Below this every message holds one reading.
_LEAST_BYTES: Final = 64


class Uplink:
    """Brings the outbox to the server.

    Attributes:
        state: how it stands; read by the bridge's status.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        url: str,
        tokens: TokenSource,
        client: Client,
        boot_clock: BootClock,
        status: Callable[[str | None], Awaitable[Status]],
        greeted: Callable[[Greeting], None] = lambda greeting: None,
        draw: Callable[[], float] = random,
        backoff: Backoff | None = None,
        status_every_s: float = _STATUS_EVERY_S,
    ) -> None:
        """Set up; nothing is connected yet.

        Args:
            url: ``wss://…``, or ``ws://`` as the configuration allows it.
            status: what STATUS says now, in answer to a SYNC's request or to nobody.
            greeted: hears of each HELLO, for the clock.
            draw: a random number in [0, 1), for the jitter.
        """
        self._outbox = outbox
        self._status = status
        self._draw = draw
        self._backoff = backoff or Backoff()
        self._status_every_s = status_every_s
        self._sent = Sent()
        self._said: str | None = None
        self._history: tuple[str, str] | None = None
        self._now = asyncio.Event()
        self._heard = asyncio.Event()
        self._conversation: Conversation | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.state = UplinkState()
        self._endpoint = Endpoint(
            url=url,
            tokens=tokens,
            client=client,
            boot_clock=boot_clock,
            converse=self._converse,
            greeted=greeted,
            connected=self._connected,
            done=self._done,
        )

    async def run(self) -> None:
        """Connect, talk, come back; until cancelled."""
        while True:
            self.state.attempts += 1
            self.state.link = Link.CONNECTING
            connection = Connection(self._endpoint)
            ending = await connection.run()
            self.state.frames += connection.progress.frames
            await self._wait(ending)

    def report(self) -> None:
        """Something that STATUS tells has changed."""
        if self._conversation is not None:
            self._conversation.report()

    def retry_now(self) -> None:
        """Do not wait any longer: a token was mended, a network came back."""
        self._now.set()

    async def ask(self, method: str, params: WireModel, kind: type[R]) -> R:
        """What the server answers to a question of this bridge's.

        Raises:
            NotConnectedError: there is no connection.
            NotAnsweredError: the server refused, was silent, or said something else.
        """
        if self._conversation is None:
            why = (self.state.why or "it is being connected to").removesuffix(".")
            raise NotConnectedError(
                f"this bridge is not connected to its server: {why}",
                "Put that right, or look at what is here alone with --offline",
            )
        return await self._conversation.questions.ask(method, params, kind)

    async def drain(self, within_s: float) -> bool:
        """Wait until all is acknowledged, where there is a connection. Whether it is."""
        try:
            async with asyncio.timeout(within_s):
                while self._conversation is not None and not self._drained():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return False
        return self._drained()

    def _drained(self) -> bool:
        own = self._outbox.stream
        record = self._outbox.record(own) if own else None
        return not self._outbox.status().pending and (record is None or record.told)

    async def _wait(self, ending: Ending) -> None:
        following = after(ending, self._backoff, self._draw())
        self._backoff = following.backoff
        why = following.stopped or ending.reason
        # A server that is away for a night is said once, not each minute.
        level = logging.DEBUG if why == self._said else logging.WARNING
        self._said = why
        # A fault's own words end with a full stop, a close reason does not.
        wait_s = following.wait_ms / 1_000
        _log.log(level, "%s; trying again in %.1f s", why.removesuffix("."), wait_s)
        self.state.link = Link.STOPPED if following.stopped else Link.WAITING
        self.state.why = why
        self.state.retry_ms = following.wait_ms
        if following.split:
            self._split()
        self._now.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(following.wait_ms / 1_000):
                await self._now.wait()

    def _split(self) -> None:
        """The server found a message too large: smaller ones, or one reading that never fits."""
        alone = self._sent.largest_alone()
        if alone is None:
            self.state.most_bytes = max(_LEAST_BYTES, self.state.most_bytes // 2)
        else:
            self._outbox.reject(
                Rejected(
                    stream=alone.stream,
                    ranges=[(alone.number, alone.number)],
                    code=_TOO_LARGE,
                    message=f"{alone.size} bytes in a message of its own",
                )
            )

    def _converse(
        self,
        session: BridgeSession,
        hello: Hello,
        authenticated: Authenticated,
        wake: Callable[[], None],
    ) -> Conversation:
        def woken() -> None:
            wake()
            self._heard.set()

        conversation = Conversation(
            self._outbox,
            session,
            authenticated,
            store=hello.store,
            new_history=self._history != (hello.store, hello.epoch),
            sent=self._sent,
            status=self._status,
            wake=woken,
            most_bytes=self.state.most_bytes,
        )
        self._history = (hello.store, hello.epoch)
        self._outbox.observe(conversation)
        self._conversation = conversation
        return conversation

    def _connected(self) -> None:
        _log.info("connected to the server")
        self._said = None
        self.state.connections += 1
        self.state.link = Link.ONLINE
        self.state.why = None
        self._report_later()

    def _report_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._status_every_s, self._report_in_time)

    def _report_in_time(self) -> None:
        self.report()
        self._report_later()

    def _done(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.state.unsolicited = self._sent.unsolicited
        if self._conversation is not None:
            self._conversation.end()
            self._outbox.ignore(self._conversation)
            self._conversation = None
        self._heard.set()
