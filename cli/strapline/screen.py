"""The screen of `strapline up`: one line a person, with the age of what it says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from strapline.board import Board
from strapline.terminal import indented
from strapline_bridge.status import BridgeStatus
from strapline_bridge.uplink import Link
from strapline_protocol.publishing import DeviceState, DeviceStatus

_MINUTE_S = 60
_HOUR_S = 3_600
#: From here on there is room for the battery, too.
_WIDE = 76
_TOLD = 40


@dataclass(frozen=True, slots=True)
class Moment:
    """What the screen is drawn from.

    Attributes:
        names: people's names by user id.
        now_s: on the board's clock.
        width: of the terminal, in columns.
    """

    status: BridgeStatus
    board: Board
    names: Mapping[str, str]
    now_s: float
    width: int = 80


def duration(seconds: float) -> str:
    """``12 s``, ``2 min 32 s``, ``3 h 5 min``."""
    whole = int(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"


def screen(moment: Moment) -> RenderableType:
    """People first, then the way that their readings take."""
    wide = moment.width >= _WIDE
    people = [_person(device, moment) for device in moment.status.devices]
    lines = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    # Names are never cut, and what stands right of a changing text does not move.
    longest = max((len(person[0]) for person in people), default=0)
    lines.add_column(style="name", min_width=longest, no_wrap=True)
    lines.add_column(justify="right", min_width=3, no_wrap=True)
    lines.add_column(min_width=_TOLD if wide else None)
    if wide:
        lines.add_column(style="second", no_wrap=True)
    for person in people:
        lines.add_row(*person[: len(lines.columns)])
    return Group(lines, Text(), *map(indented, _way(moment)))


def _person(device: DeviceStatus, moment: Moment) -> tuple[Text, Text, Text, Text]:
    name = Text(f"  {moment.names.get(device.user, device.user)}")
    battery = Text("" if device.battery is None else f"battery {device.battery} %")
    rate = moment.board.rates.get(device.device)
    linked = device.state is DeviceState.CONNECTED
    if rate is not None and linked and rate.is_fresh(moment.now_s):
        age = Text.assemble(("● ", "now"), f"{duration(moment.now_s - rate.at_s)} ago")
        return name, Text(str(rate.bpm), style="name"), age, battery
    told = _cause(device, heard=rate is not None)
    if rate is not None:
        at = datetime.fromtimestamp(rate.wall_s).astimezone().strftime("%H:%M:%S")
        told = f"{rate.bpm} at {at}, {told}"
    return name, Text("—"), Text(told), battery


def _cause(device: DeviceStatus, *, heard: bool) -> str:
    so_long = duration(device.state_age_ms / 1_000)
    match device.state:
        case DeviceState.NOT_WORN:
            return f"not worn for {so_long}"
        case DeviceState.CONNECTED:
            return "connected, no rate yet" if not heard else "connected, silent"
        case DeviceState.SEARCHING:
            return f"strap out of range for {so_long}" if heard else "looking for the strap"


def _way(moment: Moment) -> list[Text]:
    """Where readings are: taken, stored, with the server; and what is in the way."""
    status, board = moment.status, moment.board
    noun = "reading" if board.taken == 1 else "readings"
    told = Text(f"{board.taken:,} {noun} taken since the start")
    if status.pending:
        told.append(f", {status.pending:,} waiting for the server")
    elif board.taken:
        told.append(", all of them are here")
    told.append(".")
    troubles = [Text(f" {trouble} ", style="fault") for trouble in _troubles(status)]
    return [told, *troubles, Text("Ctrl-C stops.", style="second")]


def _troubles(status: BridgeStatus) -> list[str]:
    troubles = [trouble for trouble in (status.problem, status.outbox.fault) if trouble is not None]
    if status.uplink.link is not Link.ONLINE and status.uplink.why is not None:
        troubles.append(f"server: {status.uplink.why}")
    return troubles


def change(device: DeviceStatus) -> str:
    """What a change of a strap's state is called in a line of its own."""
    return {
        DeviceState.CONNECTED: "strap connected",
        DeviceState.NOT_WORN: "strap not worn",
        DeviceState.SEARCHING: "strap out of range",
    }[device.state]
