"""What of the code under test is replaced in a simulation: clocks, randomness, threads, sockets."""

from __future__ import annotations

import logging
import os
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import pytest

import strapline_bridge.uplink.connection
import strapline_bridge.uplink.conversation
import strapline_bridge.uplink.retrying
import strapline_server.server
from strapline_bridge.outbox.transaction import Transaction
from strapline_protocol.opening import ClockState
from strapline_server.watching import Viewer
from tests.simulation import disks
from tests.simulation.virtual import Process, VirtualLoop

#: Instead of an hour, for a bridge that another connection of the same bridge drove out.
_LONG_WAIT_MS: Final = 3_000
_LOGGERS: Final = ("strapline_bridge", "strapline_server", "strapline_protocol")


class _Faults(logging.Handler):
    """A fault that the code logs and lives with is a fault all the same."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(logging.ERROR)
        self._loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self._loop.faults.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


@contextmanager
def _logging(loop: VirtualLoop) -> Iterator[None]:
    handler = _Faults(loop)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    kept = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, kept, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate


@contextmanager
def simulated(
    loop: VirtualLoop, seed: int, dial: Callable[..., Any]
) -> Iterator[pytest.MonkeyPatch]:
    """For one run of a simulation."""
    ids = random.Random(seed + 1)  # noqa: S311  # no secret, but a seed
    write = Transaction.write

    def token(size: int = 16) -> str:
        return f"{ids.getrandbits(8 * size):0{2 * size}x}"[: size * 4 // 3 + 1]

    async def noted(self: Transaction, batch: Any, records: Any) -> None:
        Process.current().note = batch
        await write(self, batch, records)

    kept = random.getstate()
    random.seed(seed)
    with pytest.MonkeyPatch.context() as patch, _logging(loop):
        uplink, server = strapline_bridge.uplink, strapline_server.server
        for name, method in disks.INLINE.items():
            patch.setattr(disks.CONNECTION, name, method)
        patch.setattr(Transaction, "write", noted)
        patch.setattr(secrets, "token_urlsafe", token)
        # Else viewers are told in an order of memory addresses.
        patch.setattr(Viewer, "__hash__", lambda viewer: hash(viewer._connection.number))
        patch.setattr(os, "fsync", lambda descriptor: None)
        patch.setattr(server, "monotonic_ms", lambda: loop.now_ms)
        patch.setattr(server, "clock_state", lambda: ClockState.SYNCHRONISED)
        patch.setattr(uplink.connection, "_now_ms", lambda: loop.now_ms)
        patch.setattr(uplink.connection, "connect", dial)
        clock = SimpleNamespace(monotonic_ns=lambda: loop.now_ms * 1_000_000)
        patch.setattr(uplink.conversation, "time", clock)
        patch.setattr(uplink.retrying, "HOUR_MS", _LONG_WAIT_MS)
        try:
            yield patch
        finally:
            random.setstate(kept)
