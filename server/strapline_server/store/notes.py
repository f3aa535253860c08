"""Notes: what is not measured but said. Their shape, whose stream they are of, what is newest.

A session, a mark, a host application's summary and what a bridge noticed of a device's silence are
readings without a value: stored in blocks like all others, so that history gives them. What is
newest of them is kept beside in one small table: each session, the newest mark and the newest
silence of each device, what was said last of each field of a summary.

The server has a stream of its own for what is said to it: one for each of its runs, numbered by
the database, so that no number is given twice whatever becomes of either.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import JsonValue, ValidationError

from strapline_protocol.base import (
    SAFE_INTEGER,
    Code,
    Count,
    Label,
    StreamId,
    WallMs,
    WireModel,
)
from strapline_protocol.codec import faults_of
from strapline_protocol.metrics import GAP, MARK, SESSION, SUMMARY, metric_named
from strapline_protocol.opening import ClockState
from strapline_protocol.publishing import Anchor, ClockSource, Zero
from strapline_protocol.series import Series
from strapline_protocol.watching import (
    Gap,
    GapData,
    HealthSummary,
    Mark,
    MarkData,
    Position,
    Session,
    SessionData,
    SummaryData,
)
from strapline_server.clock import clock_state
from strapline_server.state import AHEAD_MS
from strapline_server.store.columns import sound, wall_times
from strapline_server.store.database import Transaction, Value
from strapline_server.store.noticed import note_spell

#: The owner of the server's own streams: with a space, as no principal's name has.
OWNER: Final = "the server"
#: Who said it, in place of a device: a host application, or a viewer.
HOST: Final = "host"
VIEWER: Final = "viewer"
#: One note's columns as JSON.
LARGEST_NOTE_BYTES: Final = 16 * 1_024
#: A summary is shown whole each time: of more the oldest fields go.
_MOST_FIELDS: Final = 64
_LARGEST_SUMMARY_BYTES: Final = 64 * 1_024


@dataclass(frozen=True, slots=True)
class Note:
    """Something said of a user at one moment.

    Attributes:
        user: of whom.
        metric: ``session``, ``mark`` or ``summary``.
        device: who says it, :data:`HOST` for a host application.
        at_ms: the wall time that it is about; a session's beginning.
        columns: one value for each of the metric's columns, by its name on the wire.
    """

    user: str
    metric: str
    device: str
    at_ms: int
    columns: Mapping[str, JsonValue] = field(repr=False)


class NoteStored(WireModel):
    """A note's receipt: it is durable, and viewers are told with this position."""

    stream: StreamId
    seq: Count
    position: Position
    committed_ms: WallMs


class _SessionColumns(WireModel):
    id: StreamId
    name: Label
    duration_ms: Count | None


class _MarkColumns(WireModel):
    label: Label


class _SummaryColumns(WireModel):
    summary: HealthSummary


class GapColumns(WireModel):
    """Of metric ``gap``: for how long from its moment on there was nothing, and why."""

    duration_ms: Count
    cause: Code
    evidence: Code | None = None


#: What a person or a host application says.
_SAYABLE: Final[Mapping[str, type[WireModel]]] = {
    SESSION.name: _SessionColumns,
    MARK.name: _MarkColumns,
    SUMMARY.name: _SummaryColumns,
}
_COLUMNS: Final[Mapping[str, type[WireModel]]] = {**_SAYABLE, GAP.name: GapColumns}


class _Envelope(WireModel):
    """What of a note is no column."""

    at_ms: WallMs


def check_note(note: Note) -> None:
    """Whether it can be stored.

    Raises:
        ValueError: it cannot; the text names the field and the fault, and no value.
    """
    metric = metric_named(note.metric)
    if metric.name == GAP.name:
        raise ValueError(f"metric: what was not measured a bridge says. Say {_said_names()}.")
    if not metric.said:
        raise ValueError(f"metric: {note.metric!r} is measured. What is said is {_said_names()}.")
    if set(note.columns) != set(metric.columns):
        raise ValueError(f"columns: those of {note.metric} are {', '.join(metric.columns)}")
    try:
        _Envelope.model_validate({"atMs": note.at_ms})
        _SAYABLE[note.metric].model_validate(dict(note.columns), by_alias=True, by_name=False)
        to_series(note, 0, 0)
    except ValidationError as error:
        raise ValueError(faults_of(error)) from None
    if len(json.dumps(dict(note.columns))) > LARGEST_NOTE_BYTES:
        raise ValueError(f"columns: over {LARGEST_NOTE_BYTES} bytes as JSON")


