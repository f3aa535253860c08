"""`strapline server verify`: whether all is there, once, in words for people or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from strapline.gap_words import cause_in_words
from strapline.screen import duration
from strapline.terminal import complain, make_console, say, title
from strapline_protocol.codec import encode
from strapline_protocol.errors import StraplineError
from strapline_server import ServerConfig, Verified, verify
from strapline_server.verified import GapsVerified, Numbers, StreamVerified

#: What the command leaves with.
WHOLE: Final = 0
NOT_WHOLE: Final = 1
NOT_VERIFIED: Final = 2
#: Of a stream's id and of a digest; both stand whole in the JSON.
_SHORT: Final = 8
_RANGES_SHOWN: Final = 3
_TELL_EVERY: Final = 500
_UNBROKEN: Final = 200
_HEADINGS: Final = ("readings", "first, UTC", "last", "run", "sha256")


def show(config: ServerConfig, user: str | None, stream: str | None, *, as_json: bool) -> int:
    """Verify, and print what it came to; the status to leave with."""
    console = make_console()
    if not console.is_terminal:
        # Lines are searched, then: none is broken.
        console = make_console(width=_UNBROKEN)
    try:
        verified = examine(config, user, stream)
    except StraplineError as error:
        complain(str(error))
        return NOT_VERIFIED
    if as_json:
        print(encode(verified).decode(), flush=True)
    else:
        tell(console, verified)
    return WHOLE if verified.whole else NOT_WHOLE


def examine(config: ServerConfig, user: str | None, stream: str | None) -> Verified:
    """With a word on how far it is, where somebody looks."""
    waiting = make_console(stderr=True)
    if not waiting.is_terminal:
        return verify(config.state_folder, user, stream)
    blocks = 0
    with waiting.status("Reading every block …", spinner="line", spinner_style="second") as status:

        def read(more: int) -> None:
            nonlocal blocks
            blocks += more
            if blocks % _TELL_EVERY == 0:
                status.update(f"Reading every block … {blocks:,}")

        return verify(config.state_folder, user, stream, read)


def tell(console: Console, verified: Verified) -> None:
    """People, what has become of the rest, what is wrong, and the last line."""
    console.print(title("verify", f"{_moment(verified.as_of_ms)} UTC"))
    for user in _users(verified):
        console.print()
        console.print(Text(f"  {user}", "name"))
        console.print(_runs(verified.streams, user), soft_wrap=not console.is_terminal)
        for line in (*_sums(verified, user), *_gaps(verified.gaps, user)):
            say(console, line, Text("    "))
    absent = [line for stream in verified.streams for line in _absent(stream)]
    faults = [line for stream in verified.streams for line in _faults(stream)]
    for heading, lines in (("Not here, and accounted for", absent), ("Wrong", faults)):
        if lines:
            console.print()
            console.print(Text(f"  {heading}", "name"))
            console.print(_table(lines), soft_wrap=not console.is_terminal)
    console.print()
    say(console, Text(last_line(verified), "name" if verified.whole else "fault"))


def last_line(verified: Verified) -> str:
    """All of it in one sentence."""
    told = [_many(verified.readings, "reading")]
    told.append(f"{_none(verified.missing)} missing")
    told.append(f"{_none(verified.doubled)} twice")
    damaged = sum(stream.unreadable.count for stream in verified.streams)
    if damaged:
        told.append(f"{damaged:,} in damaged blocks")
    unknown = sum(stream.unaccounted.count for stream in verified.streams)
    if unknown:
        told.append(f"{unknown:,} that nothing accounts for")
    misplaced = sum(stream.misplaced_blocks for stream in verified.streams)
    if misplaced:
        told.append(f"{_many(misplaced, 'block')} misplaced")
    differing = sum(one.differing for one in verified.sums)
    if differing:
        told.append(f"{_many(differing, 'sum')} not right")
    return ", ".join([*told, *_gaps_in_all(verified.gaps)]) + "."


def _gaps_in_all(gaps: Sequence[GapsVerified]) -> Iterator[str]:
    explained = sum(one.explained for one in gaps)
    silent = sum(one.gaps for one in gaps) - explained
    if explained or not silent:
        yield f"{_many(explained, 'gap')} explained"
    if silent:
        yield f"{_many(silent, 'gap')} without a known cause"


def _users(verified: Verified) -> list[str]:
    if verified.user is not None:
        return [verified.user]
    found = {part.user for stream in verified.streams for part in stream.users}
    return sorted(found | {one.user for one in verified.sums})


def _runs(streams: Sequence[StreamVerified], user: str) -> Table:
    """Each run of a bridge that has something of a user, the oldest first."""
    parts = [(part, stream) for stream in streams for part in stream.users if part.user == user]
    lines = [
        (
            f"{part.readings:,}",
            _moment(part.first_ms),
            _moment(part.last_ms),
            _run(stream),
            part.sha256[:_SHORT],
        )
        for part, stream in sorted(parts, key=lambda pair: pair[0].first_ms)
    ]
    return _table([_HEADINGS, *lines], heads=1)


def _table(lines: Sequence[tuple[str, ...]], heads: int = 0) -> Table:
    """A right-aligned column, and what is said of it; of the first ``heads`` lines all is."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    for index, line in enumerate(lines):
        first, *rest = line
        style = "second" if index < heads else ""
        table.add_row(Text(f"    {first}", style), *(Text(word, "second") for word in rest))
    if lines:
        table.columns[0].justify = "right"
    return table


