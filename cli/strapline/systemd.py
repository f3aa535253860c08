"""What systemd is told: ready, a word of status, and that the event loop lives (sd_notify(3))."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

_log = logging.getLogger(__name__)

#: The watchdog is fed so many times within its time, so that one late turn is no death.
_FEEDS: Final = 3
#: How often the status text is looked at where no watchdog is set.
_STATUS_EVERY_S: Final = 10.0
_US_PER_S: Final = 1_000_000


class Systemd:
    """The service manager's socket; says nothing where there is none, as in a terminal.

    Attributes:
        watchdog_s: within this time it wants to hear that the process lives; None: not at all.
    """

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        self._address = address
        self._status = ""
        self.watchdog_s = watchdog_s if address is not None else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Systemd:
        """As the service manager set it: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC``, ``WATCHDOG_PID``."""
        found = os.environ if environment is None else environment
        address = found.get("NOTIFY_SOCKET") or None
        wanted, of = found.get("WATCHDOG_USEC", ""), found.get("WATCHDOG_PID", "")
        for_us = not of or of == str(os.getpid())
        watchdog_s = int(wanted) / _US_PER_S if wanted.isdecimal() and for_us else None
        return cls(address, watchdog_s or None)

    def ready(self) -> None:
        """The service works from now on."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """It was told to stop, and does."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``; told when it is another one than before."""
        line = " ".join(text.split())
        if line != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    def alive(self) -> None:
        """The process lives."""
        self._tell("WATCHDOG=1")

    @asynccontextmanager
    async def serving(
        self,
        describe: Callable[[], Awaitable[str]],
        lives: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[None]:
        """While this is open the service is ready and its watchdog is fed.

        Args:
            describe: one line of how the service stands.
            lives: whether its parts do: as long as one does not, the watchdog is not fed.
        """
        self.status(await describe())
        self.ready()
        task = asyncio.create_task(self._feed(describe, lives), name="systemd")
        try:
            yield
        finally:
            self.stopping()
            task.cancel()
            await asyncio.wait([task])

    async def _feed(
        self, describe: Callable[[], Awaitable[str]], lives: Callable[[], bool]
    ) -> None:
        if self._address is None:
            return
        every_s = _STATUS_EVERY_S if self.watchdog_s is None else self.watchdog_s / _FEEDS
        while True:
            # Fed by this loop itself: one that stands still feeds nothing. Before the status is
            # asked for, since a disk that does not answer is no death.
            if lives():
                self.alive()
            try:
                async with asyncio.timeout(every_s):
                    self.status(await describe())
            except TimeoutError:
                self.status("waits for the disk")
            await asyncio.sleep(every_s)

    def _tell(self, message: str) -> None:
        if self._address is None:
            return
        # A name in the abstract namespace begins with a NUL, written as "@".
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(), address)
        except OSError as error:
            # The service manager starts it anew if it cares; what is measured matters more.
            _log.warning("systemd cannot be told %s: %s", message.partition("=")[0], error)
