"""One publisher at 20 messages/s, many viewers: what a delivery costs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from benchmarks.bench import Bench
from benchmarks.contestants import Contestant, Strapline, limit, peer
from benchmarks.load import loading
from benchmarks.rights import grant
from benchmarks.tables import Row, Table, in_turn, medians

_INTERVAL_US: Final = 50_000
_ABOUT: Final = (
    "One publisher at 20 messages/s, {viewers:,} viewers. CPU is the server's own, user and "
    "system, divided by deliveries: messages times viewers. Times run from the publisher's "
    "`send()` to the viewer's `recv()`, both in the load generator. Strapline does for each "
    "message what its peers do not: it checks and authorises it, commits it durably "
    "(`synchronous=FULL`) and renders the person's state; peers hand out ready bytes of the same "
    "size."
)


@dataclass(frozen=True, slots=True)
class _Sample:
    cpu_us: float
    kib: float
    p50_ms: float
    p99_ms: float


def _measure(bench: Bench, contestant: Contestant, viewers: int) -> _Sample:
    scale = bench.scale
    clients = [contestant.publisher(0), *(contestant.viewer(n, 0) for n in range(viewers))]
    with (
        bench.place() as place,
        contestant.serving(place) as served,
        loading(
            bench.native,
            place,
            served.port,
            clients,
            subprotocol=contestant.subprotocol,
            interval_us=_INTERVAL_US,
        ) as load,
    ):
        load.open(1)
        before_kib = served.program.pss_kib()
        load.open(len(clients))
        kib = served.program.pss_kib() - before_kib
        spent = load.run(served.program, scale.warm_s, scale.seconds)
    result = spent.result
    return _Sample(
        spent.cpu_us / result.delivered,
        kib / viewers,
        result.p50_us / 1_000,
        result.p99_us / 1_000,
    )


def measure(bench: Bench) -> Table:
    """Ours, peers and the limit, in turn."""
    scale = bench.scale
    with bench.place() as place:
        rights = asyncio.run(grant(place / "state", 1, [[0]], [[0]] * scale.viewers))
        ours = (Strapline(rights), Strapline(rights, fast=False))
        contestants: list[Contestant] = [
            limit(bench.native),
            *ours,
            peer("picows", "uvloop"),
            peer("websockets", "uvloop"),
            peer("websockets", "asyncio"),
        ]
        found = in_turn(contestants, scale.rounds, lambda one: _measure(bench, one, scale.viewers))
        alone = in_turn(ours, scale.rounds, lambda one: _measure(bench, one, 1))
    middle = {one.name: medians(samples) for one, samples in found}
    floor_us = middle[contestants[0].name].cpu_us
    rows = [
        Row(
            name,
            (one.cpu_us, one.cpu_us / floor_us, one.kib, one.p50_ms, one.p99_ms),
        )
        for name, one in middle.items()
    ]
    limits = []
    for contestant, samples in alone:
        message_us = medians(samples).cpu_us
        # A message to one viewer costs all but the other viewers' deliveries.
        full_us = middle[contestant.name].cpu_us * scale.viewers
        hub_us = (full_us - message_us) / (scale.viewers - 1)
        rows.append(
            Row(
                f"{contestant.name}: each further viewer",
                (hub_us, hub_us / floor_us, None, None, None),
            )
        )
        limits.append(
            f"{contestant.name}: a message to one viewer costs {message_us:,.0f} µs (checks, "
            f"commit, state); each further viewer {hub_us:.1f} µs, of which the kernel's `send()` "
            f"takes {floor_us:.1f} and the loop's transport most of the rest."
        )
    return Table(
        "fan-out",
        "Fan-out",
        _ABOUT.format(viewers=scale.viewers),
        ("CPU a delivery, µs", "times the limit", "KiB a connection", "p50, ms", "p99, ms"),
        tuple(rows),
        (
            *limits,
            (
                "The last viewer of a message waits for all before it: p50 and p99 are mostly "
                "viewers times the cost of one."
            ),
        ),
    )
