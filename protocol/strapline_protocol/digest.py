"""A digest of readings that is the same however they are laid out: both ends compare it.

A line a reading, in order of number: a JSON list of its number, ``elapsedMs``, user, device,
metric, value, and an object of all else that is not null. Rows that were joined, blocks that were
merged and columns that were packed have the digest of the readings that went in. What the server
marks, and a stream's wall time, are not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from strapline_protocol.series import Series

#: Columns beside the value, by Python's name.
_COLUMNS = {"rr": "rr", "contact": "contact", "energy_kj": "energyKj", "quality": "quality"}


def lines_of(series: Series) -> list[tuple[int, str]]:
    """The number and the line of each reading, in order."""
    columns: dict[str, list[Any]] = {}
    for name, told in _COLUMNS.items():
        column = getattr(series, name)
        if column is not None:
            columns[told] = column
    same: dict[str, Any] = {}
    for name, content in (series.model_extra or {}).items():
        if isinstance(content, list):
            columns[name] = content
        else:
            same[name] = content
    if series.counter is not None:
        same["counter"] = [series.counter.id, series.counter.from_]
    if series.on_change:
        same["onChange"] = True
    heading = [series.user, series.device, series.metric]
    found = []
    rows = zip(series.numbers(), series.elapsed(), series.value, strict=True)
    for row, (number, elapsed_ms, value) in enumerate(rows):
        beside = {
            **same,
            **{name: _plain(column[row]) for name, column in columns.items() if _said(column[row])},
        }
        line = [number, elapsed_ms, *heading, _plain(value), beside]
        found.append((number, json.dumps(line, separators=(",", ":"), sort_keys=True)))
    return found


def digest(series: Iterable[Series]) -> str:
    """SHA-256, in hex, of these readings in order of number; a repeated one counts twice."""
    lines = sorted(line for one in series for line in lines_of(one))
    return digest_of_lines(line for _, line in lines)


def digest_of_lines(lines: Iterable[str]) -> str:
    """SHA-256, in hex, of lines that are in order already."""
    sha = hashlib.sha256()
    for line in lines:
        sha.update(line.encode())
        sha.update(b"\n")
    return sha.hexdigest()


def _said(entry: Any) -> bool:
    return entry is not None and entry != []


def _plain(entry: Any) -> Any:
    """JSON has one kind of number: 72.0 is 72."""
    return int(entry) if isinstance(entry, float) and entry.is_integer() else entry
