"""Idle viewers: what one more of them costs in memory."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Final

from benchmarks.bench import Bench
from benchmarks.contestants import Contestant, Strapline, limit, peer
from benchmarks.load import loading
from benchmarks.rights import grant
from benchmarks.tables import Row, Table, in_turn

_ABOUT: Final = (
    "Viewers that are subscribed and idle: {held}. PSS of the server's process at each, and the "
    "slope of the line through them (least squares): what one more viewer costs. The kernel's "
    "own memory for a socket is not in it, for any of them."
)


def _measure(bench: Bench, contestant: Contestant) -> list[float]:
    """PSS at each number of viewers, KiB."""
    held = bench.scale.held
    clients = [contestant.viewer(number, 0) for number in range(held[-1])]
    found = []
    with (
        bench.place() as place,
        contestant.serving(place) as served,
        loading(
            bench.native, place, served.port, clients, subprotocol=contestant.subprotocol
        ) as load,
    ):
        for count in held:
            if count:
                load.open(count)
            time.sleep(bench.scale.settle_s)
            found.append(served.program.pss_kib())
    return found


def measure(bench: Bench) -> Table:
    """Ours, peers and the limit, in turn."""
    scale = bench.scale
    with bench.place() as place:
        rights = asyncio.run(grant(place / "state", 1, [], [[0]] * scale.held[-1]))
        contestants: list[Contestant] = [
            Strapline(rights),
            Strapline(rights, fast=False),
            peer("websockets", "uvloop"),
            peer("websockets", "asyncio"),
            peer("picows", "uvloop"),
            limit(bench.native),
        ]
        found = in_turn(contestants, scale.rounds, lambda one: _measure(bench, one))
    rows = []
    for contestant, samples in found:
        slopes = [statistics.linear_regression(scale.held, sample).slope for sample in samples]
        empty = statistics.median(sample[0] for sample in samples)
        full = statistics.median(sample[-1] for sample in samples)
        rows.append(Row(contestant.name, (statistics.median(slopes), empty / 1_024, full / 1_024)))
    return Table(
        "memory",
        "Memory a viewer",
        _ABOUT.format(held=", ".join(f"{count:,}" for count in scale.held)),
        ("KiB a viewer", f"MiB with {scale.held[0]:,}", f"MiB with {scale.held[-1]:,}"),
        tuple(rows),
        (
            (
                "Most of ours is `websockets`' sans-I/O protocol object with its parser, and the "
                "loop's transport; a viewer has no task, queue or timer of its own."
            ),
        ),
    )
