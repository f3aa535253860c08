"""Every number that was given to a reading is stored, on its way, has its reason, or is named."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from strapline_bridge.outbox import Limits, Outbox, StreamRecord
from strapline_bridge.uplink import NotAnsweredError
from strapline_bridge.verification import Against, RunVerified, Verification
from strapline_bridge.verifying import verify
from strapline_protocol.asking import Accounts, AccountsParams
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import Rejected
from strapline_protocol.series import Series
from tests.integration.bridge_kit import a_reading, an_outbox
from tests.unit.bridge.test_comparing import FakeServer


class Servers:
    """A server for each run: what it has, and what it says of it."""

    def __init__(self) -> None:
        self.of: dict[str, FakeServer] = {}
        self.accounts: dict[str, dict[str, list[tuple[int, int]]]] = {}
        self.strangers: set[str] = set()

    async def __call__(self, method: str, params: Any, kind: type[Any]) -> Any:
        if params.stream in self.strangers:
            raise NotAnsweredError("not granted", "-", "notGranted")
        server = self.of.setdefault(params.stream, FakeServer([]))
        answer = await server(method, params, kind)
        if isinstance(params, AccountsParams):
            assert isinstance(answer, Accounts)
            return answer.model_copy(update=self.accounts.get(params.stream, {}))
        return answer


async def _filled(outbox: Outbox, count: int = 100) -> StreamRecord:
    begin_ns = time.monotonic_ns()
    for at in range(count):
        outbox.put(a_reading(60 + at % 100, boot_ns=begin_ns + at * 1_000_000_000))
    await outbox.flush()
    assert outbox.stream is not None
    record = outbox.record(outbox.stream)
    assert record is not None
    return record


async def _taken(
    outbox: Outbox, record: StreamRecord, servers: Servers, first: int, last: int
) -> list[Series]:
    """A server receives these, and says so."""
    series = await outbox.between(record.id, first, last)
    servers.of[record.id] = FakeServer(series)
    outbox.acknowledge(record.id, [(first, last)], "s")
    await outbox.flush()
    return series


def _the_run(verified: Verification) -> RunVerified:
    (run,) = verified.runs
    parts = (run.stored, run.refused, run.dropped, run.erased, run.to_send, run.missing)
    assert sum(parts) == run.measured, "each number is in one of these"
    return run


async def test_all_stored_is_all_right(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        await _taken(outbox, record, servers, 0, 99)
        verified = await verify(outbox, servers)
    assert verified.all_right
    assert verified.against is Against.SERVER
    assert (verified.readings, verified.stored, verified.compared) == (100, 100, 100)
    assert (verified.to_send, verified.dead_letters, verified.in_runs) == (0, 0, 1)
    assert verified.first_ms is not None
    assert verified.last_ms is not None
    assert 98_000 < verified.last_ms - verified.first_ms < 110_000
    assert _the_run(verified).acknowledged == 100


async def test_what_waits_is_still_to_send_and_not_missing(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        await _taken(outbox, record, servers, 0, 59)
        verified = await verify(outbox, servers)
    assert verified.all_right
    assert (verified.stored, verified.to_send, verified.kept) == (60, 40, 100)


async def test_received_and_not_yet_acknowledged_is_stored(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        servers.of[record.id] = FakeServer(await outbox.between(record.id, 0, 29))
        verified = await verify(outbox, servers)
        assert (verified.stored, verified.to_send, verified.compared) == (30, 70, 30)
        assert _the_run(verified).acknowledged == 0


async def test_what_a_server_has_lost_is_missing_by_its_numbers(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        await _taken(outbox, record, servers, 0, 99)
        servers.of[record.id].received.remove(40, 49)
        servers.of[record.id].lines = servers.of[record.id].lines[:40]
        verified = await verify(outbox, servers)
    run = _the_run(verified)
    assert not verified.all_right
    # Ten that it does not account for any more, fifty that it says to have and has not.
    assert run.missing_numbers == [(40, 99)]
    assert (verified.missing, verified.stored) == (60, 40)


async def test_what_differs_and_what_is_double_is_named(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        await _taken(outbox, record, servers, 0, 99)
        lines = servers.of[record.id].lines
        lines.append(lines[7])
        lines[9] = (9, lines[9][1].replace("60", "61") + " ")
        verified = await verify(outbox, servers)
    run = _the_run(verified)
    assert (run.doubled_numbers, run.different_numbers) == ([(7, 7)], [(9, 9)])
    assert (verified.missing, verified.doubled, verified.different) == (0, 1, 1)
    assert not verified.all_right


async def test_refused_dropped_and_erased_readings_have_their_reason(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        outbox.reject(Rejected(stream=record.id, ranges=[(0, 9)], code="noSuchUser", message=""))
        await outbox.flush()
        await outbox.settle_letters(lambda one: one.numbers[0] < 5, discard=True)
        await _taken(outbox, record, servers, 10, 99)
        server = servers.of[record.id]
        server.received.remove(20, 29)
        server.lines = [line for line in server.lines if not 20 <= line[0] <= 29]
        server.erased = IntervalSet([(20, 29)])
        outbox.reject(Rejected(stream=record.id, ranges=[(50, 59)], code="noSuchUser", message=""))
        verified = await verify(outbox, servers)
    run = _the_run(verified)
    assert verified.all_right
    assert (run.erased, run.missing) == (10, 0)
    # All ten of one row are one letter, which was discarded; ten more were received after all.
    assert (run.dropped, run.refused) == (10, 0)
    assert run.untold == {"discarded": 10}


async def test_one_that_is_to_be_sent_and_is_not_here_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        await _filled(outbox, 10)
        for at in range(10):
            outbox.put(a_reading(60 + at))
            await outbox.flush()
    with sqlite3.connect(path) as plain:
        plain.execute("DELETE FROM series_row WHERE first_seq = 13")
    plain.close()
    async with an_outbox(path) as outbox:
        verified = await verify(outbox, None)
    run = _the_run(verified)
    assert verified.against is Against.NOTHING
    assert run.missing_numbers == [(13, 13)]
    assert (verified.to_send, verified.missing) == (19, 1)


async def test_alone_it_believes_what_servers_have_acknowledged(tmp_path: Path) -> None:
    limits = Limits(kept_bytes=0)
    async with an_outbox(tmp_path / "o.db", limits=limits) as outbox:
        record = await _filled(outbox)
        outbox.acknowledge(record.id, [(0, 99)], "s")
        await outbox.flush()
        verified = await verify(outbox, None)
    assert verified.all_right
    assert (verified.stored, verified.kept, verified.compared) == (100, 0, 0)
    assert verified.gaps.gaps == 0


async def test_what_is_here_no_longer_is_counted_at_the_server(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db", limits=Limits(kept_bytes=0)) as outbox:
        record = await _filled(outbox)
        await _taken(outbox, record, servers, 0, 99)
        assert (await verify(outbox, servers)).all_right
        server = servers.of[record.id]
        server.lines = [line for line in server.lines if line[0] != 77]
        verified = await verify(outbox, servers)
    assert (verified.kept, verified.compared, verified.missing) == (0, 0, 1)
    assert _the_run(verified).missing_numbers == [(77, 77)]


async def test_a_run_that_the_server_does_not_know_is_missing_only_where_it_was_there(
    tmp_path: Path,
) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        servers.strangers.add(record.id)
        verified = await verify(outbox, servers)
        assert verified.all_right
        assert (verified.to_send, _the_run(verified).stranger) == (100, False)
        outbox.acknowledge(record.id, [(0, 49)], "s")
        verified = await verify(outbox, servers)
        assert (verified.missing, verified.to_send) == (50, 50)
        assert _the_run(verified).stranger


async def test_a_server_that_has_more_of_a_run_is_no_loss(tmp_path: Path) -> None:
    """An older copy of the outbox was put back."""
    servers = Servers()
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        record = await _filled(outbox)
        await _taken(outbox, record, servers, 0, 99)
        servers.of[record.id].received.add(100, 149)
    async with an_outbox(path) as outbox:
        verified = await verify(outbox, servers)
    assert verified.all_right
    assert (_the_run(verified).beyond, verified.stored) == (50, 100)


async def test_runs_follow_one_another_and_the_time_between_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    for _ in range(3):
        async with an_outbox(path) as outbox:
            await _filled(outbox, 10)
    async with an_outbox(path) as outbox:
        verified = await verify(outbox, None)
    assert verified.in_runs == 3
    assert [run.measured for run in verified.runs] == [10, 10, 10]
    assert all(run.ended_ms is not None for run in verified.runs)


async def test_while_it_is_recorded_into_nothing_is_missed_or_doubled(tmp_path: Path) -> None:
    servers = Servers()
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _filled(outbox)
        await _taken(outbox, record, servers, 0, 49)
        real = servers.of[record.id]

        async def ask(method: str, params: Any, kind: type[Any]) -> Any:
            # Between a question and its answer the world goes on.
            outbox.put(a_reading())
            await outbox.flush()
            real.received.add(0, record.next_seq - 1)
            real.lines += FakeServer(
                await outbox.between(record.id, 1 + max(n for n, _ in real.lines), 10**6)
            ).lines
            outbox.acknowledge(record.id, [(0, record.next_seq - 1)], "s")
            return await real(method, params, kind)

        verified = await verify(outbox, ask)
    assert verified.all_right
    assert (verified.readings, verified.stored, verified.to_send) == (100, 100, 0)
