"""Drives the load generator: its plan, its commands, what it measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from benchmarks.native import BenchmarkError, Native
from benchmarks.processes import Program, running

#: As in `c/plan.h`.
FIRST_NUMBER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Client:
    """One connection: what it says until it is ready, and what it publishes then.

    Attributes:
        group: viewers hear the publisher of their group.
        path: of the server's address.
        steps: lines ``await TEXT`` and ``send TEXT``.
        messages: a publisher's, in turn; none for a viewer.
    """

    group: int
    path: str
    steps: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Its part of the plan."""
        yield f"client {'publisher' if self.messages else 'viewer'} {self.group} {self.path}"
        yield from self.steps
        for message in self.messages:
            yield f"message {message}"


@dataclass(frozen=True, slots=True)
class Result:
    """What the generator counted between `begin` and `end`.

    Attributes:
        sent: readings that publishers sent.
        expected: of these, how many viewers were to hear in all.
        delivered: how many they did hear.
        frames: messages that those came in.
        acknowledged: readings that the server said to have stored.
        others: messages without readings, such as a status.
    """

    seconds: float
    sent: int
    expected: int
    delivered: int
    frames: int
    acknowledged: int
    others: int
    p50_us: float
    p99_us: float
    max_us: float


_RESULT: Final = TypeAdapter(Result)


@dataclass(frozen=True, slots=True)
class Spent:
    """A result, and what a program under load computed and wrote to disk meanwhile."""

    result: Result
    cpu_ns: int
    written_bytes: int

    @property
    def cpu_us(self) -> float:
        return self.cpu_ns / 1_000


class Load:
    """The running generator."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._rounds = 0
        self._opened = 0

    def open(self, count: int) -> None:
        """Have so many clients open and ready, in the plan's order."""
        self._opened += 1
        self._program.tell(f"open {count}")
        self._program.wait_for(r"ready \d+\n", self._opened)

    def run(self, server: Program, warm_s: float, seconds: float) -> Spent:
        """Publish by the clock."""
        return self._measured(server, f"run {warm_s} {seconds}")

    def flood(self, server: Program, readings: int) -> Spent:
        """Publish so many readings each, as fast as they are acknowledged."""
        return self._measured(server, f"flood {readings}")

    def record(self, path: Path) -> None:
        """Write down from now on what viewers hear, with the time."""
        self._program.tell(f"record {path}")
        self._program.wait_for("recording\n")

    def quit(self) -> None:
        """End it in order, so that what is recorded is whole."""
        self._program.tell("quit")
        self._program.process.wait()

    def _measured(self, server: Program, command: str) -> Spent:
        self._rounds += 1
        self._program.tell(command)
        self._program.wait_for("begin\n", self._rounds)
        before_ns, before_bytes = server.cpu_ns(), server.written_bytes()
        self._program.wait_for("end\n", self._rounds)
        after_ns, after_bytes = server.cpu_ns(), server.written_bytes()
        told = self._program.wait_for(r"result (\{.*\})\n", self._rounds)
        result = _RESULT.validate_json(told[1])
        if result.delivered < result.expected:
            raise BenchmarkError(
                f"of {result.expected} readings {result.delivered} came: "
                "the server under test, or this machine, is too slow for this"
            )
        return Spent(result, after_ns - before_ns, after_bytes - before_bytes)


@contextmanager
def loading(
    native: Native,
    folder: Path,
    port: int,
    clients: Iterable[Client],
    *,
    subprotocol: str = "-",
    interval_us: int = 1_000_000,
    flood: tuple[int, int] = (1, 1),
    rest_s: float = 10.0,
) -> Iterator[Load]:
    """The generator, with these clients to open.

    Args:
        interval_us: between two messages of one publisher.
        flood: readings in a message, and how many may be under way.
        rest_s: for how long what was sent is waited for at the end.
    """
    lines = [
        f"address 127.0.0.1 {port}",
        f"subprotocol {subprotocol}",
        f"interval {interval_us}",
        f"flood {flood[0]} {flood[1]}",
        f"rest {rest_s * 1_000:.0f}",
        *(line for client in clients for line in client.lines()),
    ]
    plan = folder / "plan.txt"
    plan.write_text("\n".join(lines) + "\n")
    with running([native.load, plan], folder) as program:
        yield Load(program)
