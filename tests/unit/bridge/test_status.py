"""What a bridge tells of its wearables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strapline_bridge.intake import Arrived, Described
from strapline_bridge.outbox.outbox import OutboxStatus
from strapline_bridge.outbox.rows import rows_of
from strapline_bridge.outbox.writer import Counters
from strapline_bridge.radio import LinkChange, LinkState
from strapline_bridge.readings import Reading
from strapline_bridge.status import BridgeStatus, DeviceBoard
from strapline_bridge.uplink import UplinkState
from strapline_bridge.wearables import Wearable
from strapline_protocol.publishing import (
    ClockSource,
    ClockStatus,
    DeviceAbout,
    DeviceState,
    DeviceStatus,
    Moment,
)
from tests.integration.bridge_kit import DEVICE, a_reading

_MS = 1_000_000
_STREAM = "s" * 22


def a_wearable(name: str = "Anna's strap") -> Wearable:
    return Wearable(
        device=DEVICE, addresses=("AA:BB:CC:DD:EE:FF",), user="anna", name=name, added_at=1
    )


def described(
    board: DeviceBoard, now_ms: int = 1_000, oldest: Moment | None = None, name: str = "strap"
) -> DeviceStatus:
    (status,) = board.describe([a_wearable(name)], now_ms * _MS, oldest)
    return status


def linked(state: LinkState, at_ms: int) -> LinkChange:
    return LinkChange(DEVICE, state, at_ms * _MS)


def with_contact(contact: bool, at_ms: int) -> Arrived:
    reading = Reading("heart_rate", 60, {"contact": contact}, () if contact else ("noContact",))
    return replace(a_reading(boot_ns=at_ms * _MS), reading=reading)


def test_a_wearable_is_looked_for_from_the_start() -> None:
    status = described(DeviceBoard(200 * _MS))
    assert (status.state, status.state_age_ms) == (DeviceState.SEARCHING, 800)
    assert (status.battery, status.last, status.complete_through) == (None, None, None)


def test_its_state_has_the_age_of_the_last_change() -> None:
    board = DeviceBoard(0)
    assert board.link_changed(linked(LinkState.CONNECTED, 300))
    assert not board.link_changed(linked(LinkState.CONNECTED, 400))
    status = described(board)
    assert (status.state, status.state_age_ms) == (DeviceState.CONNECTED, 700)


def test_contact_decides_whether_it_is_worn_and_a_lost_link_outweighs_it() -> None:
    board = DeviceBoard(0)
    board.link_changed(linked(LinkState.CONNECTED, 100))
    assert not board.arrived(with_contact(True, 200))
    assert board.arrived(with_contact(False, 300))
    assert not board.arrived(with_contact(False, 400))
    status = described(board)
    assert (status.state, status.state_age_ms) == (DeviceState.NOT_WORN, 700)
    assert board.arrived(with_contact(True, 500))
    assert described(board).state is DeviceState.CONNECTED
    board.arrived(with_contact(False, 600))
    board.link_changed(linked(LinkState.SEARCHING, 700))
    assert not board.arrived(with_contact(False, 800))
    assert described(board).state is DeviceState.SEARCHING


@pytest.mark.parametrize(("level", "told"), [(0, 0), (77, 77), (100, 100), (101, None)])
def test_the_battery_is_told_where_it_can_be_true(level: int, told: int | None) -> None:
    board = DeviceBoard(0)
    board.arrived(a_reading(level, metric="battery"))
    assert described(board).battery == told
    assert not board.arrived(a_reading(level, metric="battery")) or told is None


def test_complete_through_is_the_last_reading_or_just_before_the_oldest_pending() -> None:
    board = DeviceBoard(0)
    arrivals = [a_reading(60, boot_ns=1_500 * _MS), a_reading(61, boot_ns=2_500 * _MS)]
    board.committed(rows_of(arrivals, stream=_STREAM, next_seq=0, zero_ns=0))
    last = Moment(stream=_STREAM, elapsed_ms=2_500)
    assert described(board).last == last
    assert described(board).complete_through == last
    oldest = Moment(stream="e" * 22, elapsed_ms=900)
    pending = described(board, oldest=oldest)
    assert pending.last == last
    assert pending.complete_through == Moment(stream="e" * 22, elapsed_ms=899)


def test_a_statement_about_a_silence_is_no_word_of_the_device() -> None:
    board = DeviceBoard(0)
    board.committed(
        rows_of([a_reading(60, boot_ns=1_500 * _MS)], stream=_STREAM, next_seq=0, zero_ns=0)
    )
    columns = {"durationMs": 60_000, "cause": "silent", "evidence": "linked"}
    gap = replace(a_reading(boot_ns=1_500 * _MS), reading=Reading("gap", None, columns))
    later = replace(gap, boot_ns=61_500 * _MS)
    board.committed(rows_of([gap, later], stream=_STREAM, next_seq=1, zero_ns=0))
    assert described(board).last == Moment(stream=_STREAM, elapsed_ms=1_500)
    assert not board.arrived(gap)


def test_an_owner_who_names_a_strap_by_its_address_keeps_it_to_himself() -> None:
    board = DeviceBoard(0)
    assert described(board, name="Anna's strap").name == "Anna's strap"
    assert described(board, name="AA:BB:CC:DD:EE:FF").name == "wearable"
    assert described(board, name="my aa-bb-cc-dd-ee-ff").name == "wearable"


def test_a_wearable_that_was_removed_begins_anew() -> None:
    board = DeviceBoard(0)
    board.link_changed(linked(LinkState.CONNECTED, 100))
    board.forget(DEVICE)
    board.forget("unknown")
    assert described(board).state is DeviceState.SEARCHING


def test_the_message_holds_no_more_than_the_protocol_has_fields_for() -> None:
    status = BridgeStatus(
        devices=[described(DeviceBoard(0))],
        pending=3,
        oldest_pending_ms=4,
        clock=ClockStatus(source=ClockSource.SERVER, uncertainty_ms=5),
        outbox=OutboxStatus(3, 0, 0, 0, 100, "disk full", Counters()),
        uplink=UplinkState(),
        problem="no adapter",
    )
    message = status.message("r1")
    assert (message.pending, message.oldest_pending_ms, message.request) == (3, 4, "r1")
    assert "disk full" not in message.model_dump_json()
    assert status.message().request is None


def test_what_a_wearable_says_of_itself_is_told_once() -> None:
    board = DeviceBoard(0)
    assert described(board).about is None
    assert board.described(Described(DEVICE, "model", "H10"))
    assert board.described(Described(DEVICE, "body_location", "earLobe"))
    assert not board.described(Described(DEVICE, "model", "H10"))
    assert described(board).about == DeviceAbout(model="H10", body_location="earLobe")


def test_what_looks_like_an_address_is_not_told() -> None:
    board = DeviceBoard(0)
    assert not board.described(Described(DEVICE, "model", "AA:BB:CC:DD:EE:FF"))
    assert described(board).about is None
