"""What a bridge asks of its own streams: how each number is accounted for, and digests.

Both are read beside the writer, and a page of either is bounded.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from strapline_protocol.asking import (
    MOST_DIGESTED,
    Accounts,
    AccountsParams,
    Digest,
    Digests,
    DigestsParams,
)
from strapline_protocol.digest import digest_of_lines, lines_of
from strapline_protocol.intervals import IntervalSet, Range
from strapline_server.store.accounts import Kind
from strapline_server.store.columns import sound
from strapline_server.store.database import Transaction
from strapline_server.store.streams import StreamRow, find_stream

#: Ranges of one page, of all kinds together.
MOST_RANGES: Final = 10_000

#: A number's line, and the number.
_Line = tuple[int, str]


def read_accounts(transaction: Transaction, sub: str, params: AccountsParams) -> Accounts | None:
    """One page of what is accounted for; None where the stream is not this bridge's."""
    row = _own(transaction, sub, params.stream)
    if row is None:
        return None
    found = sorted(
        (max(span["first"], params.first), span["last"], kind)
        for kind in Kind
        for span in transaction.each(
            "accounts_from",
            stream_key=row.key,
            kind=int(kind),
            first=params.first,
            most=MOST_RANGES + 1,
        )
    )
    page = found[:MOST_RANGES]
    kinds: dict[Kind, list[Range]] = {kind: [] for kind in Kind}
    for first, last, kind in page:
        kinds[kind].append((first, last))
    count = transaction.one("count_of_stream", stream_key=row.key, kind=int(Kind.RECEIVED))
    assert count is not None, "a sum is one row"
    return Accounts(
        stream=row.id,
        received=kinds[Kind.RECEIVED],
        rejected=kinds[Kind.REJECTED],
        dropped=kinds[Kind.DROPPED],
        erased=kinds[Kind.ERASED],
        readings=count["readings"],
        next=found[MOST_RANGES][0] if len(found) > MOST_RANGES else None,
    )


def read_digests(transaction: Transaction, sub: str, params: DigestsParams) -> Digests | None:
    """Digests of what is stored; None where the stream is not this bridge's.

    Raises:
        ValueError: they are of more numbers than one answer may be.
    """
    asked = sum(last - first + 1 for first, last in params.ranges)
    if asked > MOST_DIGESTED:
        raise ValueError(
            f"ranges: {asked} numbers. Ask for at most {MOST_DIGESTED} together, and again for "
            "the rest."
        )
    row = _own(transaction, sub, params.stream)
    if row is None:
        return None
    lines = _lines(transaction, row, IntervalSet(params.ranges))
    digests = [_digest(lines, span) for span in params.ranges]
    return Digests(stream=row.id, digests=digests)


def _own(transaction: Transaction, sub: str, stream: str) -> StreamRow | None:
    """The stream, where it is this bridge's: another's looks like one that is not there."""
    row = find_stream(transaction, stream)
    return row if row is not None and row.owner == sub else None


def _lines(transaction: Transaction, row: StreamRow, wanted: IntervalSet) -> list[_Line]:
    """A line for each time that one of these numbers is stored, in order."""
    first, last = wanted.span()
    blocks = transaction.all("blocks_in_numbers", stream_key=row.key, first=first, last=last)
    lines: list[_Line] = []
    for block in blocks:
        holes = wanted.missing(block["first_seq"], block["last_seq"])
        if holes == [(block["first_seq"], block["last_seq"])]:
            continue
        stored = transaction.one("data_of_block", block_key=block["block_key"])
        assert stored is not None, "a transaction sees one state"
        if (found := sound(block["block_key"], stored["data"])) is None:
            continue
        part = found[0].within(wanted)
        if part is not None:
            lines += lines_of(part)
    lines.sort()
    return lines


def _digest(lines: Sequence[_Line], span: Range) -> Digest:
    begin = bisect_left(lines, (span[0], ""))
    end = bisect_left(lines, (span[1] + 1, ""), begin)
    return Digest(count=end - begin, sha256=digest_of_lines(line for _, line in lines[begin:end]))
