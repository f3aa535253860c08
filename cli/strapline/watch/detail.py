"""One person on the whole screen: a larger trace, every wearable, every cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from strapline.watch.band import Frame, band
from strapline.watch.ink import Row, Tone, ends, fitted, wrapped
from strapline.watch.missing import Missing, missing_rows
from strapline.watch.person import Person, level_of
from strapline.watch.rate import rate_of
from strapline.watch.screen import View, keys_row
from strapline.watch.sheet import sheet_notes, sheet_of
from strapline.watch.trace import TICK, Axis, levels_for, now_row, trace_rows
from strapline.watch.way import way_of
from strapline.watch.words import clock
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import DeviceHop

_LABELS: Final = 6
_EDGE: Final = 2
_LEAST_ROWS: Final = 3
_MOST_ROWS: Final = 12
#: Of the trace, before there is room for a list beside it.
_WANTED_ROWS: Final = 6
_KEYS: Final = (("esc", "everyone"), ("↑↓", "person"), ("h", "history"), ("s", "sync now"))
_STATES: Final = {
    DeviceState.CONNECTED: "connected",
    DeviceState.NOT_WORN: "not worn",
    DeviceState.SEARCHING: "out of range",
}


def detail(person: Person, view: View, missing: Missing | None = None) -> list[Row]:
    """As many rows as the screen has."""
    frame = view.frame
    # Without room for a trace beside it a band is its figures alone.
    narrow = Frame(view.now_ms, min(view.width, 34), frame.connected)
    top = band(person, narrow, None, focused=False, last=True).rows[:-1]
    facts = _facts(person, view)
    rows = [
        fitted([*row, *(facts[at] if at < len(facts) else [])], view.width)
        for at, row in enumerate(top)
    ]
    rows += [
        fitted([(" " * narrow.width, Tone.INK), *row], view.width) for row in facts[len(top) :]
    ]
    missing = missing if missing is not None and missing.user == person.user else Missing()
    below = _below(person, view, listed=True)
    room = view.height - len(rows) - len(below) - 4
    listed = missing_rows(missing, view.now_ms, room - _WANTED_ROWS - 1)
    if not (listed and missing.gaps):
        below = _below(person, view, listed=False)
        room = view.height - len(rows) - len(below) - 4
    rest = room - len(listed) - bool(listed)
    traced = _trace(person, view, min(_MOST_ROWS, max(_LEAST_ROWS, rest)))
    rule: Row = [("─" * view.width, Tone.FAINT)]
    blank: Row = [("", Tone.INK)]
    rows = [*rows, rule, *traced, *([blank] if listed else []), *listed, *below]
    keys = [*_KEYS, ("m", "mark")] if view.may_mark else _KEYS
    rows = rows[: view.height - 1]
    rows += [[("", Tone.INK)]] * (view.height - 1 - len(rows))
    return [*(fitted(row, view.width) for row in rows), keys_row(keys, view.width)]


def _facts(person: Person, view: View) -> list[Row]:
    """Each wearable with its battery, and how it is connected."""
    rows: list[Row] = [[("", Tone.INK)]]
    for hop in person.devices:
        battery, state = _device(person, hop, view)
        model = "" if hop.about is None or not hop.about.model else f"  {hop.about.model}"
        name = hop.name or "Strap"
        rows.append([(name, Tone.STRONG), (model, Tone.SECOND), (f"  {battery}", Tone.INK)])
        rows.append([(state, Tone.SECOND)])
    if not person.devices:
        rows.append([("No wearable yet", Tone.SECOND)])
    return rows


def _device(person: Person, hop: DeviceHop, view: View) -> tuple[str, str]:
    """``82 %`` and ``connected since 13:55, good contact``."""
    connected = view.connection.stands
    level = level_of(person, hop, view.now_ms, connected=connected)
    battery = "battery not known" if level is None else level
    state = f"{_STATES[hop.state]} since {clock(hop.since_ms)}" if connected else "not known now"
    contacts = [one.contact for one in person.line if one.device == hop.device]
    contact = contacts[-1] if contacts and hop.state is DeviceState.CONNECTED else None
    told = "" if contact is None else ", good contact" if contact else ", no contact"
    return battery, f"{state}{told}"


def _trace(person: Person, view: View, rows: int) -> list[Row]:
    columns = view.width - _LABELS - _EDGE
    if columns < 1:
        return []
    axis = Axis(view.now_ms, columns)
    sheet = sheet_of(person, view.now_ms)
    levels = levels_for(sheet.bounds, rows)
    rate = rate_of(person, view.now_ms, connected=view.connection.stands)
    live = now_row(None if rate.bpm is None else float(rate.bpm), levels, rows)
    tone = Tone.NOW if rate.bpm is not None else Tone.SECOND
    drawn: list[Row] = []
    for at, traced in enumerate(trace_rows(sheet, axis, levels, rows)):
        label = levels.label(at, rows) if levels is not None and at < rows else ""
        edge = "●" if at == live else "│" if rate.bpm is not None else TICK
        drawn.append(
            [(f"  {label:<{_LABELS - 2}}", Tone.SECOND), *traced, (edge, tone), (" ", Tone.INK)]
        )
    labels: Row = [(f"{' ' * _LABELS}{axis.labels()}", Tone.SECOND)]
    return [*drawn, ends(labels, [("now", tone), (" ", Tone.INK)], view.width)]


def _below(person: Person, view: View, *, listed: bool) -> list[Row]:
    """Sentences and the way; gaps that are listed already are not said once more."""
    sheet = sheet_of(person, view.now_ms)
    told = sheet_notes(replace(sheet, gaps=()) if listed else sheet, None)
    if view.notice:
        told = [view.notice, *told]
    trouble = view.connection.trouble
    if trouble is not None:
        told = [f"{trouble.title}. {trouble.remedy}", *told]
    lines = [line for one in told for line in wrapped(one, max(1, view.width - 4))]
    way = way_of(person, view.connection, view.now_ms, view.silence_ms)
    blank: Row = [("", Tone.INK)]
    return [blank, *_lines(lines), *([blank] if lines else []), [("  ", Tone.INK), *way]]


def _lines(lines: Sequence[str]) -> list[Row]:
    return [[(f"  {line}", Tone.INK)] for line in lines]