def _sums(verified: Verified, user: str) -> Iterator[Text]:
    found = [one for one in verified.sums if one.user == user and one.checked]
    if not found:
        return
    wrong = [one for one in found if one.differing]
    count = sum(one.checked for one in found)
    metrics = ", ".join(one.metric for one in found)
    if not wrong:
        yield Text(f"{_many(count, 'sum')} by minute and hour right ({metrics})", "second")
    for one in wrong:
        since = "" if one.from_ms is None else f", the first of {_moment(one.from_ms)}"
        yield Text(f"{one.metric}: {one.differing:,} of {_many(one.checked, 'sum')} wrong{since}")


def _gaps(gaps: Sequence[GapsVerified], user: str) -> Iterator[Text]:
    for one in gaps:
        if one.user != user or not one.gaps:
            continue
        # How long each lasted in all, not how many pieces it has: a gap may have several causes.
        causes = ", ".join(
            f"{cause_in_words(cause.cause)} ({duration(cause.duration_ms / 1_000)})"
            for cause in one.causes
        )
        yield Text(f"{_many(one.gaps, 'gap')} of {one.metric}: {causes}", "second")


def _absent(stream: StreamVerified) -> Iterator[tuple[str, ...]]:
    for lost in stream.dropped:
        yield _numbers(stream, lost.numbers, f"dropped ({lost.why})" if lost.why else "dropped")
    for lost in stream.rejected:
        yield _numbers(stream, lost.numbers, f"rejected ({lost.why})" if lost.why else "rejected")
    if stream.erased.count:
        yield _numbers(stream, stream.erased, "erased")
    if stream.pending.count:
        yield _numbers(stream, stream.pending, "announced and not here yet")


def _faults(stream: StreamVerified) -> Iterator[tuple[str, ...]]:
    faults = (
        (stream.missing, "missing: received, and in no block"),
        (stream.doubled, "twice"),
        (stream.unreadable, "in a damaged block"),
        (stream.unaccounted, "in a block, and not accounted for"),
    )
    for numbers, told in faults:
        if numbers.count:
            yield _numbers(stream, numbers, told)
    if stream.damaged_blocks:
        yield f"{stream.damaged_blocks:,}", "damaged blocks", _run(stream)
    if stream.misplaced_blocks:
        told = "blocks that are not where their readings belong"
        yield f"{stream.misplaced_blocks:,}", told, _run(stream)


def _numbers(stream: StreamVerified, numbers: Numbers, told: str) -> tuple[str, ...]:
    spans = [
        f"{first}" if first == last else f"{first} to {last}" for first, last in numbers.ranges
    ]
    more = len(spans) > _RANGES_SHOWN or not numbers.complete
    where = ", ".join(spans[:_RANGES_SHOWN]) + (", …" if more else "")
    return f"{numbers.count:,}", told, _run(stream), where


def _run(stream: StreamVerified) -> str:
    return f"{stream.bridge} {stream.stream[:_SHORT]}"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _none(count: int) -> str:
    return f"{count:,}" if count else "none"
