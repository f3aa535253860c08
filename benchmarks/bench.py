"""What a benchmark is given: its sizes, the compiled programs, a folder on a real disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.native import Native
from benchmarks.scale import Scale


@dataclass(frozen=True, slots=True)
class Bench:
    """The bench that all stand on."""

    scale: Scale
    native: Native
    folder: Path

    @contextmanager
    def place(self) -> Iterator[Path]:
        """An empty folder for one run, gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            yield Path(name)
