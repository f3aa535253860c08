"""A stream's row, and the local numbers of devices."""

from __future__ import annotations

from dataclasses import dataclass

from strapline_protocol.publishing import Ended, Zero
from strapline_server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream, its owner and its time; ``ended`` is what is known of its end, as JSON."""

    key: int
    id: str
    owner: str
    zero: Zero
    ended: str | None = None


def find_stream(transaction: Transaction, stream: str) -> StreamRow | None:
    """The stream of this id."""
    row = transaction.one("stream", id=stream)
    if row is None:
        return None
    zero = Zero.model_validate_json(row["zero"])
    return StreamRow(row["stream_key"], row["id"], row["owner"], zero, row["ended"])


def end_ms(zero: Zero, ended: str | None) -> int | None:
    """The wall time of a stream's end; None while it is not known."""
    if ended is None:
        return None
    return zero.wall_ms(Ended.model_validate_json(ended).elapsed_ms)


def add_stream(
    transaction: Transaction,
    stream: str,
    owner: str,
    zero: Zero,
    next_seq: int = 0,
    ended: str | None = None,
) -> StreamRow:
    """A stream that is not there yet."""
    row = transaction.one(
        "insert_stream",
        id=stream,
        owner=owner,
        next_seq=next_seq,
        zero_version=zero.version,
        zero=zero.model_dump_json(by_alias=True),
        ended=ended,
        begins_ms=zero.wall_ms(0),
        ends_ms=end_ms(zero, ended),
    )
    assert row is not None, "an insert returns its row"
    return StreamRow(row["stream_key"], stream, owner, zero, ended)


def device_key_of(transaction: Transaction, device: str) -> int:
    """A device's local number; made at first sight."""
    row = transaction.one("device", id=device) or transaction.one("insert_device", id=device)
    assert row is not None, "an insert returns its row"
    return int(row["device_key"])
