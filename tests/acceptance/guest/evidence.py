"""What a guest left behind, shown with whatever fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: So many lines of each file.
_SHOWN_LINES: Final = 150


@contextmanager
def evidence(out: Path) -> Iterator[None]:
    """What the guest left is shown with whatever fails."""
    try:
        yield
    except Exception as error:
        for path in sorted([*out.glob("*.log"), *out.glob("*.txt")]):
            lines = path.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
            error.add_note("\n".join([f"──── {path.name}", *lines]))
        raise
