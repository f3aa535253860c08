"""The whole line on one machine: how long from a strap's notification to a viewer's socket."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench
from benchmarks.contestants import Strapline
from benchmarks.load import loading
from benchmarks.native import BenchmarkError
from benchmarks.processes import running
from benchmarks.rights import Rights, grant
from benchmarks.tables import Row, Table
from strapline_protocol.codec import decode_server
from strapline_protocol.watching import HealthDataUpdate

#: Straps, how often each sends, and which part of the time it does.
_RUNS: Final = ((1, 40.0, 1.0), (10, 10.0, 0.5))
_PATIENCE_S: Final = 60.0
_ABOUT: Final = (
    "Simulated straps on a virtual Bluetooth link, their bridge, a server and a viewer in C: three "
    "processes on one machine, two commits to its disk. A reading's time runs from the moment at "
    "which the strap hands the notification to its radio to the viewer's `recv()`, on one clock. "
    "Each reading is counted: all that were sent came, in order, with the same value."
)


@dataclass(frozen=True, slots=True)
class _Heard:
    at_ns: int
    value: float


def _sent(path: Path) -> dict[int, list[_Heard]]:
    found: defaultdict[int, list[_Heard]] = defaultdict(list)
    for line in path.read_text().splitlines():
        strap, at_ns, value = line.split()
        found[int(strap)].append(_Heard(int(at_ns), float(value)))
    return found


def _delivered(path: Path) -> dict[int, list[_Heard]]:
    found: defaultdict[int, list[_Heard]] = defaultdict(list)
    for line in path.read_bytes().splitlines():
        at_ns, group, payload = line.split(b" ", 2)
        message = decode_server(payload)
        if isinstance(message, HealthDataUpdate) and message.metric == "heart_rate":
            found[int(group)] += [
                _Heard(int(at_ns), float(value or 0)) for value in message.series.value
            ]
    return found


def _latencies_ms(sent: dict[int, list[_Heard]], delivered: dict[int, list[_Heard]]) -> list[float]:
    """Of each reading.

    Raises:
        BenchmarkError: what was delivered is not what was sent.
    """
    found = []
    for strap, told in sent.items():
        heard = delivered.get(strap, [])
        if [one.value for one in told] != [one.value for one in heard]:
            raise BenchmarkError(
                f"strap {strap} sent {len(told)} readings, its viewer heard {len(heard)}, and "
                "they are not the same"
            )
        found += [(there.at_ns - here.at_ns) / 1e6 for here, there in zip(told, heard, strict=True)]
    return found


def _measure(
    bench: Bench, rights: Rights, count: int, rate_hz: float, seconds: float
) -> list[float]:
    server = Strapline(rights)
    with bench.place() as place, server.serving(place) as served:
        state = place / "bridge"
        state.mkdir(mode=0o700)
        token = state / "token"
        token.write_text(rights.bridge(0))
        token.chmod(0o600)
        config = place / "bridge.toml"
        config.write_text(
            f'state_dir = "{state}"\n[server]\nurl = "ws://127.0.0.1:{served.port}/ws"\n'
        )
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
        return _latencies_ms(_sent(place / "sent.txt"), _delivered(place / "heard.txt"))


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
