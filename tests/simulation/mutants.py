"""Bugs that are planted in the code under test: each must be found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest

from strapline_bridge.outbox import Outbox, Row
from strapline_bridge.outbox.ledger import StreamRecord
from strapline_bridge.outbox.transaction import Transaction as Writing
from strapline_bridge.outbox.writer import Writer
from strapline_bridge.uplink.conversation import Conversation
from strapline_bridge.uplink.lanes import Lanes
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Acknowledged, Lane, Readings
from strapline_server import Server
from strapline_server.ingest import Entry, Ingest
from strapline_server.store import Outcome, cooling, copies
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.commit import Commit
from strapline_server.store.database import FILE_NAME
from strapline_server.watching import Viewer

_Mutant = Callable[[pytest.MonkeyPatch], None]


def _acknowledge_before_commit(patch: pytest.MonkeyPatch) -> None:
    submit = Ingest.submit

    def early(self: Ingest, entry: Entry) -> None:
        message = getattr(entry.work, "message", None)
        if isinstance(message, Readings):
            ranges = [span for series in message.series for span in series.ranges()]
            entry.answer((Acknowledged(stream=message.stream, ranges=ranges),))
            entry = replace(entry, answer=lambda answers: None)
        submit(self, entry)

    patch.setattr(Ingest, "submit", early)


def _delete_before_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    publish = Conversation._publish

    def hasty(
        self: Conversation, stream: str, lane: Lane, rows: list[Row], most_bytes: int
    ) -> bytes:
        frame = publish(self, stream, lane, rows, most_bytes)
        under_way = self._session.under_way(stream).ranges()
        self._outbox.acknowledge(stream, under_way, self._store)
        return frame

    patch.setattr(Conversation, "_publish", hasty)


def _reuse_a_stream(patch: pytest.MonkeyPatch) -> None:
    begin = Writer._begin_stream

    def again(self: Writer) -> StreamRecord:
        last = list(self._storage.known.ledger)[-1:]
        return last[0] if last else begin(self)

    patch.setattr(Writer, "_begin_stream", again)


def _skip_a_range(patch: pytest.MonkeyPatch) -> None:
    """What moved out of the live lane is believed to be in the backlog."""
    init, committed = Lanes.__init__, Lanes.committed

    def small(self: Lanes, outbox: Outbox, live_readings: int = 4) -> None:
        init(self, outbox, live_readings)

    def forgetful(self: Lanes, rows: Any) -> None:
        until = self._until
        committed(self, rows)
        self._until = until

    patch.setattr(Lanes, "__init__", small)
    patch.setattr(Lanes, "committed", forgetful)


def _account_for_a_hole(patch: pytest.MonkeyPatch) -> None:
    receive = Accounts.receive

    def generous(self: Accounts, ranges: list[Range]) -> list[Range]:
        new = receive(self, ranges)
        held = self.of(Kind.RECEIVED)
        if len(held) > 1:
            self._add(Kind.RECEIVED, held[0][0], held[-1][1])
        return new

    patch.setattr(Accounts, "receive", generous)


def _count_a_repeat(patch: pytest.MonkeyPatch) -> None:
    receive = Accounts.receive

    def forgetful(self: Accounts, ranges: list[Range]) -> list[Range]:
        receive(self, ranges)
        return ranges

    patch.setattr(Accounts, "receive", forgetful)


def _merge_away_a_block(patch: pytest.MonkeyPatch) -> None:
    carry_out = cooling.carry_out

    def lossy(transaction: Any, planned: cooling.Plan) -> bool:
        if len(planned.groups) > 1:
            planned = replace(planned, groups=planned.groups[:-1])
        return carry_out(transaction, planned)

    patch.setattr(cooling, "carry_out", lossy)


def _lose_a_row_in_joining(patch: pytest.MonkeyPatch) -> None:
    join = Writing._join_group

    async def lossy(self: Writing, record: StreamRecord, group: Any) -> None:
        lost = group[-1]
        await join(self, record, group)
        if len(group) >= 8:
            await self._all("delete_row", {"stream": record.key, "first_seq": group[0][0]})
            await self._all("delete_row", {"stream": record.key, "first_seq": lost[0]})

    patch.setattr(Writing, "_join_group", lossy)


def _deliver_before_commit(patch: pytest.MonkeyPatch) -> None:
    start, carry_out = Server._start, Commit.carry_out
    hubs: list[Any] = []

    async def started(self: Server) -> None:
        hubs.append(self._hub)
        await start(self)

    def hasty(self: Commit, works: Any) -> Outcome:
        outcome = carry_out(self, works)
        if hubs:
            hubs[-1].publish(outcome.changes)
        return outcome

    patch.setattr(Server, "_start", started)
    patch.setattr(Commit, "carry_out", hasty)


def _discard_silently(patch: pytest.MonkeyPatch) -> None:
    save = Writing._save_hole

    async def silent(self: Writing, record: Any, reason: str, numbers: IntervalSet) -> None:
        await save(self, record, reason, IntervalSet())
        record.settled.update(numbers)
        self.outcome.holes.pop((record.id, reason), None)

    patch.setattr(Writing, "_save_hole", silent)


def _keep_the_epoch(patch: pytest.MonkeyPatch) -> None:
    put_back = copies.put_back

    def unmarked(state_folder: Path, source: Path) -> object:
        with closing(sqlite3.connect(state_folder / FILE_NAME)) as before:
            (epoch,) = before.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
        copied = put_back(state_folder, source)
        with closing(sqlite3.connect(state_folder / FILE_NAME)) as after, after:
            after.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (epoch,))
        return copied

    patch.setattr("tests.simulation.world.put_back", unmarked)


def _leave_rights(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Viewer, "regrant", lambda *_: None)


def _believe_what_was_dropped(patch: pytest.MonkeyPatch) -> None:
    """A number that was dropped once is refused when it comes after all."""
    not_in = Accounts._not_in

    def stubborn(self: Accounts, ranges: list[Range], kinds: Iterable[Kind]) -> list[Range]:
        return not_in(self, ranges, tuple(Kind))

    patch.setattr(Accounts, "_not_in", stubborn)


#: By name. What is not found by fewer seeds than :data:`SEEDS` is not found.
MUTANTS: Final[Mapping[str, _Mutant]] = MappingProxyType(
    {
        "acknowledge before commit": _acknowledge_before_commit,
        "delete before acknowledgement": _delete_before_acknowledgement,
        "reuse a stream": _reuse_a_stream,
        "skip a range": _skip_a_range,
        "account for a hole": _account_for_a_hole,
        "count a repeat": _count_a_repeat,
        "merge away a block": _merge_away_a_block,
        "lose a row in joining": _lose_a_row_in_joining,
        "deliver before commit": _deliver_before_commit,
        "discard silently": _discard_silently,
        "keep the epoch": _keep_the_epoch,
        "leave rights": _leave_rights,
        "believe what was dropped": _believe_what_was_dropped,
    }
)
SEEDS: Final = 40
