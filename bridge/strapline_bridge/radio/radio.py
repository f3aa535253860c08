"""The radio: links to the chosen wearables, and to no other."""

from __future__ import annotations

import asyncio
import logging
import random as random_module
from collections.abc import Callable, Iterable, Mapping

from strapline_bridge.clock import BootClock, SystemBootClock
from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, Decoder, Description
from strapline_bridge.radio.backend import RadioBackend
from strapline_bridge.radio.errors import NoAdapterError, RadioError
from strapline_bridge.radio.events import AdapterChange, NoticeSink, RadioSink
from strapline_bridge.radio.finder import Finder
from strapline_bridge.radio.link import Link, Shared, Target, ignore_notice
from strapline_bridge.radio.timing import Timing

_log = logging.getLogger(__name__)


class Radio:
    """Keeps a link to each chosen wearable and hands what they send to a sink.

    Attributes:
        problem: why nothing can be found at present, or ``None``. A radio whose Bluetooth is
            missing keeps trying: it may come with a dongle, or a minute after boot.
    """

    def __init__(
        self,
        backend: RadioBackend,
        wearables: Iterable[Target],
        sink: RadioSink,
        *,
        notice: NoticeSink = ignore_notice,
        clock: BootClock | None = None,
        decoders: Mapping[str, Decoder] = DECODERS,
        descriptions: Mapping[str, Description] = DESCRIPTIONS,
        timing: Timing | None = None,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        """Set up; nothing happens before :meth:`run`.

        Args:
            backend: the Bluetooth stack.
            wearables: those chosen at the start; see :meth:`add`.
            sink: takes events inside the stack's callbacks: it must neither wait nor raise.
            notice: told, likewise, what explains that no link stands.
            clock: stamps events at arrival.
            decoders: characteristics worth subscribing to.
            descriptions: those worth reading once.
            timing: bounds and rhythms.
            random: in [0, 1), for jitter.
        """
        timing = Timing() if timing is None else timing
        self._finder = Finder(backend, timing, self._set_problem)
        self._shared = Shared(
            backend=backend,
            finder=self._finder,
            connecting=asyncio.Semaphore(1),
            sink=sink,
            clock=SystemBootClock() if clock is None else clock,
            decoders=decoders,
            descriptions=descriptions,
            timing=timing,
            random=random,
            notice=notice,
        )
        self._links = {wearable.device: Link(wearable, self._shared) for wearable in wearables}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self.problem: RadioError | None = None

    async def run(self) -> None:
        """Work until cancelled; then every link is disconnected before this returns."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._finder.run(), name="finder")
                for device, link in self._links.items():
                    self._start(group, device, link)
        finally:
            self._group = None
            self._tasks.clear()

    def add(self, wearable: Target) -> None:
        """Look for one more wearable from now on; one that is known already stays as it is."""
        if wearable.device in self._links:
            return
        link = self._links[wearable.device] = Link(wearable, self._shared)
        if self._group is not None:
            self._start(self._group, wearable.device, link)

    async def remove(self, device: str) -> None:
        """Disconnect a wearable and look for it no more; an unknown one is no error."""
        self._links.pop(device, None)
        task = self._tasks.pop(device, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _start(self, group: asyncio.TaskGroup, device: str, link: Link) -> None:
        self._tasks[device] = group.create_task(link.run(), name=f"link {device}")

    def _set_problem(self, problem: RadioError | None) -> None:
        if str(problem) == str(self.problem):
            return
        was_away, away = (isinstance(one, NoAdapterError) for one in (self.problem, problem))
        self.problem = problem
        if away is not was_away:
            self._shared.notice(AdapterChange(away, self._shared.clock.now_ns()))
        if problem is None:
            _log.info("Bluetooth works again")
        else:
            _log.error("%s", problem)
