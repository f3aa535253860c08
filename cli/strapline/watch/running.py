"""Runs a watch until it is left: on a screen, or in lines."""

from __future__ import annotations

import asyncio
import locale
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strapline import __version__
from strapline.errors import CommandError
from strapline.terminal import make_console
from strapline.watch.feed import Feed
from strapline.watch.ink import Look
from strapline.watch.lines import Narrator, json_line, table
from strapline.watch.target import Target
from strapline_client import StoppedError, Update, Updates, WebSocketEventType, WebSocketService
from strapline_protocol.metrics import METRICS
from strapline_protocol.opening import Client

#: There is no release to install from yet: from a checkout, which `./run` keeps installed.
INSTALL_COMMAND: Final = "pip install '.[watch]'"
#: A server that is there has answered long before; a script does not wait for one that is not.
_ONCE_WITHIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 1.0
_SYSTEMS: Final = {None: 0, "standard": 16, "windows": 16, "256": 256, "truecolor": 2**24}


class ReaderGone(Exception):  # noqa: N818  # no error: whoever read has enough
    """The other end of the pipe was closed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What stands on the command line, but for the server."""

    once: bool = False
    as_json: bool = False
    plain: bool = False

    @property
    def on_screen(self) -> bool:
        """Whether somebody looks at a screen."""
        lines = self.once or self.as_json or self.plain
        return not lines and sys.stdin.isatty() and sys.stdout.isatty()


async def run_watch(target: Target | None, data: Path | None, wish: Wish) -> None:
    """Run until it is left, or the server ends it.

    Raises:
        CommandError: nothing runs here, or the server lets nobody in with this token.
    """
    if wish.on_screen:
        require_watch_extra()
    if target is None:
        from strapline.watch.here import target_here

        target = await target_here(data)
    client = Client(name="strapline-watch", version=__version__, metrics=sorted(METRICS))
    service = WebSocketService(
        target.url, target.token, client=client, plain_text=target.plain_text
    )
    feed = Feed(service)
    async with service:
        if wish.once:
            await _once(feed, as_json=wish.as_json)
        elif wish.on_screen:
            await _on_screen(feed)
        else:
            await _in_lines(feed, as_json=wish.as_json)
    connection = feed.people.connection
    if connection.ended and connection.trouble is not None:
        raise CommandError(f"{connection.trouble.title}. {connection.trouble.remedy}")


def require_watch_extra() -> None:
    """Look whether there is something to draw with.

    Raises:
        CommandError: it is missing; the message names the command that installs it.
    """
    try:
        import textual  # noqa: F401  # whether it is there
    except ModuleNotFoundError as error:
        raise CommandError(
            "The screen needs textual, which is not installed. In the checkout that strapline was "
            f"installed from, run {INSTALL_COMMAND} (what `./run` starts there has it already).\n"
            "Without it, `strapline watch --plain` prints lines."
        ) from error


def look_of_terminal() -> Look:
    """What this terminal can show, and what its user wishes."""
    system = None if os.environ.get("NO_COLOR") else make_console().color_system
    # Python reads and writes UTF-8 even where this says that nothing but ASCII is wished.
    wished = os.environ.get("LC_ALL") in {"C", "POSIX"}
    encoding = (sys.stdout.encoding or locale.getpreferredencoding()).lower().replace("-", "")
    ascii_only = wished or encoding not in {"utf8", "utf8sig"}
    return Look(ascii=ascii_only, colours=_SYSTEMS.get(system, 16))


async def _on_screen(feed: Feed) -> None:
    from strapline.watch.app import WatchApp

    app = WatchApp(feed, look_of_terminal())
    following = asyncio.create_task(feed.run())
    # A fault of ours ends the screen too: nobody looks at what is no longer told.
    following.add_done_callback(lambda task: app.exit() if _failed(task) else None)
    screen = asyncio.create_task(app.run_async())
    try:
        await asyncio.shield(screen)
    finally:
        # Told to stop from outside, the screen gives the terminal back before anything else.
        if not screen.done():
            app.exit()
            await screen
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    if _failed(following):
        following.result()


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


async def _in_lines(feed: Feed, *, as_json: bool) -> None:
    narrator = Narrator()
    people = feed.people
    reading = asyncio.create_task(_narrate(feed, narrator, as_json=as_json))
    try:
        while not reading.done():
            await asyncio.wait([reading], timeout=_LOOK_EVERY_S)
            if not as_json:
                _print(narrator.silence(people.all, people.connection, feed.now_ms()))
        reading.result()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _narrate(feed: Feed, narrator: Narrator, *, as_json: bool) -> None:
    people, service = feed.people, feed.service
    with suppress(StoppedError):
        async for update in service.updates():
            people.take(update, service.users, feed.now_ms())
            if as_json:
                line = json_line(update, service.users)
                _print([] if line is None else [line])
            else:
                # Why it ended is this command's error, on stderr: it is not said twice.
                ended = people.connection.ended
                told = narrator.lines(update, people.all, people.connection, feed.now_ms())
                _print([] if ended else told)
            if people.connection.ended:
                return


async def _once(feed: Feed, *, as_json: bool) -> None:
    """One look, and away."""
    people, service = feed.people, feed.service
    updates = service.updates()
    try:
        async with asyncio.timeout(_ONCE_WITHIN_S):
            update = await _snapshot(feed, updates)
    except TimeoutError:
        trouble = people.connection.trouble
        title = "The server does not answer" if trouble is None else trouble.title
        raise CommandError(
            f"{title}: there was nothing to print within {_ONCE_WITHIN_S:.0f} s. Look whether it "
            "runs, and whether this machine reaches it."
        ) from None
    if update is None:
        return
    if as_json:
        line = json_line(update, service.users)
        _print([] if line is None else [line])
    else:
        _print(table(people.all, people.connection, feed.now_ms()))


async def _snapshot(feed: Feed, updates: Updates) -> Update | None:
    """The first whole state; None where the server lets nobody in."""
    with suppress(StoppedError):
        async for update in updates:
            feed.people.take(update, feed.service.users, feed.now_ms())
            if feed.people.connection.ended:
                return None
            if update.type is WebSocketEventType.SUBSCRIBED:
                return update
    return None


def _print(lines: Sequence[str]) -> None:
    """At once, for whoever reads along; a reader that has gone ends it as if it were told to.

    Raises:
        ReaderGone: nobody reads any more.
    """
    look = look_of_terminal()
    try:
        for line in lines:
            print(look.words(line), flush=True)
    except BrokenPipeError:
        # What is still buffered would fail once more when Python leaves.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ReaderGone from None
