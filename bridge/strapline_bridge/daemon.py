"""The bridge: radio to intake to outbox to uplink, started together and stopped in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from strapline_bridge.answering import commands_of
from strapline_bridge.clock import BootClock, ClockState, WallClock, boot_id, clock_state
from strapline_bridge.config import BridgeConfig, sends_in_the_open
from strapline_bridge.control import ControlSocket
from strapline_bridge.gaps import GapWatch
from strapline_bridge.intake import Arrived, Described, Intake
from strapline_bridge.outbox import ClockMoment, Limits, Outbox, OutboxObserver, Run
from strapline_bridge.radio import (
    LinkChange,
    Radio,
    RadioBackend,
    RadioError,
    RadioNotice,
    Timing,
)
from strapline_bridge.radio.scan import ensure_available
from strapline_bridge.status import BridgeStatus, DeviceBoard
from strapline_bridge.timekeeper import Timekeeper
from strapline_bridge.uplink import Greeting, TokenSource, Uplink
from strapline_bridge.wearables import Wearables, WearablesFile
from strapline_protocol.errors import LocalProtocolError
from strapline_protocol.metrics import METRICS
from strapline_protocol.opening import Client
from strapline_protocol.publishing import Moment, Status

_log = logging.getLogger(__name__)

OUTBOX_NAME: Final = "outbox.db"
#: The parts of stopping, in s: together they stay under five.
_RADIO_WITHIN_S: Final = 1.5
_STORE_WITHIN_S: Final = 1.0
_SEND_WITHIN_S: Final = 1.0
_CLOCK_EVERY_S: Final = 60.0
_LOOK_EVERY_S: Final = 5.0
_NS_PER_MS: Final = 1_000_000


class Bridge:
    """One run of the bridge. ``async with`` starts and stops it; :meth:`run` waits.

    ::

        async with Bridge(config, backend, tokens, version=__version__) as bridge:
            await bridge.run()
    """

    def __init__(
        self,
        config: BridgeConfig,
        backend: RadioBackend,
        tokens: TokenSource,
        *,
        version: str,
        observers: Iterable[OutboxObserver] = (),
        timing: Timing | None = None,
        boot_clock: BootClock | None = None,
        wall_clock: WallClock | None = None,
        clock: Callable[[], ClockState] = clock_state,
        awake_clock: BootClock | None = None,
    ) -> None:
        """Set up; nothing is opened before ``async with``.

        Args:
            backend: the Bluetooth stack.
            tokens: says who this bridge is, anew for each connection.
            version: of the program, told to the server.
            observers: hear of commits and acknowledgements.
            clock: how far the wall clock may be trusted at this moment.
            awake_clock: stands still in a suspend, beside a ``boot_clock`` that is given.
        """
        self._config = config
        self._backend = backend
        self._tokens = tokens
        self._version = version
        self._timing = timing
        self._time = Timekeeper(boot_clock, wall_clock, clock, awake_clock)
        self._boot_id = boot_id()
        self._zero_ns = self._time.boot.now_ns()
        self._board = DeviceBoard(self._zero_ns)
        self._gaps = GapWatch(self._zero_ns, self._time.suspensions.slept_ns)
        self._observers = [self._board, *observers]
        self._wearables = Wearables()
        self._parts: _Parts | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Open the outbox, read the chosen wearables, and start.

        Raises:
            OutboxError: it is held by another process, too new, or unreadable.
            WearablesError: the list of wearables cannot be read.
        """
        config = self._config
        file = WearablesFile(config.state_dir)
        self._wearables = await asyncio.to_thread(file.load)
        if not self._wearables:
            _log.warning(
                "no wearable stands in %s, so there is nothing to listen to. Choose some with "
                "`strapline up`, copy the %s out of bridge/ in its data folder to there, and "
                "restart this bridge",
                file.path,
                file.path.name,
            )
        if sends_in_the_open(config.server.url):
            _log.warning(
                "readings and token go to another machine without encryption, as "
                "`server.allow_insecure` allows: everyone on the way can read along"
            )
        outbox = await Outbox.open(
            config.state_dir / OUTBOX_NAME,
            Run(self._boot_id, self._zero_ns),
            self._time.moment,
            limits=Limits(most_bytes=config.outbox.max_bytes),
            observers=self._observers,
            interval_ms=config.outbox.commit_interval_ms,
        )
        try:
            parts = await self._join(outbox)
            await parts.control.open()
            self._start(parts)
        except BaseException:
            await outbox.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop within five seconds: links first, then store what came, then send what can be."""
        parts = self._running
        try:
            await _end(self._tasks["radio"], _RADIO_WITHIN_S)
            # One moment for both: no millisecond of a silence is left without its cause.
            ends_ns = self._time.boot.now_ns()
            self._store(self._gaps.finish(ends_ns))
            await _at_most(parts.outbox.finish(ends_ns), _STORE_WITHIN_S)
            await parts.uplink.drain(_SEND_WITHIN_S)
        finally:
            await parts.control.close()
            for task in self._tasks.values():
                task.cancel()
            await asyncio.wait(self._tasks.values(), timeout=_RADIO_WITHIN_S)
            await parts.outbox.close()
            self._parts = None

    async def run(self) -> None:
        """Work until cancelled; raises what ends a part that should never end."""
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    @property
    def outbox(self) -> Outbox:
        """The open outbox, to be read."""
        return self._running.outbox

    @property
    def wearables(self) -> Wearables:
        """Those that this run looks for."""
        return self._wearables

    async def use(self, wearables: Wearables) -> None:
        """Look for these from now on, with these wearers and names; the file is the caller's."""
        parts = self._running
        before, self._wearables = self._wearables, wearables
        for known in before.wearables:
            changed = wearables.find(known.device)
            if changed is None or changed.addresses != known.addresses:
                await parts.radio.remove(known.device)
            if changed is None:
                self._board.forget(known.device)
                self._store(self._gaps.forget(known.device, self._time.boot.now_ns()))
        self._watch_wearers(self._time.boot.now_ns())
        for wearable in wearables.wearables:
            parts.radio.add(wearable)
        parts.uplink.report()

    async def status(self) -> BridgeStatus:
        """How this bridge stands.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        parts = self._running
        moment = self._time.moment()
        oldest = await parts.outbox.oldest_pending()
        problem = parts.radio.problem
        outbox = parts.outbox.status()
        return BridgeStatus(
            devices=self._board.describe(self._wearables.wearables, moment.boot_ns, oldest),
            pending=outbox.pending,
            oldest_pending_ms=self._age_ms(oldest, moment),
            clock=self._time.status(),
            outbox=outbox,
            uplink=parts.uplink.state,
            problem=None if problem is None else str(problem),
        )

    def check_clock(self) -> None:
        """Tell the time of this boot's readings anew, where it is known better by now."""
        self._running.outbox.correct_time(self._time.moment())

    def retry_now(self) -> None:
        """Connect to the server at once, whatever is being waited for."""
        self._running.uplink.retry_now()

    # ------------------------------------------------------------------------------ joining

    @property
    def _running(self) -> _Parts:
        if self._parts is None:
            raise LocalProtocolError("the bridge is used outside of `async with`")
        return self._parts

    async def _join(self, outbox: Outbox) -> _Parts:
        intake = Intake(
            self._wearer_of,
            self._deliver,
            await outbox.load_steps(),
            boot_id=self._boot_id,
            wall_clock=self._time.wall,
        )
        radio = Radio(
            self._backend,
            self._wearables.wearables,
            intake,
            notice=self._noticed,
            clock=self._time.boot,
            timing=self._timing,
        )
        uplink = Uplink(
            outbox,
            url=self._config.server.url,
            tokens=self._tokens,
            client=Client(name="strapline-bridge", version=self._version, metrics=list(METRICS)),
            boot_clock=self._time.boot,
            status=self._status_message,
            greeted=self._greeted,
        )
        control = ControlSocket(self._config.state_dir, commands_of(outbox, uplink.ask))
        return _Parts(outbox, intake, radio, uplink, control)

    def _start(self, parts: _Parts) -> None:
        self._parts = parts
        self._watch_wearers(self._zero_ns)
        for name, work in (
            ("radio", self._listen(parts.radio)),
            ("uplink", parts.uplink.run()),
            ("outbox", parts.outbox.watch()),
            ("clock", self._watch_clock()),
            ("gaps", self._watch_gaps()),
        ):
            self._tasks[name] = asyncio.create_task(work, name=f"bridge {name}")

    async def _listen(self, radio: Radio) -> None:
        if not self._wearables:
            # A radio without wearables never scans, and would not notice what is wrong.
            try:
                await ensure_available(self._backend)
            except RadioError as error:
                _log.error("%s", error)
            except Exception:  # noqa: BLE001  # no oddity of a stack may end the bridge
                _log.exception("Bluetooth: unexpected")
        await radio.run()

    # -------------------------------------------------------------------- what the parts tell

    def _wearer_of(self, device: str) -> str | None:
        return self._wearables.wearer_of(device)

    def _deliver(self, item: Arrived | LinkChange | Described) -> None:
        parts = self._running
        if isinstance(item, Arrived):
            self._store(self._gaps.arrived(item))
            parts.outbox.put(item)
            changed = self._board.arrived(item)
        elif isinstance(item, Described):
            changed = self._board.described(item)
        else:
            self._store(self._gaps.link_changed(item))
            changed = self._board.link_changed(item)
        if changed:
            parts.uplink.report()

    def _noticed(self, notice: RadioNotice) -> None:
        self._store(self._gaps.noticed(notice))

    def _store(self, statements: Sequence[Arrived]) -> None:
        for statement in statements:
            self._running.outbox.put(statement)

    def _watch_wearers(self, now_ns: int) -> None:
        for wearable in self._wearables.wearables:
            self._store(self._gaps.worn(wearable.device, wearable.user, now_ns))

    async def _status_message(self, request: str | None) -> Status:
        if request is not None:
            # A viewer asked: what has arrived counts as measured, if the disk takes it.
            with suppress(TimeoutError):
                async with asyncio.timeout(_STORE_WITHIN_S):
                    await self._running.outbox.flush()
        return (await self.status()).message(request)

    def _greeted(self, greeting: Greeting) -> None:
        told = self._time.greeted(greeting.hello, greeting.before_ns, greeting.after_ns)
        self._running.outbox.correct_time(told)

    async def _watch_clock(self) -> None:
        """A clock that becomes synchronised tells what earlier readings' time was."""
        while True:
            self.check_clock()
            await asyncio.sleep(_CLOCK_EVERY_S)

    async def _watch_gaps(self) -> None:
        """Silences that go on are told of while they do, so that one who dies has told most."""
        while True:
            self._store(self._gaps.look(self._time.boot.now_ns()))
            await asyncio.sleep(_LOOK_EVERY_S)

    def _age_ms(self, oldest: Moment | None, now: ClockMoment) -> int:
        record = self._running.outbox.record(oldest.stream) if oldest else None
        if oldest is None or record is None:
            return 0
        if record.boot_id == self._boot_id:
            taken_ns = record.zero_ns + oldest.elapsed_ms * _NS_PER_MS
            return max(0, now.boot_ns - taken_ns) // _NS_PER_MS
        return max(0, now.wall_ms - record.zero.wall_ms(oldest.elapsed_ms))


@dataclass(frozen=True, slots=True)
class _Parts:
    outbox: Outbox
    intake: Intake
    radio: Radio
    uplink: Uplink
    control: ControlSocket


async def _end(task: asyncio.Task[None], within_s: float) -> None:
    task.cancel()
    await asyncio.wait([task], timeout=within_s)


async def _at_most(work: Coroutine[None, None, None], within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await work
    except TimeoutError:
        _log.warning("stopping does not wait for the disk any longer")
