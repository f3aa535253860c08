"""Readings that are stored durably: into the server, out of a bridge's outbox, and SQLite's own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import texts
from benchmarks.bench import Bench
from benchmarks.bridges import configure
from benchmarks.contestants import Strapline
from benchmarks.load import loading
from benchmarks.native import BenchmarkError
from benchmarks.outbox import fill, pending
from benchmarks.processes import running
from benchmarks.rights import Rights, grant
from benchmarks.tables import Row, Table, in_turn, medians
from strapline_protocol.opening import Limits
from strapline_protocol.series import LONGEST_SERIES

_TEXTS: Final = 8
#: Of one person, in the outbox that is drained.
_WEARABLES: Final = 10
_ROWS: Final = 1_000
_LOOK_EVERY_S: Final = 0.02
_PATIENCE_S: Final = 120.0
_ABOUT: Final = (
    "Readings a second that are durable (`synchronous=FULL`) where they arrive. *Ingest*: one "
    "publisher sends {ingested:,} heart-rate readings with their RR intervals in series of "
    "{series:,}, {window:,} of them under way at most, until the server has acknowledged "
    "all; then they are counted in its database. *Drain*: an outbox with {drained:,} such readings "
    "of {wearables} wearables, a real `strapline bridge run`, a real `strapline server run`, "
    "until the last is stored there; then none may be pending in the outbox. "
    "*Floor*: the same number of rows into plain SQLite, {rows:,} a transaction, with the same "
    "durability, and nothing checked."
)


@dataclass(frozen=True, slots=True)
class _Sample:
    readings_per_s: float
    cpu_us: float


def _count(state: Path) -> int:
    """Readings in a server's database."""
    with contextlib.closing(sqlite3.connect(f"file:{state}/server.db?mode=ro", uri=True)) as store:
        (count,) = store.execute("SELECT coalesce(sum(count), 0) FROM blocks").fetchone()
    return int(count)


def _ingest(bench: Bench, rights: Rights) -> _Sample:
    server = Strapline(rights)
    # Whole messages, and a past that ends where the present begins.
    total = bench.scale.ingested // LONGEST_SERIES * LONGEST_SERIES
    name = rights.user(0)
    messages = tuple(texts.readings(name, 0, LONGEST_SERIES, seed) for seed in range(_TEXTS))
    publisher = server.speaker(0, texts.stream(0, past_ms=total * 1_000), messages)
    with (
        bench.place() as place,
        server.serving(place) as served,
        loading(
            bench.native,
            place,
            served.port,
            [publisher],
            subprotocol=server.subprotocol,
            flood=(LONGEST_SERIES, Limits().window_readings),
        ) as load,
    ):
        load.open(1)
        spent = load.flood(served.program, total)
        stored = _count(place / "server")
    if stored != total:
        raise BenchmarkError(f"{total} readings were acknowledged and {stored} are stored")
    return _Sample(total / spent.result.seconds, spent.cpu_us / total)


def _drain(bench: Bench, rights: Rights, filled: Path) -> _Sample:
    server = Strapline(rights)
    total = bench.scale.drained
    with bench.place() as place, server.serving(place) as served:
        state = place / "bridge"
        shutil.copytree(filled, state)
        config = configure(place, state, rights.bridge(0), served.port)
        command = (sys.executable, "-m", "strapline", "bridge", "run", "--config", str(config))
        # No Bluetooth, whatever the machine has: this bridge only sends what it holds.
        env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={place}/no-bus"}
        with running(command, place, env) as bridge:
            first, began_s = _until(place / "server", lambda count: count > 0)
            spent_ns = bridge.cpu_ns() + served.program.cpu_ns()
            last, ended_s = _until(place / "server", lambda count: count >= total)
            spent_ns = bridge.cpu_ns() + served.program.cpu_ns() - spent_ns
        left = asyncio.run(pending(state))
    if last != total or left:
        raise BenchmarkError(f"of {total} readings {last} are stored, and {left} still pending")
    moved = last - first
    return _Sample(moved / (ended_s - began_s), spent_ns / 1_000 / moved)


def _until(state: Path, enough: Callable[[int], bool]) -> tuple[int, float]:
    """How many are stored once that is enough, and when."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        count = _count(state)
        now_s = time.monotonic()
        if enough(count):
            return count, now_s
        if now_s > until_s:
            raise BenchmarkError(f"after {_PATIENCE_S:.0f} s only {count} readings are stored")
        time.sleep(_LOOK_EVERY_S)


def _floor(bench: Bench) -> _Sample:
    total = bench.scale.ingested
    body = b"x" * 120
    with bench.place() as place, contextlib.closing(sqlite3.connect(place / "plain.db")) as store:
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA synchronous = FULL")
        store.execute(
            "CREATE TABLE reading (stream INTEGER, seq INTEGER, at_ms INTEGER, value REAL, "
            "body BLOB, PRIMARY KEY (stream, seq)) WITHOUT ROWID"
        )
        began_s, began_ns = time.monotonic(), time.process_time_ns()
        for start in range(0, total, _ROWS):
            with store:
                store.executemany(
                    "INSERT INTO reading VALUES (1, ?, ?, ?, ?)",
                    [(seq, seq * 1_000, 72.0, body) for seq in range(start, start + _ROWS)],
                )
        spent_ns = time.process_time_ns() - began_ns
        return _Sample(total / (time.monotonic() - began_s), spent_ns / 1_000 / total)


def measure(bench: Bench) -> Table:
    """Ingest, drain and the floor, in turn."""
    scale = bench.scale
    with bench.place() as place:
        rights = asyncio.run(grant(place / "state", 1, [[0]], []))
        filled = place / "filled"
        filled.mkdir(mode=0o700)
        asyncio.run(fill(filled, [rights.user(0)] * _WEARABLES, scale.drained))
        ways: list[tuple[str, Callable[[], _Sample]]] = [
            ("Strapline: ingest", lambda: _ingest(bench, rights)),
            ("Strapline: drain, bridge to server", lambda: _drain(bench, rights, filled)),
            ("floor: rows into SQLite", lambda: _floor(bench)),
        ]
        found = in_turn(ways, scale.rounds, lambda way: way[1]())
    middle = [(name, medians(samples)) for (name, _), samples in found]
    floor = middle[-1][1].readings_per_s
    return Table(
        "ingest",
        "Durable ingest and drain",
        _ABOUT.format(
            ingested=scale.ingested,
            drained=scale.drained,
            series=LONGEST_SERIES,
            window=Limits().window_readings,
            rows=_ROWS,
            wearables=_WEARABLES,
        ),
        ("readings/s", "times the floor", "CPU a reading, µs"),
        tuple(
            Row(name, (one.readings_per_s, one.readings_per_s / floor, one.cpu_us))
            for name, one in middle
        ),
        (
            (
                "A series is stored as one compressed block, so that a reading costs less than a "
                "row of its own: the server's CPU (reading JSON, checking, compressing, folding "
                "into minutes) is the limit, not the disk."
            ),
            (
                "A drain costs both ends, which share this machine, and its CPU is of both "
                "together: read, sent, checked, stored, acknowledged, taken out."
            ),
        ),
    )
