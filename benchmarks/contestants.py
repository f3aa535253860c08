"""The servers that are compared: ours as it is installed, its peers, and the limit in C."""

from __future__ import annotations

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import texts
from benchmarks.load import Client
from benchmarks.native import Native
from benchmarks.processes import Program, running
from benchmarks.rights import Rights
from strapline_protocol.opening import SUBPROTOCOL
from strapline_server.http import SOCKET_PATH

#: `strapline` where uvloop is not installed: the command then takes asyncio's own loop.
_WITHOUT_UVLOOP: Final = (
    "import sys; sys.modules['uvloop'] = None; from strapline.main import main; main()"
)


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    program: Program
    port: int


class Contestant(ABC):
    """One of the servers, and how clients speak to it."""

    subprotocol = "-"

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def serving(self, folder: Path) -> AbstractContextManager[Served]:
        """Run it; what it keeps goes to ``folder``."""

    @abstractmethod
    def publisher(self, user: int) -> Client:
        """Who publishes one reading after another of this user."""

    @abstractmethod
    def viewer(self, number: int, user: int) -> Client:
        """The viewer of this number, who watches this user."""


class Strapline(Contestant):
    """`strapline server run`: tokens, subscriptions, checks, a durable commit, and state.

    Args:
        rights: a state folder with people and tokens in it, of which each run gets a copy.
        fast: on uvloop.
        counting: where to count its fsyncs, with the library that does.
    """

    subprotocol = SUBPROTOCOL

    def __init__(
        self,
        rights: Rights,
        *,
        fast: bool = True,
        counting: tuple[Native, Path] | None = None,
    ) -> None:
        super().__init__(f"Strapline ({'uvloop' if fast else 'asyncio'})")
        self._rights = rights
        self._fast = fast
        self._counting = counting

    @contextmanager
    def serving(self, folder: Path) -> Iterator[Served]:
        state = folder / "server"
        shutil.copytree(self._rights.state, state)
        config = folder / "server.toml"
        config.write_text(
            f'[server]\nstate_folder = "{state}"\nport = 0\n'
            "[limits]\nconnections = 100000\nconnections_per_address = 100000\n"
        )
        start = ["-m", "strapline"] if self._fast else ["-c", _WITHOUT_UVLOOP]
        env: dict[str, str] = {}
        if self._counting is not None:
            native, count = self._counting
            count.write_bytes(bytes(8))
            env = {"LD_PRELOAD": str(native.fsyncs), "FSYNCS_FILE": str(count)}
        command = (sys.executable, *start, "server", "run", "--config", str(config))
        with running(command, folder, env) as program:
            yield Served(program, int(program.wait_for(r"serving on port (\d+)")[1]))

    def publisher(self, user: int) -> Client:
        name = self._rights.user(user)
        return self.speaker(user, texts.stream(user), (texts.reading(name, user),))

    def speaker(self, user: int, stream: str, messages: tuple[str, ...]) -> Client:
        """A user's bridge, with these messages to publish in the stream."""
        steps = (
            'await "HELLO"',
            f"send {texts.authenticate(self._rights.bridge(user))}",
            'await "AUTHENTICATED"',
            f"send {stream}",
            'await "ACKNOWLEDGED"',
        )
        return Client(user, SOCKET_PATH, steps, messages)

    def viewer(self, number: int, user: int) -> Client:
        steps = (
            'await "HELLO"',
            f"send {texts.authenticate(self._rights.viewer(number))}",
            'await "AUTHENTICATED"',
            f"send {texts.subscribe()}",
            'await "SUBSCRIBED"',
        )
        return Client(user, SOCKET_PATH, steps)


class Peer(Contestant):
    """A server that hands out what comes to `/pub/N` at `/watch/N`."""

    def __init__(self, name: str, command: tuple[str | Path, ...], *, keeps: bool = False) -> None:
        super().__init__(name)
        self._command = command
        self._keeps = keeps

    @contextmanager
    def serving(self, folder: Path) -> Iterator[Served]:
        more = [folder / "messages.db"] if self._keeps else []
        with running([*self._command, *more], folder) as program:
            yield Served(program, int(program.wait_for(r"listening (\d+)")[1]))

    def publisher(self, user: int) -> Client:
        return Client(user, f"/pub/{user}", (), (texts.update(f"user-{user:04d}", user),))

    def viewer(self, number: int, user: int) -> Client:
        return Client(user, f"/watch/{user}")


def limit(native: Native) -> Peer:
    """One `send()` a viewer and message, in C, and nothing else."""
    return Peer("limit: `send()` in C", (native.limit,))


def peer(name: str, loop: str, *, keeps: bool = False) -> Peer:
    """``websockets`` or ``picows`` on one of the loops, with or without a commit a message."""
    titles = {"websockets": "websockets `broadcast()`", "picows": "picows"}
    title = f"{titles[name]} ({loop})" + (", a commit a message" if keeps else "")
    return Peer(title, (sys.executable, "-m", "benchmarks.peers", name, loop), keeps=keeps)
