"""The whole line on one machine: how long from a strap's notification to a viewer's socket."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import Final

from benchmarks import latency
from benchmarks.bench import Bench
from benchmarks.bridges import configure
from benchmarks.contestants import Strapline
from benchmarks.load import loading
from benchmarks.processes import running
from benchmarks.rights import Rights, grant
from benchmarks.tables import Row, Table

#: Straps, how often each sends, and which part of the time it does.
_RUNS: Final = ((1, 40.0, 1.0), (10, 10.0, 0.5))
_PATIENCE_S: Final = 60.0
_ABOUT: Final = (
    "Simulated straps on a virtual Bluetooth link, their bridge, a server and a viewer in C: three "
    "processes on one machine, two commits to its disk. A reading's time runs from the moment at "
    "which the strap hands the notification to its radio to the viewer's `recv()`, on one clock. "
    "Each reading is counted: all that were sent came, in order, with the same value."
)


def _measure(
    bench: Bench, rights: Rights, count: int, rate_hz: float, seconds: float
) -> list[float]:
    server = Strapline(rights)
    with bench.place() as place, server.serving(place) as served:
        state = place / "bridge"
        state.mkdir(mode=0o700)
        config = configure(place, state, rights.bridge(0), served.port)
        viewers = [server.viewer(number, number) for number in range(count)]
        with (
            loading(
                bench.native, place, served.port, viewers, subprotocol=server.subprotocol
            ) as load,
            running(
                [sys.executable, "-m", "benchmarks.straps", config, str(count)], place
            ) as straps,
        ):
            load.open(count)
            straps.wait_for("listening\n")
            load.record(place / "heard.txt")
            time.sleep(bench.scale.settle_s)
            straps.tell(f"{rate_hz} {seconds} {place / 'sent.txt'}")
            straps.wait_for("sent\n", within_s=seconds + _PATIENCE_S)
            time.sleep(bench.scale.settle_s)
            load.quit()
        taken = latency.compare(
            latency.sent(place / "sent.txt"), latency.delivered(place / "heard.txt")
        )
        return [one.ms for one in taken]


def measure(bench: Bench) -> Table:
    """At rest, and with ten straps."""
    most = max(count for count, _, _ in _RUNS)
    everyone = range(most)
    rows = []
    with bench.place() as place:
        rights = asyncio.run(
            grant(place / "state", most, [everyone], [[user] for user in everyone])
        )
        for count, rate_hz, share in _RUNS:
            found = _measure(bench, rights, count, rate_hz, bench.scale.line_s * share)
            cuts = statistics.quantiles(found, n=100, method="inclusive")
            rows.append(
                Row(
                    f"{count} strap{'s' * (count > 1)}, {rate_hz:g} readings/s each",
                    (len(found), cuts[49], cuts[98], max(found)),
                )
            )
    return Table(
        "line",
        "Notification to viewer",
        _ABOUT,
        ("readings", "p50, ms", "p99, ms", "most, ms"),
        tuple(rows),
        (
            (
                "The simulated link takes its part: a real connection interval is 15 to 50 ms and "
                "comes on top of all else here."
            ),
        ),
    )
