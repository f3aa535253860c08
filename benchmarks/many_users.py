"""Many users at once, each with a bridge of its own and two viewers: what a message costs."""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench
from benchmarks.contestants import Contestant, Peer, Strapline, limit, peer
from benchmarks.load import loading
from benchmarks.rights import grant
from benchmarks.tables import Row, Table, in_turn, medians

_VIEWERS: Final = 2
#: For the database, the listener and what a program has open anyway.
_OTHER_FILES: Final = 100
_ABOUT: Final = (
    "{users:,} users, each with a bridge of its own that sends a reading a second, and two viewers "
    "of its own: a message in, two out. Strapline commits each message durably before anybody "
    "hears of it, all that came during one commit in the next. Its peers store nothing, but for "
    "the one that commits each message by itself, the plainest way to be durable."
)


@dataclass(frozen=True, slots=True)
class _Sample:
    cpu_us: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    fsyncs_per_s: float
    written_kib: float


def _fits(users: int) -> int:
    """As many users as this process's limit of open files lets a server and the generator have.

    The limit is raised as far as it may be; programs that are started inherit it.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(users, (most - _OTHER_FILES) // (1 + _VIEWERS))


def _measure(bench: Bench, contestant: Contestant, users: int, count: Path) -> _Sample:
    scale = bench.scale
    clients = [contestant.publisher(user) for user in range(users)]
    clients += [
        contestant.viewer(user * _VIEWERS + number, user)
        for user in range(users)
        for number in range(_VIEWERS)
    ]
    with (
        bench.place() as place,
        contestant.serving(place) as served,
        loading(
            bench.native, place, served.port, clients, subprotocol=contestant.subprotocol
        ) as load,
    ):
        load.open(len(clients))
        before = _fsyncs(count)
        # A round of all of them before, so that each has a state already.
        spent = load.run(served.program, scale.warm_s, scale.seconds)
        fsyncs = _fsyncs(count) - before
    result = spent.result
    return _Sample(
        spent.cpu_us / result.sent,
        result.p50_us / 1_000,
        result.p99_us / 1_000,
        result.max_us / 1_000,
        fsyncs / (scale.warm_s + scale.seconds),
        spent.written_bytes / 1_024 / result.sent,
    )


def _fsyncs(count: Path) -> int:
    return int.from_bytes(count.read_bytes(), "little") if count.exists() else 0


def measure(bench: Bench) -> Table:
    """Ours, peers and the limit, in turn."""
    scale = bench.scale
    users = _fits(scale.users)
    with bench.place() as place:
        each = [[user] for user in range(users)]
        twice = [one for one in each for _ in range(_VIEWERS)]
        rights = asyncio.run(grant(place / "state", users, each, twice))
        count = place / "fsyncs"
        contestants: list[Contestant] = [
            limit(bench.native),
            Strapline(rights, counting=(bench.native, count)),
            peer("picows", "uvloop", keeps=True),
            peer("picows", "uvloop"),
            peer("websockets", "uvloop"),
        ]
        found = in_turn(contestants, scale.rounds, lambda one: _measure(bench, one, users, count))
    middle = {one: medians(samples) for one, samples in found}
    floor_us = middle[contestants[0]].cpu_us
    rows = tuple(
        Row(
            contestant.name,
            (
                one.cpu_us,
                one.cpu_us / floor_us,
                one.p50_ms,
                one.p99_ms,
                one.max_ms,
                None if isinstance(contestant, Peer) else one.fsyncs_per_s,
                one.written_kib or None,
            ),
        )
        for contestant, one in middle.items()
    )
    ours = next(one for contestant, one in middle.items() if isinstance(contestant, Strapline))
    about = _ABOUT.format(users=users)
    if users < scale.users:
        about += f" ({scale.users:,} did not fit the limit of open files: see `ulimit -Hn`.)"
    return Table(
        "many-users",
        "Many users",
        about,
        (
            "CPU a message, µs",
            "times the limit",
            "p50, ms",
            "p99, ms",
            "most, ms",
            "fsyncs/s",
            "KiB to disk a message",
        ),
        rows,
        (
            (
                f"Strapline stored {users / ours.fsyncs_per_s:.1f} messages with each fsync. Its "
                "CPU is Python's: a message is checked, authorised, stored, folded into the minute "
                "and the day, and the state of its person is rendered and encoded."
            ),
        ),
    )
