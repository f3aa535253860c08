"""The straps near, as a person is shown them: numbered for good, the strongest no matter. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from strapline_bridge.radio.scan import Sighting

_BARS: Final = ((-60, "▂▄▆█"), (-70, "▂▄▆ "), (-80, "▂▄  "), (-200, "▂   "))


@dataclass(frozen=True, slots=True)
class Listed:
    """A strap under the number that it got when it was first heard."""

    number: int
    seen: Sighting


class Near:
    """What a scan has found so far.

    Attributes:
        others: how many devices were heard that measure nothing known here.
    """

    def __init__(self) -> None:
        self._straps: dict[str, Listed] = {}
        self._others: set[str] = set()

    def heard(self, seen: Sighting) -> None:
        """One device, as it was heard last."""
        known = self._straps.get(seen.address)
        if known is not None:
            self._straps[seen.address] = Listed(known.number, seen)
        elif seen.offers:
            self._others.discard(seen.address)
            self._straps[seen.address] = Listed(len(self._straps) + 1, seen)
        else:
            self._others.add(seen.address)

    @property
    def others(self) -> int:
        """Devices that were heard and measure nothing known here."""
        return len(self._others)

    @property
    def straps(self) -> list[Listed]:
        """By number."""
        return list(self._straps.values())

    def numbered(self, text: str) -> tuple[list[Sighting], str]:
        """What a person's answer names, and else what is wrong with it, as a sentence."""
        numbers = list(dict.fromkeys(int(part) for part in re.findall(r"[0-9]{1,4}", text)))
        by_number = {listed.number: listed.seen for listed in self.straps}
        missing = [number for number in numbers if number not in by_number]
        if missing:
            return [], f"There is no {missing[0]}."
        if not numbers:
            return [], "Type the number of a strap, or several: 1 3"
        return [by_number[number] for number in numbers], ""


def shown_name(seen: Sighting) -> str:
    """What it calls itself; some say nothing."""
    return seen.name or "(no name)"


def signal(seen: Sighting) -> str:
    """Bars for the strength at which it is heard."""
    if seen.rssi is None:
        return "    "
    return next(bars for least, bars in _BARS if seen.rssi >= least)


def table(near: Near, *, addresses: bool = False, numbers: bool = True) -> Table:
    """The straps as lines: number, name, signal, what they offer."""
    lines = Table(box=box.SIMPLE_HEAD if addresses else None, pad_edge=False, show_header=addresses)
    if numbers:
        lines.add_column("", justify="right", width=4)
    lines.add_column("  name" if not numbers else "name", no_wrap=True)
    lines.add_column("signal", no_wrap=True)
    lines.add_column("dBm", justify="right", style="second", no_wrap=True)
    lines.add_column("offers")
    if addresses:
        lines.add_column("address", style="second", no_wrap=True)
    for listed in near.straps:
        seen = listed.seen
        cells = [
            Text(shown_name(seen) if numbers else f"  {shown_name(seen)}", style="name"),
            Text(signal(seen)),
            Text("" if seen.rssi is None else str(seen.rssi)),
            Text(", ".join(seen.offers)),
        ]
        if numbers:
            cells.insert(0, Text(str(listed.number)))
        if addresses:
            cells.append(Text(seen.address))
        lines.add_row(*cells)
    return lines