def _said_names() -> str:
    return " or ".join(_SAYABLE)


def to_series(note: Note, seq: int, elapsed_ms: int) -> Series:
    """A note as a series of one reading."""
    columns: dict[str, Any] = {name: [value] for name, value in note.columns.items()}
    return Series(
        user=note.user,
        device=note.device,
        metric=note.metric,
        seq=[seq],
        elapsed_ms=[elapsed_ms],
        value=[None],
        **columns,
    )


def own_zero(now_ms: int) -> Zero:
    """The time of the server's own stream: its wall clock, from this moment on."""
    synchronised = clock_state() is ClockState.SYNCHRONISED
    source = ClockSource.SERVER if synchronised else ClockSource.SERVER_UNSYNCHRONISED
    # Said by the very clock that it is measured with.
    anchor = Anchor(elapsed_ms=0, wall_ms=now_ms, uncertainty_ms=0, source=source)
    return Zero(version=0, anchors=[anchor])


# What is newest


def fold_notes(
    transaction: Transaction,
    user_key: int,
    device_key: int,
    stream_key: int,
    series: Series,
    at_ms: Sequence[int],
    *,
    own: bool = False,
) -> None:
    """Take in notes. Some are stored and show nothing.

    Those that have not the columns of their metric; and of a bridge those that are about a
    moment ahead of the server's clock, or a session that ends at one.

    Args:
        transaction: to do it in.
        user_key: of whom.
        device_key: who says it.
        stream_key: in which stream.
        series: the notes, and
        at_ms: their wall times.
        own: of the server's own stream: their times were judged when they were said, and where
            the clock was set back since, they stay.
    """
    ahead_ms = transaction.now_ms + AHEAD_MS
    latest_ms = SAFE_INTEGER if own else ahead_ms
    rows = zip(series.numbers(), at_ms, said(series), strict=True)
    for number, at, columns in rows:
        key: dict[str, Value] = {
            "user_key": user_key,
            "metric": series.metric,
            "device_key": device_key,
            "stream_key": stream_key,
            "seq": number,
            "at_ms": at,
        }
        if isinstance(columns, GapColumns):
            _fold_gap(transaction, key, at, columns, latest_ms)
            continue
        if columns is None or at > latest_ms:
            continue
        match columns:
            case _SessionColumns(id=identity, name=name, duration_ms=lasts_ms):
                until_ms = None if lasts_ms is None else at + lasts_ms
                if until_ms is not None and until_ms > latest_ms:
                    continue
                content = json.dumps(name)
                transaction.run(
                    "say_session", **key, name=identity, until_ms=until_ms, content=content
                )
            case _MarkColumns(label=label):
                content = json.dumps(label)
                transaction.run("say_mark", **key, name="", content=content, latest_ms=ahead_ms)
            case _SummaryColumns(summary=summary):
                for name, value in summary.items():
                    transaction.run("say_field", **key, name=name, content=json.dumps(value))
                _bound_summary(transaction, user_key)


def _fold_gap(
    transaction: Transaction,
    key: dict[str, Value],
    at_ms: int,
    columns: GapColumns,
    latest_ms: int,
) -> None:
    """Evidence of its time, whatever the server's clock says of that; shown if it is past."""
    note_spell(transaction, key, at_ms, columns.duration_ms, columns.cause, columns.evidence)
    until_ms = at_ms + columns.duration_ms
    if until_ms <= latest_ms:
        content = columns.model_dump_json(by_alias=True)
        transaction.run("say_gap", **key, name="", until_ms=until_ms, content=content)


