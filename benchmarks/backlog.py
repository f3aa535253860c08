"""A week's backlog: drained while the present goes on, beside peers that store and forward."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shutil
import signal
import sqlite3
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import latency
from benchmarks.bench import Bench
from benchmarks.bridges import configure
from benchmarks.contestants import Served, Strapline
from benchmarks.forwarders import Forwarder, folder_bytes, forwarders
from benchmarks.latency import Taken
from benchmarks.load import loading
from benchmarks.native import BenchmarkError
from benchmarks.outbox import fill, pending
from benchmarks.processes import Program, running
from benchmarks.rights import Rights, grant
from benchmarks.tables import Row, Table, in_turn, medians

_STRAPS: Final = 3
#: Live readings of each strap: enough of them for a 99th percentile.
_RATE_HZ: Final = 20.0
_NARROW_BYTES_PER_S: Final = 64 * 1_024
#: Older than what a viewer is shown as news.
_ENDED_AGO_MS: Final = 3_600_000
#: So many readings a second are drained at least, or the present ends too soon.
_SLOWEST: Final = 40_000
_LOOK_EVERY_S: Final = 0.02
_WEIGH_EVERY_S: Final = 0.1
_PATIENCE_S: Final = 300.0
_MIB: Final = 1_024
_DRAINS: Final = (
    "Readings of three straps at 1 Hz, a week of them where the table says so, wait at the edge; "
    "then the far end is there. *Strapline*: an outbox, `strapline bridge run` with simulated "
    "straps, which go on meanwhile with 20 live readings/s each, and `strapline server run`, until "
    "the last is stored; then none may be pending in the outbox. *NATS JetStream*: a stream in a "
    "file at a leaf node, mirrored by the hub. *mosquitto*: a bridge connection at QoS 1 with "
    "persistence, and a subscriber that counts. To the peers a reading is a message of 112 bytes. "
    "*A present one*: how long a reading takes that is said while the backlog drains: of ours the "
    "99th percentile to a viewer, of the peers one that is said when the drain begins. What is on "
    "disk is all files of an end; on the wire, ours on the narrow link, the peers' with the "
    "headers of the loopback; memory is PSS at the end."
)
_DRAINS_LIMITS: Final = (
    (
        "Behind each name stands what its acknowledgement is worth. A NATS that is told to "
        "`sync_interval: always` is the one that compares in durability; one that is not loses up "
        "to two minutes in a power cut, and a mosquitto that is killed loses all that waits."
    ),
    "The peers keep order, so that the present waits behind the past, and neither looks into it.",
)
_PRESENTS: Final = (
    "Three straps with 20 readings/s each, from the notification to the viewer's `recv()`, as in "
    "*Notification to viewer*; with nothing else to send, and with a week's backlog behind them; "
    "then the same through a link to the server that carries 64 KiB/s, where the week would take "
    "ten minutes. Each reading is counted."
)
_MEMORY: Final = (
    "PSS of both programs during the drains above, ten times a second: the median of its first "
    "quarter and of its last."
)


@dataclass(frozen=True, slots=True)
class Spell:
    """Three straps for a while.

    Attributes:
        taken: each of their readings.
        seconds: from the first reading of the backlog at the server to the last; 0: no backlog.
        far_bytes: the server's database once all is in it.
        wire_bytes: a reading's, on the narrow link.
        edge_kib, far_kib: memory of bridge and server, in the first quarter and in the last.
    """

    taken: list[Taken]
    seconds: float = 0.0
    far_bytes: int = 0
    wire_bytes: float = 0.0
    edge_kib: tuple[float, float] = (0.0, 0.0)
    far_kib: tuple[float, float] = (0.0, 0.0)


class _Scales:
    """Weighs programs again and again, from another thread."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self._programs = programs
        self._found: list[list[float]] = [[] for _ in programs]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._weigh)

    def _weigh(self) -> None:
        while not self._over.wait(_WEIGH_EVERY_S):
            self._weigh_all()

    def _weigh_all(self) -> None:
        for program, found in zip(self._programs, self._found, strict=True):
            found.append(program.pss_kib())

    @contextmanager
    def weighing(self) -> Iterator[None]:
        """For as long as the context lasts; once at least, however short that is."""
        self._weigh_all()
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def quarters(self, place: int) -> tuple[float, float]:
        """A program's memory in the first quarter of the time and in the last, KiB."""
        found = self._found[place]
        length = max(1, len(found) // 4)
        return statistics.median(found[:length]), statistics.median(found[-length:])


class _Line:
    """A bridge with three straps, its server and their viewers, once over.

    Args:
        filled: an outbox to begin with; None: an empty one.
        bytes_per_s: what the link from bridge to server carries; None: all.
    """

    def __init__(
        self, bench: Bench, rights: Rights, filled: Path | None, bytes_per_s: int | None = None
    ) -> None:
        self._bench = bench
        self._rights = rights
        self._filled = filled
        self._bytes_per_s = bytes_per_s
        self._total = bench.scale.week if filled else 0

    def drain(self) -> Spell:
        """All of the backlog, with live readings beside it for as long as it takes."""
        with self._standing() as there:
            scales = _Scales([there.straps, there.server])
            seconds = self._total / _SLOWEST + 1
            with scales.weighing():
                first, began_s = _until(there.place, lambda count: count > 0)
                # What is taken before there is a connection is a part of the backlog.
                there.send(seconds)
                last, ended_s = _until(there.place, lambda count: count >= self._total)
            there.sent(seconds)
            far_bytes = folder_bytes(there.place / "server")
        if asyncio.run(pending(there.place / "bridge")):
            raise BenchmarkError("the backlog was stored, and the bridge does not know it")
        taken = there.taken()
        return Spell(
            taken=[one for one in taken if one.sent_ns < ended_s * 1e9] or taken,
            seconds=(ended_s - began_s) * self._total / max(1, last - first),
            far_bytes=far_bytes,
            edge_kib=scales.quarters(0),
            far_kib=scales.quarters(1),
        )

    def live(self) -> Spell:
        """Live readings for a while; behind them what backlog there is, which may take longer."""
        seconds = self._bench.scale.narrow_s
        with self._standing() as there:
            wire_bytes = there.wire_bytes(seconds / 4) if self._filled else 0.0
            time.sleep(self._bench.scale.settle_s)
            there.send(seconds, "unsettled")
            there.sent(seconds)
            # Whatever was said by now comes within the second that is promised.
            time.sleep(1.0)
        return Spell(there.taken(), wire_bytes=wire_bytes)

    @contextmanager
    def _standing(self) -> Iterator[_There]:
        """All programs, with straps that are subscribed to and a server that is just back."""
        server = Strapline(self._rights)
        viewers = [server.viewer(number, number) for number in range(_STRAPS)]
        with contextlib.ExitStack() as stack:
            place = stack.enter_context(self._bench.place())
            served = stack.enter_context(server.serving(place))
            link, port = None, served.port
            if self._bytes_per_s is not None:
                link, port = _narrowed(stack, place, served, self._bytes_per_s)
            load = stack.enter_context(
                loading(
                    self._bench.native,
                    place,
                    served.port,
                    viewers,
                    subprotocol=server.subprotocol,
                )
            )
            load.open(_STRAPS)
            load.record(place / "heard.txt")
            state = place / "bridge"
            if self._filled:
                shutil.copytree(self._filled, state)
            state.mkdir(mode=0o700, exist_ok=True)
            config = configure(place, state, self._rights.bridge(0), port)
            command = (sys.executable, "-m", "benchmarks.straps", config, str(_STRAPS))
            # Away until the straps are there, or all were drained before.
            served.program.process.send_signal(signal.SIGSTOP)
            try:
                straps = stack.enter_context(running(command, place))
                straps.wait_for("listening\n")
            finally:
                served.program.process.send_signal(signal.SIGCONT)
            there = _There(place, served.program, straps, link)
            yield there
            time.sleep(self._bench.scale.settle_s)
            load.quit()
            there.heard()


def _narrowed(
    stack: contextlib.ExitStack, place: Path, served: Served, bytes_per_s: int
) -> tuple[Program, int]:
    """A narrow link to a server, and the port at which it begins."""
    command = (sys.executable, "-m", "benchmarks.link", str(served.port), str(bytes_per_s))
    link = stack.enter_context(running(command, place))
    return link, int(link.wait_for(r"listening (\d+)\n")[1])


class _There:
    """What stands, and what to do with it."""

    def __init__(self, place: Path, server: Program, straps: Program, link: Program | None) -> None:
        self.place = place
        self.server = server
        self.straps = straps
        self._link = link
        self._asked = 0
        self._taken: list[Taken] = []

    def send(self, seconds: float, *how: str) -> None:
        """Let the straps send for so long."""
        order = (f"{_RATE_HZ}", f"{seconds}", str(self.place / "sent.txt"), *how)
        self.straps.tell(" ".join(order))

    def sent(self, seconds: float) -> None:
        """Wait until they have."""
        self.straps.wait_for("sent\n", within_s=seconds + _PATIENCE_S)

    def heard(self) -> None:
        """Compare what was sent and what was heard, once both are written down."""
        sent = latency.sent(self.place / "sent.txt")
        self._taken = latency.compare(sent, latency.delivered(self.place / "heard.txt"))

    def taken(self) -> list[Taken]:
        """Each reading that the straps sent."""
        return self._taken

    def wire_bytes(self, seconds: float) -> float:
        """What a reading of the backlog takes on the link; looked at for so long."""
        _until(self.place, lambda count: count > 0)
        stored, passed = _stored(self.place), self._passed()
        time.sleep(seconds)
        moved = _stored(self.place) - stored
        return (self._passed() - passed) / max(1, moved)

    def _passed(self) -> int:
        assert self._link is not None
        self._asked += 1
        self._link.tell("")
        return int(self._link.wait_for(r"passed (\d+)\n", self._asked)[1])


def _until(place: Path, enough: Callable[[int], bool]) -> tuple[int, float]:
    """How many readings of the earlier run are stored once that is enough, and when."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        count = _stored(place)
        now_s = time.monotonic()
        if enough(count):
            return count, now_s
        if now_s > until_s:
            raise BenchmarkError(f"after {_PATIENCE_S:.0f} s only {count} readings are stored")
        time.sleep(_LOOK_EVERY_S)


def _stored(place: Path) -> int:
    path = place / "server" / "server.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        (count,) = store.execute(
            "SELECT coalesce(sum(count), 0) FROM blocks JOIN streams USING (stream_key) "
            "WHERE ended IS NOT NULL"
        ).fetchone()
    return int(count)


@dataclass(frozen=True, slots=True)
class _Drained:
    """A drain in numbers; bytes are a reading's."""

    readings_per_s: float
    present_ms: float
    edge_disk: float
    far_disk: float
    wire: float
    edge_mib: float
    far_mib: float


class _Ours:
    """Strapline among those that are measured in turn; keeps its spells."""

    def __init__(self, bench: Bench, rights: Rights, filled: Path) -> None:
        self.name = "Strapline: acknowledged after its fsync, on both ends"
        self.count = bench.scale.week
        self.spells: list[Spell] = []
        self._line = _Line(bench, rights, filled)
        self._edge_bytes = folder_bytes(filled)

    def drain(self) -> _Drained:
        spell = self._line.drain()
        self.spells.append(spell)
        return _Drained(
            readings_per_s=self.count / spell.seconds,
            present_ms=_latencies(spell.taken)[2],
            edge_disk=self._edge_bytes / self.count,
            far_disk=spell.far_bytes / self.count,
            wire=0.0,
            edge_mib=spell.edge_kib[1] / _MIB,
            far_mib=spell.far_kib[1] / _MIB,
        )


class _Theirs:
    """A peer, with its edge filled once."""

    def __init__(self, bench: Bench, peer: Forwarder, folder: Path) -> None:
        self.name = f"{peer.name}: {peer.durability}"
        self.count = bench.scale.synced if peer.synced else bench.scale.week
        self._bench = bench
        self._peer = peer
        self._edge = folder
        peer.fill(folder, self.count)

    def drain(self) -> _Drained:
        with self._bench.place() as place:
            shutil.copytree(self._edge, place / "edge")
            found = self._peer.drain(place / "edge", place / "far", self.count)
        return _Drained(
            readings_per_s=self.count / found.seconds,
            present_ms=found.present_ms,
            edge_disk=found.edge_bytes / self.count,
            far_disk=found.far_bytes / self.count,
            wire=found.wire_bytes / self.count,
            edge_mib=found.edge_kib / _MIB,
            far_mib=found.far_kib / _MIB,
        )


def _latencies(taken: Sequence[Taken]) -> tuple[float, float, float]:
    """p50, p99 and the most, ms."""
    found = [one.ms for one in taken]
    cuts = statistics.quantiles(found, n=100, method="inclusive")
    return cuts[49], cuts[98], max(found)


def measure(bench: Bench) -> tuple[Table, ...]:
    """Drains in turn, then the present beside them."""
    people = [Rights.user(number) for number in range(_STRAPS)]
    with bench.place() as place:
        everyone = range(_STRAPS)
        rights = asyncio.run(
            grant(place / "state", _STRAPS, [everyone], [[user] for user in everyone])
        )
        filled = place / "filled"
        filled.mkdir(mode=0o700)
        asyncio.run(fill(filled, people, bench.scale.week, _ENDED_AGO_MS))
        ours = _Ours(bench, rights, filled)
        peers = [
            _Theirs(bench, peer, place / f"edge-{number}")
            for number, peer in enumerate(forwarders())
        ]
        contestants: list[_Ours | _Theirs] = [ours, *peers]
        found = in_turn(contestants, bench.scale.rounds, lambda one: one.drain())
        drained = [(one, medians(samples)) for one, samples in found]
        narrow = _Line(bench, rights, filled, _NARROW_BYTES_PER_S).live()
        live = [
            ("nothing else to send", _Line(bench, rights, None).live().taken),
            ("a week drains", [one for spell in ours.spells for one in spell.taken]),
            ("64 KiB/s", _Line(bench, rights, None, _NARROW_BYTES_PER_S).live().taken),
            ("64 KiB/s, a week drains", narrow.taken),
        ]
    drained[0] = (ours, dataclasses.replace(drained[0][1], wire=narrow.wire_bytes))
    return _drains(drained), _presents(live), _memory(ours.spells)


def _drains(found: Sequence[tuple[_Ours | _Theirs, _Drained]]) -> Table:
    ours = found[0][1].readings_per_s
    rows = [
        Row(
            one.name,
            (
                one.count,
                drained.readings_per_s,
                drained.readings_per_s / ours,
                drained.present_ms,
                drained.edge_disk,
                drained.far_disk,
                drained.wire,
                drained.edge_mib,
                drained.far_mib,
            ),
        )
        for one, drained in found
    ]
    return Table(
        "backlog",
        "A week's backlog",
        _DRAINS,
        (
            "readings",
            "readings/s",
            "times Strapline",
            "a present one, ms",
            "bytes at the edge",
            "bytes at the far end",
            "bytes on the wire",
            "MiB of memory, edge",
            "far end",
        ),
        tuple(rows),
        _DRAINS_LIMITS,
    )


def _presents(live: Sequence[tuple[str, Sequence[Taken]]]) -> Table:
    rows = []
    for place, (name, taken) in enumerate(live):
        p50, p99, most = _latencies(taken)
        # Each drain stands behind the same link without one.
        times = p99 / _latencies(live[place - 1][1])[1] if place % 2 else None
        rows.append(Row(name, (len(taken), p50, p99, most, times)))
    return Table(
        "present",
        "The present beside the backlog",
        _PRESENTS,
        ("readings", "p50, ms", "p99, ms", "most, ms", "p99, times without"),
        tuple(rows),
    )


def _memory(spells: Sequence[Spell]) -> Table:
    ends = (
        ("bridge", [spell.edge_kib for spell in spells]),
        ("server", [spell.far_kib for spell in spells]),
    )
    rows = []
    for name, found in ends:
        first, last = (statistics.median(one[at] for one in found) / _MIB for at in (0, 1))
        rows.append(Row(name, (first, last, last / first)))
    return Table(
        "drain-memory",
        "Memory while it drains",
        _MEMORY,
        ("first quarter, MiB", "last quarter, MiB", "last by first"),
        tuple(rows),
    )
