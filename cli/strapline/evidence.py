"""Gathers what was seen at each hop: in the straps, in the outbox, at the viewer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from strapline.account import Content, Delivered, Evidence, Notified, Source, Stored, contents
from strapline.errors import CommandError
from strapline_bridge.decoders import DECODERS
from strapline_bridge.outbox import OutboxObserver, Row
from strapline_bridge.readings import Reading
from strapline_bridge.wearables import Wearables
from strapline_client import Updates
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.watching import HealthDataUpdate
from strapline_simulator import Ledger

_NS_PER_MS = 1_000_000


class Strap(Protocol):
    """What is asked of a virtual strap."""

    ledger: Ledger

    @property
    def address(self) -> str: ...
    async def wait_connected(self) -> None: ...
    async def wait_disconnected(self) -> None: ...


class Witness(OutboxObserver):
    """Writes down what the outbox commits, what the server accounts for, what a viewer gets."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.acknowledgements: dict[str, IntervalSet] = {}
        self.delivered: list[Delivered] = []
        self.connections: Counter[str] = Counter()

    def committed(self, rows: Sequence[Row]) -> None:
        self.rows.extend(rows)

    def acknowledged(self, stream: str, numbers: IntervalSet) -> None:
        self.acknowledgements.setdefault(stream, IntervalSet()).update(numbers)

    async def watch(self, updates: Updates) -> None:
        """Write down each reading that comes to a viewer, with the moment at which it did."""
        async for update in updates:
            message = update.message
            if isinstance(message, HealthDataUpdate):
                now_ns = time.monotonic_ns()
                series = message.series
                self.delivered += [
                    Delivered(
                        (series.device, series.metric), content, (message.stream, seq), now_ns
                    )
                    for seq, content in zip(series.numbers(), contents(series), strict=True)
                ]

    @asynccontextmanager
    async def counting(self, straps: Iterable[Strap]) -> AsyncIterator[None]:
        """Count how often each strap is connected to: each time some of its values are read."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._count(strap)) for strap in straps]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def _count(self, strap: Strap) -> None:
        while True:
            await strap.wait_connected()
            self.connections[strap.address] += 1
            await strap.wait_disconnected()

    def evidence(
        self, straps: Sequence[Strap], wearables: Wearables, zeros: dict[str, int]
    ) -> Evidence:
        """All of it, as the account takes it.

        Args:
            straps: that sent.
            wearables: whose each of them is.
            zeros: each stream's zero on the boot clock, in ns.

        Raises:
            CommandError: a strap sent more than its ledger holds.
        """
        devices = {strap.address: _device_of(strap, wearables) for strap in straps}
        read_first = [decoder.metric for decoder in DECODERS.values() if decoder.read_first]
        reads: dict[Source, int] = {
            (device, metric): self.connections[address]
            for address, device in devices.items()
            for metric in read_first
        }
        return Evidence(
            notified=[
                entry for strap in straps for entry in _entries(strap, devices[strap.address])
            ],
            stored=_stored(self.rows, zeros),
            acknowledged=self.acknowledgements,
            delivered=self.delivered,
            reads=reads,
        )


def content_of(reading: Reading) -> Content:
    """What a decoded notification says."""
    columns: dict[str, Any] = dict(reading.columns)
    return Content(
        reading.value,
        tuple(columns.get("rr", ())),
        columns.get("contact"),
        columns.get("energy_kj"),
    )


def _device_of(strap: Strap, wearables: Wearables) -> str:
    wearable = wearables.find_by_address(strap.address)
    if wearable is None:
        raise CommandError("A simulated strap is not among the wearables. Empty the data folder.")
    return wearable.device


def _entries(strap: Strap, device: str) -> list[Notified]:
    if strap.ledger.forgotten:
        raise CommandError("The run was too long for the straps' ledgers. Make it shorter.")
    entries = []
    for sent in strap.ledger.entries:
        decoder = DECODERS[sent.characteristic]
        content = content_of(decoder.decode(sent.value))
        entries.append(Notified((device, decoder.metric), content, sent.at_monotonic_ns))
    return entries


def _stored(rows: Sequence[Row], zeros: dict[str, int]) -> list[Stored]:
    """The committed readings, their boot clock turned into the ledgers' monotonic clock."""
    asleep_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return [
        Stored(
            (row.series.device, row.series.metric),
            content,
            (row.stream, seq),
            zeros[row.stream] + elapsed_ms * _NS_PER_MS - asleep_ns,
        )
        for row in rows
        for seq, elapsed_ms, content in zip(
            row.series.numbers(), row.series.elapsed(), contents(row.series), strict=True
        )
    ]
