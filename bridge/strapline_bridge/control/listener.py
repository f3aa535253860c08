"""The service's end of the control socket: few visitors, each one question at a time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

from strapline_bridge.control.commands import Commands, refused
from strapline_bridge.control.lines import (
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    Answer,
    Question,
    from_line,
    to_line,
)
from strapline_bridge.control.place import NAME, bind, remove

_LOG = logging.getLogger(__name__)

_MOST_VISITORS: Final = 8
#: For a question to come, and for an answer to be taken.
_PATIENCE_S: Final = 10.0


class ControlSocket:
    """Answers while it is open.

    Args:
        folder: the bridge's state folder, whose outbox this process holds.
        commands: what can be asked.
    """

    def __init__(
        self, folder: Path, commands: Commands, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self._folder = folder
        self._commands = commands
        self._patience_s = patience_s
        self._server: asyncio.Server | None = None
        self._visitors: set[asyncio.Task[None]] = set()
        #: Visitors that were turned away, since so many were here.
        self.turned_away = 0

    async def open(self) -> None:
        """Listen; where that cannot be, say so and go on: nobody's readings depend on it."""
        try:
            listener = await asyncio.to_thread(bind, self._folder)
            self._server = await asyncio.start_unix_server(
                self._arrived, sock=listener, limit=LONGEST_QUESTION
            )
        except OSError as error:
            _LOG.warning(
                "%s: cannot be made (%s), so commands that ask the running bridge will not "
                "reach this bridge while it runs. Let this user make sockets in that folder.",
                self._folder / NAME,
                error.strerror or error,
            )

    async def close(self) -> None:
        """Answer nobody any more."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task in self._visitors:
            task.cancel()
        await asyncio.gather(*self._visitors, return_exceptions=True)
        with suppress(OSError):
            await asyncio.to_thread(remove, self._folder)

    def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._visitors) >= _MOST_VISITORS:
            self.turned_away += 1
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer), name="control visitor")
        self._visitors.add(task)
        task.add_done_callback(self._visitors.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(self._patience_s):
                    line = await reader.readuntil(b"\n")
                answer = await self._while_here(reader, line)
                if answer is None:
                    return
                writer.write(_bounded(answer))
                async with asyncio.timeout(self._patience_s):
                    await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            # One that goes, dribbles or says too much is left alone.
            _LOG.debug("somebody at the control socket asked for nothing")
        except Exception:  # noqa: BLE001  # logged; the bridge goes on
            _LOG.exception("the control socket could not answer")
        finally:
            writer.close()

    async def _while_here(self, reader: asyncio.StreamReader, line: bytes) -> Answer | None:
        """The answer; None when the asker went before it, or said more than one question."""
        work = asyncio.ensure_future(self._commands.answer(from_line(Question, line)))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() and not gone.done() else None
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)


def _bounded(answer: Answer) -> bytes:
    line = to_line(answer)
    if len(line) <= LONGEST_ANSWER:
        return line
    return to_line(refused("the answer is longer than a line may be", "Ask for less at a time"))
