"""Named queries: SQL lives in ``sql/*.sql``, each statement under a ``-- name:`` line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries() -> Mapping[str, str]:
    """All named queries of the package.

    Raises:
        ValueError: two statements have one name.
    """
    found: dict[str, str] = {}
    for file in sorted(files(__package__).joinpath("sql").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text("utf-8"))
        for name, statement in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"{file.name}: a second query is named {name}")
            found[name] = statement.strip()
    return MappingProxyType(found)


def load_migrations() -> list[tuple[int, str, str]]:
    """(version, name, script) of each file in ``migrations/``, in order from 1.

    Raises:
        ValueError: the numbers have a hole.
    """
    scripts = sorted(
        (int(file.name[:4]), file.name, file.read_text("utf-8"))
        for file in files(__package__).joinpath("migrations").iterdir()
        if file.name.endswith(".sql")
    )
    if [number for number, _, _ in scripts] != list(range(1, len(scripts) + 1)):
        raise ValueError("migrations are not numbered 1, 2, 3, …")
    return scripts
