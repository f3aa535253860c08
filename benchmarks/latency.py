"""When readings left their straps and when a viewer had them, one by one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from benchmarks.native import BenchmarkError
from strapline_protocol.codec import decode_server
from strapline_protocol.watching import HealthDataUpdate


@dataclass(frozen=True, slots=True)
class Heard:
    """A reading at one place.

    Attributes:
        at_ns: by the monotonic clock.
    """

    at_ns: int
    value: float


@dataclass(frozen=True, slots=True)
class Taken:
    """How long a reading took that left at ``sent_ns``."""

    sent_ns: int
    ms: float


def sent(path: Path) -> dict[int, list[Heard]]:
    """What straps sent, by their number, as `benchmarks.straps` wrote it."""
    found: defaultdict[int, list[Heard]] = defaultdict(list)
    for line in path.read_text().splitlines():
        strap, at_ns, value = line.split()
        found[int(strap)].append(Heard(int(at_ns), float(value)))
    return found


def delivered(path: Path) -> dict[int, list[Heard]]:
    """What the viewers of the load generator heard, by the number of their strap."""
    found: defaultdict[int, list[Heard]] = defaultdict(list)
    for line in path.read_bytes().splitlines():
        at_ns, group, payload = line.split(b" ", 2)
        message = decode_server(payload)
        if isinstance(message, HealthDataUpdate) and message.metric == "heart_rate":
            found[int(group)] += [
                Heard(int(at_ns), float(value or 0)) for value in message.series.value
            ]
    return found


def compare(told: dict[int, list[Heard]], heard: dict[int, list[Heard]]) -> list[Taken]:
    """How long each reading took, in order of straps and of time.

    Raises:
        BenchmarkError: what was delivered is not what was sent.
    """
    found = []
    for strap, here in told.items():
        there = heard.get(strap, [])
        if [one.value for one in here] != [one.value for one in there]:
            raise BenchmarkError(
                f"strap {strap} sent {len(here)} readings, its viewer heard {len(there)}, and "
                "they are not the same"
            )
        found += [
            Taken(one.at_ns, (other.at_ns - one.at_ns) / 1e6)
            for one, other in zip(here, there, strict=True)
        ]
    return found
