"""`strapline bridge verify`: whether all that was measured is stored, in words or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from strapline.gap_words import cause_in_words
from strapline.reaching import Reached, connected, opened
from strapline.screen import duration
from strapline.terminal import make_console, say, title
from strapline_bridge.answering import VERIFY, VerifyParams
from strapline_bridge.control import ask
from strapline_bridge.verification import Against, RunVerified, Verification
from strapline_bridge.verifying import verify
from strapline_bridge.wearables import Wearables, WearablesFile
from strapline_protocol.gaps import Evidence
from strapline_protocol.intervals import Range
from strapline_protocol.watching import Gap

_PATIENCE_S: Final = 3_600.0
_SHORT: Final = 8
_RANGES_SHOWN: Final = 3
_GAPS_SHOWN: Final = 20
_UNBROKEN: Final = 200
_EVIDENCE: Final[dict[str, str]] = {
    Evidence.STOPPED: "it was stopped",
    Evidence.KILLED: "it ended without a word",
    Evidence.SUSPENDED: "the machine was suspended",
    Evidence.ADAPTER_AWAY: "Bluetooth was away",
    Evidence.HEARD: "it was heard, without a link",
    Evidence.CONTACT: "it felt no skin",
    Evidence.BATTERY: "its battery was empty",
    Evidence.LINK_LOST: "its link was lost",
    Evidence.LINKED: "its link stood",
}


async def verification(reached: Reached, *, offline: bool) -> Verification:
    """Of the bridge that runs, by itself; else of its outbox, over a connection of its own.

    Raises:
        BridgeError, CommandError, ServerError: it cannot be verified.
    """
    params = VerifyParams(offline=offline)
    told = await ask(reached.config.state_dir, VERIFY, params, within_s=_PATIENCE_S)
    if told is not None:
        return told
    async with opened(reached) as outbox:
        if offline:
            return await verify(outbox, None)
        async with connected(reached) as questions:
            return await verify(outbox, questions.ask)


def show(reached: Reached, verified: Verification) -> None:
    """Print it for people."""
    console = make_console()
    if not console.is_terminal:
        console = make_console(width=_UNBROKEN)
    tell(console, verified, WearablesFile(reached.config.state_dir).load())


def tell(console: Console, verified: Verification, wearables: Wearables) -> None:
    """What became of the readings, the gaps, what is wrong, and the last line."""
    against = "with its server" if verified.against is Against.SERVER else "without its server"
    console.print(title("verify", f"this bridge, {against}"))
    _group(console, "Readings", list(_readings(verified)))
    _group(console, "Gaps", list(_gaps(verified, wearables)))
    _group(console, "Wrong", [line for run in verified.runs for line in _faults(run)])
    notes = [note for run in verified.runs for note in _notes(run)]
    if not verified.all_right:
        notes.append(
            "What is missing at the server and kept here is sent again once it says that it lacks "
            "it, which it does at each connection. `strapline server verify` says what the server "
            "itself has lost; a copy brings that back: `strapline server restore`."
        )
    if notes:
        console.print()
    for note in notes:
        say(console, Text(note, "second"), Text("  "))
    console.print()
    say(console, Text(last_line(verified), "name" if verified.all_right else "fault"))


def last_line(verified: Verification) -> str:
    """All of it in one sentence."""
    told = [_many(verified.readings, "reading")]
    told.append(f"{_none(verified.missing)} missing")
    told.append(f"{_none(verified.doubled)} twice")
    for count, words in (
        (verified.different, "different at the server"),
        (verified.to_send, "still to send"),
        (verified.refused, "refused"),
        (verified.dropped, "dropped"),
        (verified.erased, "erased"),
    ):
        if count:
            told.append(f"{count:,} {words}")
    gaps = verified.gaps
    silent = gaps.gaps - gaps.explained
    if not gaps.gaps:
        told.append("no gaps")
    if gaps.explained:
        told.append(f"{_many(gaps.explained, 'gap')} explained")
    if silent:
        told.append(f"{_many(silent, 'gap')} without a known cause")
    return ", ".join(told) + "."


_Line = tuple[str, ...]


def _readings(verified: Verification) -> Iterator[_Line]:
    where = f"measured in {_many(verified.in_runs, 'run')}"
    if verified.first_ms is not None and verified.last_ms is not None:
        first, last = _moment(verified.first_ms), _moment(verified.last_ms)
        day = first.partition(" ")[0]
        where += f", {first} to {last.removeprefix(day).lstrip()} UTC"
    yield f"{verified.readings:,}", where
    if verified.against is Against.SERVER:
        same = f"; {verified.compared:,} compared one by one" if verified.compared else ""
        yield f"{verified.stored:,}", f"stored by the server{same}"
    else:
        yield f"{verified.stored:,}", "acknowledged by a server, which was not asked now"
    if verified.to_send:
        yield f"{verified.to_send:,}", "still to send"
    if verified.refused:
        letters = f"refused, {verified.dead_letters:,} of them dead letters"
        yield f"{verified.refused:,}", f"{letters}: `strapline bridge dead-letters` shows them"
    if verified.dropped:
        yield f"{verified.dropped:,}", _dropped(verified)
    if verified.erased:
        yield f"{verified.erased:,}", "erased with their person"
    yield f"{verified.kept:,}", "kept here, for a server that is put back from a copy"


def _dropped(verified: Verification) -> str:
    reasons: dict[str, int] = {}
    for run in verified.runs:
        for reason, count in run.untold.items():
            reasons[reason] = reasons.get(reason, 0) + count
    told = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
    return (
        f"dropped; not told to the server yet: {told}" if told else "dropped, as the server knows"
    )


def _gaps(verified: Verification, wearables: Wearables) -> Iterator[_Line]:
    pieces = verified.gaps.pieces
    if len(pieces) > _GAPS_SHOWN:
        yield "…", "", "", f"the newest {_GAPS_SHOWN}; all of them with --json"
    for piece in pieces[-_GAPS_SHOWN:]:
        yield (
            duration((piece.to_ms - piece.from_ms) / 1_000),
            _moment(piece.from_ms, seconds=True),
            _name(piece.device, wearables),
            _cause(piece),
        )


def _cause(piece: Gap) -> str:
    told = cause_in_words(piece.cause)
    if piece.count:
        told += f" ({_many(piece.count, 'reading')})"
    if piece.evidence:
        told += f": {_EVIDENCE.get(piece.evidence, piece.evidence)}"
    return told


def _name(device: str | None, wearables: Wearables) -> str:
    known = wearables.find(device or "")
    return known.name if known else (device or "")[:_SHORT]


def _faults(run: RunVerified) -> Iterator[_Line]:
    short = f"run {run.stream[:_SHORT]}"
    for count, words, ranges in (
        (run.missing, "missing", run.missing_numbers),
        (run.doubled, "twice", run.doubled_numbers),
        (run.different, "not what was measured here", run.different_numbers),
    ):
        if count:
            yield f"{count:,}", words, short, f"readings {_ranges(ranges)}"


def _notes(run: RunVerified) -> Iterator[str]:
    short = run.stream[:_SHORT]
    if run.stranger:
        yield (
            f"The server has no run {short} of this bridge: its database is another one or was "
            "emptied, or this bridge had another name then. What is kept here of it is sent again "
            "at the next connection to a server that lacks it."
        )
    if run.beyond:
        yield (
            f"Of run {short} the server has {_many(run.beyond, 'reading')} more: this outbox is an "
            "older copy. Nothing is lost by that."
        )


def _ranges(ranges: Sequence[Range]) -> str:
    told = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges]
    more = ", …" if len(told) > _RANGES_SHOWN else ""
    return ", ".join(told[:_RANGES_SHOWN]) + more


def _group(console: Console, heading: str, lines: Sequence[_Line]) -> None:
    if not lines:
        return
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    for first, *rest in lines:
        table.add_row(Text(f"    {first}"), *(Text(word, "second") for word in rest))
    table.columns[0].justify = "right"
    console.print()
    console.print(Text(f"  {heading}", "name"))
    console.print(table, soft_wrap=not console.is_terminal)


def _moment(at_ms: int, *, seconds: bool = False) -> str:
    moment = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if seconds else f"{moment:%Y-%m-%d %H:%M}"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _none(count: int) -> str:
    return f"{count:,}" if count else "none"
