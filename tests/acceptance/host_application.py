"""The how-to on host applications, executed: its files, its command, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from strapline_protocol.codec import decode_server
from strapline_protocol.opening import SUBPROTOCOL, Authenticate, Authenticated, Client, Hello
from tests.acceptance.processes import PATIENCE_S, Program, environment, program
from tests.integration.server_kit import Peer

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "in-your-own-application.md").read_text()
_FILE = re.compile(r"`([a-z_]+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
_SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
STARTED = re.compile(r"Uvicorn running on http://127\.0\.0\.1:(\d+)")


def files() -> dict[str, str]:
    """The page's files by their names."""
    return dict(_FILE.findall(PAGE))


def commands() -> list[str]:
    """The page's commands."""
    return [line for block in _SHELL.findall(PAGE) for line in block.splitlines()]


def command(begin: str) -> list[str]:
    """The words of the one command that begins so."""
    (found,) = [line for line in commands() if line.startswith(begin)]
    return shlex.split(found)


def good_secret() -> str:
    """What the page's command makes."""
    made = command("python3 -c")
    done = subprocess.run([sys.executable, *made[1:]], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def write_files(folder: Path) -> None:
    """The page's files into a folder."""
    folder.mkdir(exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text)


@dataclass
class Application:
    """A host application that runs."""

    process: Program
    port: int
    secret: str

    @property
    def url(self) -> str:
        """Its WebSocket."""
        return f"ws://127.0.0.1:{self.port}/realtime/ws"

    async def post(self, path: str, data: Any = None) -> Any:
        """What it answers to a POST.

        Raises:
            urllib.error.HTTPError: it refuses.
        """
        return json.loads(await asyncio.to_thread(self._post, path, data))

    async def refusal(self, path: str, data: Any = None) -> tuple[int, str]:
        """The status and the words with which it refuses a POST."""
        try:
            await self.post(path, data)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        raise AssertionError("it was not refused")

    def _post(self, path: str, data: Any) -> bytes:
        body = b"" if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            body,
            {"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            found: bytes = answer.read()
            return found

    @asynccontextmanager
    async def joined(self, token: str) -> AsyncIterator[Peer]:
        """A client that has authenticated."""
        async with connect(
            self.url, compression=None, max_size=None, subprotocols=[Subprotocol(SUBPROTOCOL)]
        ) as socket:
            hello = decode_server(await socket.recv())
            assert isinstance(hello, Hello)
            peer = Peer(socket, hello)
            await peer.say(Authenticate(token=token, client=Client(name="test", version="0")))
            await peer.expect(Authenticated)
            yield peer


@contextmanager
def uvicorn(
    folder: Path, application: str, *options: str, secret: str, port: int = 0
) -> Iterator[Program]:
    """`uvicorn APPLICATION` in this folder, as the page says it; port 0 takes a free one."""
    words = command("uvicorn main:app")
    words = [word.replace("main:app", application) for word in words]
    env = environment(folder, STRAPLINE_SECRET=secret)
    arguments = ["-m", *words, "--port", str(port), "--app-dir", str(folder), *options]
    # The state folder of the page is beside its files.
    start = f"import os, runpy, sys; os.chdir({str(folder)!r}); sys.argv = {arguments[1:]!r}"
    with program(["-c", f"{start}; runpy.run_module('uvicorn', run_name='__main__')"], env) as one:
        yield one


@asynccontextmanager
async def running(
    folder: Path, application: str = "main:app", *options: str
) -> AsyncIterator[Application]:
    """The page's application, once it serves."""
    write_files(folder)
    secret = await asyncio.to_thread(good_secret)
    with ExitStack() as stack:
        # Beside the loop, as all that waits for a process is.
        process = await asyncio.to_thread(
            stack.enter_context, uvicorn(folder, application, *options, secret=secret)
        )
        started = await asyncio.to_thread(process.wait_for, STARTED)
        yield Application(process, int(started[1]), secret)


def waited(process: Program, text: str) -> str:
    """All that the process said until this text came."""
    process.wait_for(re.escape(text))
    return process.out + process.err


def now_ms() -> int:
    """The machine's clock, which is the server's too."""
    return time.time_ns() // 1_000_000
