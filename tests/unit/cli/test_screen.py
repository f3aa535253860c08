"""What the screen of `strapline up` says in each state."""

from __future__ import annotations

import io

import pytest

from strapline.board import Board
from strapline.screen import Moment, duration, screen
from strapline.terminal import make_console
from strapline_bridge.outbox import OutboxStatus
from strapline_bridge.outbox.writer import Counters
from strapline_bridge.status import BridgeStatus
from strapline_bridge.uplink import Link, UplinkState
from strapline_protocol.publishing import ClockSource, ClockStatus, DeviceState, DeviceStatus
from tests.unit.cli.test_board import heart

NAMES = {"maren-holt": "Maren Holt"}


def device(state: DeviceState, battery: int | None = 63) -> DeviceStatus:
    return DeviceStatus(
        device="strap-1",
        user="maren-holt",
        name="Strap",
        state=state,
        state_age_ms=12_400,
        battery=battery,
    )


def shown(
    one: DeviceStatus,
    board: Board,
    *,
    now_s: float = 101.0,
    pending: int = 0,
    problem: str | None = None,
    uplink: UplinkState | None = None,
    fault: str | None = None,
) -> str:
    outbox = OutboxStatus(pending, 0, 0, 0, 0, fault, Counters())
    clock = ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1)
    link = uplink or UplinkState(link=Link.ONLINE)
    status = BridgeStatus([one], pending, 0, clock, outbox, link, problem)
    out = io.StringIO()
    make_console(file=out, width=100).print(screen(Moment(status, board, NAMES, now_s)))
    return out.getvalue()


def measured(bpm: int = 142) -> Board:
    board = Board(lambda: 100.0, lambda: 1_000_000.0)
    board.committed([heart([bpm])])
    return board


def test_a_fresh_rate_stands_with_its_age() -> None:
    text = shown(device(DeviceState.CONNECTED), measured())
    assert "Maren Holt  142  ● 1 s ago" in text
    assert "battery 63 %" in text
    assert "1 reading taken since the start, all of them are here." in text


def test_an_old_rate_is_a_dash_with_when_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(device(DeviceState.CONNECTED), measured(), now_s=105.1)
    assert "142  ●" not in text
    assert "—" in text
    assert "142 at " in text
    assert "connected, silent" in text


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (DeviceState.SEARCHING, "strap out of range for 12 s"),
        (DeviceState.NOT_WORN, "not worn for 12 s"),
    ],
)
def test_a_rate_is_never_the_present_without_its_strap(state: DeviceState, told: str) -> None:
    text = shown(device(state), measured(), now_s=100.1)
    assert told in text
    assert "●" not in text


def test_before_the_first_rate_it_says_what_is_awaited() -> None:
    nothing = Board()
    assert "looking for the strap" in shown(device(DeviceState.SEARCHING, None), nothing)
    assert "connected, no rate yet" in shown(device(DeviceState.CONNECTED), nothing)
    assert "battery" not in shown(device(DeviceState.SEARCHING, None), nothing)


def test_what_is_in_the_way_is_said() -> None:
    cut = UplinkState(link=Link.WAITING, why="the server cannot be reached")
    text = shown(device(DeviceState.CONNECTED), measured(), pending=312, uplink=cut)
    assert "312 waiting for the server." in text
    assert "all of them are here" not in text
    assert "server: the server cannot be reached" in text
    text = shown(device(DeviceState.CONNECTED), measured(), problem="no adapter. Plug one in.")
    assert "no adapter. Plug one in." in text
    assert "disk is full" in shown(device(DeviceState.CONNECTED), measured(), fault="disk is full")


def test_in_a_narrow_terminal_names_stay_whole() -> None:
    outbox = OutboxStatus(0, 0, 0, 0, 0, None, Counters())
    clock = ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1)
    one = [device(DeviceState.SEARCHING)]
    status = BridgeStatus(one, 0, 0, clock, outbox, UplinkState(link=Link.ONLINE), None)
    out = io.StringIO()
    moment = Moment(status, measured(), NAMES, 101.0, width=40)
    make_console(file=out, width=40).print(screen(moment))
    assert "Maren Holt" in out.getvalue()
    assert "battery" not in out.getvalue()
    assert "for 12 s" in out.getvalue().replace("\n", " ")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59.9, "59 s"), (152, "2 min 32 s"), (11_100, "3 h 5 min")],
)
def test_durations_are_told_as_people_do(seconds: float, told: str) -> None:
    assert duration(seconds) == told
