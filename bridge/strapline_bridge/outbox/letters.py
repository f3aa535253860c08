"""Dead letters within one commit: sent again, or thrown away with a record of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

import aiosqlite

from strapline_bridge.outbox.batch import Handling, Outcome
from strapline_bridge.outbox.damage import readable
from strapline_bridge.outbox.ledger import StreamRecord, ranges_to_json
from strapline_bridge.outbox.queries import queries
from strapline_bridge.outbox.rows import letter_values, row_values
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import Series

#: Why a person made a hole.
DISCARDED: Final = "discarded"
#: What a row costs beside its payload, as the queries have it.
_ROW_OVERHEAD: Final = 64


class LetterWork:
    """What a person decided about dead letters, done in the transaction that runs.

    Memory is changed after the commit, from the outcome.
    """

    def __init__(self, connection: aiosqlite.Connection, outcome: Outcome) -> None:
        self._connection = connection
        self._outcome = outcome
        self._sql = queries()

    async def handle(self, handling: Handling, record: StreamRecord) -> None:
        """Take these readings out of the dead letters, and make of them what was decided.

        What is no dead letter any more is passed over. Of what a server has received meanwhile,
        since a clone of this outbox sent it, nothing is left to send or to explain.
        """
        taken = IntervalSet()
        for first, last in handling.numbers:
            span = {"stream": record.key, "first": first, "last": last}
            for row in await self._all("letters_touching", span):
                taken.update(await self._take(record, row, handling))
        if not taken:
            return
        open_ = taken.minus(record.settled)
        if handling.discard:
            await self._explain(record, open_)
        else:
            self._outcome.returned.setdefault(record.id, IntervalSet()).update(open_)
        self._outcome.revived.setdefault(record.id, IntervalSet()).update(taken)
        dead = ranges_to_json(record.dead.minus(self._outcome.revived[record.id]))
        await self._all("save_dead", {"key": record.key, "dead": dead})

    async def _take(
        self, record: StreamRecord, row: sqlite3.Row, handling: Handling
    ) -> IntervalSet:
        """The numbers of one letter that were meant; what else is in it stays a letter."""
        first, last, code, message, payload = row
        key = {"stream": record.key, "first_seq": first}
        await self._all("delete_dead_letter", key)
        meant = IntervalSet([(first, last)])
        meant = meant.minus(meant.minus(handling.numbers))
        rest = meant.missing(first, last)
        for part in _parts(readable(payload), rest):
            await self._all("insert_dead_letter", letter_values(part, record.key, code, message))
        if not handling.discard:
            to_send = meant.minus(record.settled).ranges()
            for part in _parts(readable(payload), to_send):
                await self._insert(record, part)
        self._outcome.dead_letters -= len(meant)
        return meant

    async def _insert(self, record: StreamRecord, part: Series) -> None:
        row = row_values([part], record.key, None)
        await self._all("insert_row", row)
        self._outcome.pending_bytes += len(str(row["payload"])) + _ROW_OVERHEAD

    async def _explain(self, record: StreamRecord, numbers: IntervalSet) -> None:
        if not numbers:
            return
        known = self._outcome.holes.get((record.id, DISCARDED))
        hole = (known or record.holes.get(DISCARDED, IntervalSet())).copy()
        hole.update(numbers)
        self._outcome.holes[record.id, DISCARDED] = hole
        key = {"stream": record.key, "reason": DISCARDED}
        await self._all("save_hole", {**key, "ranges": ranges_to_json(hole)})

    async def _all(self, name: str, parameters: Mapping[str, object]) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(self._sql[name], dict(parameters)))


def _parts(series: list[Series], ranges: list[tuple[int, int]]) -> list[Series]:
    """What lies in each of these ranges, as series without holes."""
    found = (one.within([span]) for span in ranges for one in series)
    return [part for part in found if part is not None]
