"""Logs go to stderr: short in a terminal, with priorities for journald, dated elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final, TextIO

#: Libraries whose notes are about their own workings.
_CHATTY: Final = ("aiosqlite", "asyncio", "bleak", "bleak_retry_connector", "bumble", "websockets")

#: syslog's priorities, as journald reads them at a line's beginning (sd-daemon(3)).
_PRIORITIES: Final = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.DEBUG, 7),
)


class _Journal(logging.Formatter):
    """One line a record, with its priority; journald knows the time by itself."""

    def format(self, record: logging.LogRecord) -> str:
        priority = next((p for level, p in _PRIORITIES if record.levelno >= level), 7)
        # A traceback's lines would otherwise become records of the default priority.
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at that moment: a picture in the terminal stands in for it."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """It is never another."""


def _formatter(stream: TextIO, journal: bool) -> logging.Formatter:
    if journal:
        return _Journal("%(name)s: %(message)s")
    if stream.isatty():
        return logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    return logging.Formatter(
        "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
    )


def set_up(level: int, stream: TextIO | None = None) -> None:
    """Log to ``stream`` (stderr) from ``level`` on; an earlier ``--debug`` stays."""
    root = logging.getLogger()
    if root.level == logging.DEBUG:
        return
    handler = _Stderr() if stream is None else logging.StreamHandler(stream)
    handler.setFormatter(_formatter(handler.stream, "JOURNAL_STREAM" in os.environ))
    # A library that logs in nobody's name tells of every packet.
    handler.addFilter(lambda record: record.name != "root" or record.levelno >= logging.WARNING)
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def set_debug() -> None:
    """All of ours; of the libraries what a person who looks for a fault needs."""
    set_up(logging.DEBUG)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.INFO)
