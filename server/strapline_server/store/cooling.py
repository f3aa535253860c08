"""Small blocks become larger ones as they cool, so that a year of a strap stays small.

A live reading is a block of its own when it is committed. Once its hour is over, the blocks of
that hour of one user, metric, device and stream become few. Readings, numbers and what was
folded out of them stay as they are; only those go together whose moments of receipt tell the
same story, as :func:`~strapline_server.store.columns.alike` says.

Reading and merging an hour takes a while, so it is planned beside the writer; carrying the plan
out is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strapline_protocol.publishing import Zero
from strapline_server.store.blocks import Place, insert_blocks
from strapline_server.store.columns import Group, Piece, alike, sound, wall_times
from strapline_server.store.database import Transaction

HOUR_MS: Final = 3_600_000
#: After the end of an hour what came late for it is mostly there.
REST_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One hour of one place: which blocks are to become what."""

    place: Place
    hour: int
    zero: str
    blocks: list[int]
    groups: list[Group]


def plan(transaction: Transaction) -> Plan | None:
    """What to merge next; None while no hour that has small blocks is over."""
    before_hour = (transaction.now_ms - REST_MS) // HOUR_MS
    row = transaction.one("warm", before_hour=before_hour)
    if row is None:
        return None
    place = Place(row["user_key"], row["metric"], row["device_key"], row["stream_key"])
    hour = row["hour"]
    rows = transaction.all(
        "blocks_of_hour", **place.key, from_ms=hour * HOUR_MS, to_ms=(hour + 1) * HOUR_MS
    )
    pieces: list[Piece] = []
    zero = Zero.model_validate_json(row["zero"])
    for found in rows:
        if (block := sound(found["block_key"], found["data"])) is None:
            # Its hour stays as it is, and others go on.
            return Plan(place, hour, row["zero"], [], [])
        series, _ = block
        at_ms = wall_times(zero, series.elapsed())
        received_ms = (found["committed_ms"], found["judged_ms"])
        pieces.append(Piece(row["stream"], series, at_ms, *received_ms, zero))
    return Plan(place, hour, row["zero"], [found["block_key"] for found in rows], alike(pieces))


def carry_out(transaction: Transaction, planned: Plan) -> bool:
    """Put the merged blocks in place of the small ones; False where the plan is out of date."""
    row = transaction.one("zero_of_stream", stream_key=planned.place.stream_key)
    if row is None or row["zero"] != planned.zero:
        # The stream's readings have moved since, and are warm where they are now.
        return False
    hour = {"from_ms": planned.hour * HOUR_MS, "to_ms": (planned.hour + 1) * HOUR_MS}
    rows = transaction.all("keys_of_hour", **planned.place.key, **hour)
    if not {row["block_key"] for row in rows}.issuperset(planned.blocks):
        # They are gone, as those of a user who was erased, and their keys may be others' by now.
        return False
    merged = [(series, group) for group in planned.groups for series in group.merged()]
    if len(merged) < len(planned.blocks):
        for block_key in planned.blocks:
            transaction.run("delete_block", block_key=block_key)
        for series, group in merged:
            at_ms = wall_times(group.zero, series.elapsed())
            received_ms = (group.committed_ms, group.judged_ms)
            insert_blocks(transaction, planned.place, series, at_ms, received_ms, warm=False)
    transaction.run("cooled", **planned.place.key, hour=planned.hour)
    return True