def fold_notes_anew(transaction: Transaction, user_key: int, metric: str, device_key: int) -> None:
    """Where notes have moved in time, what is newest is found again."""
    key: dict[str, Value] = {"user_key": user_key, "metric": metric, "device_key": device_key}
    transaction.run("unsay_all", **key)
    if metric == GAP.name:
        transaction.run("forget_spells", user_key=user_key, device_key=device_key)
    for row in transaction.all("notes_of_device", **key):
        if (block := sound(row["block_key"], row["data"])) is None:
            continue
        series, _ = block
        at_ms = wall_times(Zero.model_validate_json(row["zero"]), series.elapsed())
        own = row["owner"] == OWNER
        fold_notes(transaction, user_key, device_key, row["stream_key"], series, at_ms, own=own)


def said(series: Series) -> list[WireModel | None]:
    """The columns of each note; None where they are not what they should be."""
    extra = series.model_extra or {}
    model = _COLUMNS[series.metric]
    lists = {name: column for name, column in extra.items() if isinstance(column, list)}
    found: list[WireModel | None] = []
    for index in range(len(series)):
        columns = {name: column[index] for name, column in lists.items()}
        try:
            found.append(model.model_validate(columns, by_alias=True, by_name=False))
        except ValidationError:
            found.append(None)
    return found


def spell_ends(series: Series, at_ms: Sequence[int]) -> Sequence[int]:
    """Until when each reading tells something: of metric ``gap`` to the end of what it is about."""
    if series.metric != GAP.name:
        return at_ms
    return [
        min(at + columns.duration_ms, SAFE_INTEGER) if isinstance(columns, GapColumns) else at
        for at, columns in zip(at_ms, said(series), strict=True)
    ]


def _bound_summary(transaction: Transaction, user_key: int) -> None:
    kept_bytes = 0
    rows = transaction.all("fields_said_last_first", user_key=user_key)
    for index, row in enumerate(rows):
        kept_bytes += len(row["name"]) + len(row["content"])
        if index >= _MOST_FIELDS or kept_bytes > _LARGEST_SUMMARY_BYTES:
            transaction.run(
                "unsay",
                user_key=user_key,
                metric=SUMMARY.name,
                device_key=row["device_key"],
                name=row["name"],
            )


def read_said(
    transaction: Transaction, user_key: int, metric: str
) -> SessionData | MarkData | SummaryData | GapData:
    """The state of a metric that is said."""
    if metric == SESSION.name:
        return _session_data(newest_sessions(transaction, user_key, most=2))
    if metric == MARK.name:
        latest_ms = transaction.now_ms + AHEAD_MS
        row = transaction.one("newest_mark", user_key=user_key, latest_ms=latest_ms)
        return MarkData(mark=None if row is None else _mark(row))
    if metric == GAP.name:
        row = transaction.one("newest_gap", user_key=user_key)
        return GapData(gap=None if row is None else _gap(row))
    rows = transaction.all("fields_said_last_first", user_key=user_key)
    summary = {row["name"]: json.loads(row["content"]) for row in rows}
    return SummaryData(summary=summary, at_ms=rows[0]["at_ms"] if rows else 0)


def _mark(row: sqlite3.Row) -> Mark:
    return Mark(at_ms=row["at_ms"], label=json.loads(row["content"]))


def _gap(row: sqlite3.Row) -> Gap:
    columns = GapColumns.model_validate_json(row["content"])
    return Gap(
        from_ms=row["at_ms"],
        to_ms=row["until_ms"],
        cause=columns.cause,
        evidence=columns.evidence,
        device=row["device"],
    )


def newest_sessions(transaction: Transaction, user_key: int, most: int) -> list[Session]:
    """The last to begin, the newest first. A session lasts no longer than to the next."""
    found: list[Session] = []
    for row in transaction.all("newest_sessions", user_key=user_key, most=most):
        session = session_of(row)
        next_ms = found[-1].start_ms if found else None
        if next_ms is not None and (session.end_ms is None or session.end_ms > next_ms):
            session = session.model_copy(update={"end_ms": next_ms})
        found.append(session)
    return found


def session_of(row: sqlite3.Row) -> Session:
    """A row as the wire says it."""
    return Session(
        id=row["name"],
        name=json.loads(row["content"]),
        start_ms=row["at_ms"],
        end_ms=row["ends_ms"],
    )


def _session_data(newest: Sequence[Session]) -> SessionData:
    running = newest[0] if newest and newest[0].end_ms is None else None
    ended = next((one for one in newest if one.end_ms is not None), None)
    return SessionData(session=running, last=ended)
