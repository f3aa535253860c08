"""What a benchmark found, as a table for people and as numbers for programs."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

C = TypeVar("C")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Row:
    """One subject and its numbers; None where there is none to give."""

    subject: str
    numbers: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One benchmark's findings.

    Attributes:
        name: as on the command line.
        title: what it is about.
        about: what was measured, and how.
        heads: what the numbers of a row are, with their units.
        limits: what holds the numbers where they are.
    """

    name: str
    title: str
    about: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    limits: tuple[str, ...] = ()

    def markdown(self) -> str:
        """For a page."""
        lines = [
            f"## {self.title}",
            "",
            self.about,
            "",
            "| |" + "".join(f" {head} |" for head in self.heads),
            "|---|" + "---:|" * len(self.heads),
            *(
                f"| {row.subject} |" + "".join(f" {shown(number)} |" for number in row.numbers)
                for row in self.rows
            ),
        ]
        if self.limits:
            lines += ["", *(f"- {limit}" for limit in self.limits)]
        return "\n".join(lines) + "\n"


def shown(number: float | None) -> str:
    """A number with as many digits as it is worth: three."""
    if number is None:
        return ""
    size = abs(number)
    if size >= 100:
        return f"{float(f'{number:.3g}'):,.0f}"
    return f"{number:.1f}" if size >= 10 else f"{number:.2f}"


def in_turn(
    contestants: Sequence[C], rounds: int, measure: Callable[[C], S]
) -> list[tuple[C, list[S]]]:
    """Measure A B C A B C …, so that a machine that changes changes for all alike."""
    found: list[tuple[C, list[S]]] = [(one, []) for one in contestants]
    for _ in range(rounds):
        for contestant, samples in found:
            samples.append(measure(contestant))
    return found


def medians(samples: Sequence[S]) -> S:
    """The median of each field of a dataclass of numbers."""
    first = samples[0]
    assert dataclasses.is_dataclass(first)
    assert not isinstance(first, type)
    names = [field.name for field in dataclasses.fields(first)]
    return dataclasses.replace(
        first,
        **{name: statistics.median(getattr(one, name) for one in samples) for name in names},
    )
