"""Small blocks become larger ones as they cool, so that a year of a strap stays small.

A live reading is a block of its own when it is committed. Once its hour is over, the blocks of
that hour of one user, metric, device and stream become few. Readings, numbers and what was
folded out of them stay as they are; only those go together whose moment of receipt tells the
same story, as :func:`~strapline_server.store.columns.alike` says.
"""

from __future__ import annotations

from typing import Final

from strapline_protocol.publishing import Zero
from strapline_server.store.blocks import Place, insert_blocks
from strapline_server.store.columns import Piece, alike, unpack, wall_times
from strapline_server.store.database import Transaction

HOUR_MS: Final = 3_600_000
#: After the end of an hour what came late for it is mostly there.
REST_MS: Final = 600_000
#: Of one transaction, so that a commit does not wait for long.
MOST_HOURS_A_TIME: Final = 4


def cool(transaction: Transaction) -> int:
    """Merge the blocks of a few hours that are over; how many hours are still warm enough to do."""
    before_hour = (transaction.now_ms - REST_MS) // HOUR_MS
    rows = transaction.all("warm", before_hour=before_hour, most=MOST_HOURS_A_TIME + 1)
    for row in rows[:MOST_HOURS_A_TIME]:
        place = Place(row["user_key"], row["metric"], row["device_key"], row["stream_key"])
        _merge(transaction, place, row["hour"])
        transaction.run("cooled", **place.key, hour=row["hour"])
    return len(rows)


def _merge(transaction: Transaction, place: Place, hour: int) -> None:
    rows = transaction.all(
        "blocks_of_hour", **place.key, from_ms=hour * HOUR_MS, to_ms=(hour + 1) * HOUR_MS
    )
    pieces: list[Piece] = []
    for row in rows:
        series = unpack(row["data"])
        zero = Zero.model_validate_json(row["zero"])
        at_ms = wall_times(zero, series.elapsed())
        received = (row["committed_ms"], row["judged_ms"])
        pieces.append(Piece(row["stream"], series, at_ms, *received, zero))
    groups = alike(pieces)
    merged = [(series, group) for group in groups for series in group.merged()]
    if len(merged) >= len(pieces):
        return
    for row in rows:
        transaction.run("delete_block", block_key=row["block_key"])
    for series, group in merged:
        at_ms = wall_times(group.zero, series.elapsed())
        received_ms = (group.committed_ms, group.judged_ms)
        insert_blocks(transaction, place, series, at_ms, received_ms, warm=False)
