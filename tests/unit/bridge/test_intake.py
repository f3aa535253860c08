"""The intake: whose, when and what, and that no packet ends the run."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.decoders import (
    DECODERS,
    DESCRIPTIONS,
    Decoder,
    battery,
    heart_rate,
    huami,
    infinitime,
    running,
    step_climber,
)
from strapline_bridge.decoders.describing import BODY_LOCATION, FIRMWARE, MAKER, MODEL
from strapline_bridge.intake import Arrived, Described, Intake
from strapline_bridge.radio import LinkChange, LinkState, Notification
from strapline_bridge.readings import Reading
from strapline_bridge.steps import Counter, StepState

_S = 1_000_000_000


class _Wall:
    def now_ms(self) -> int:
        return 1_700_000_000_000


class _Bench:
    """An intake with its delivery in a list."""

    def __init__(
        self,
        remembered: dict[str, StepState] | None = None,
        decoders: dict[str, Decoder] | None = None,
    ) -> None:
        self.wearers = {"strap": "ada", "watch": "bob"}
        self.delivered: list[Arrived | LinkChange | Described] = []
        self.intake = Intake(
            self.wearers.get,
            self.delivered.append,
            remembered or {},
            boot_id="b1",
            wall_clock=_Wall(),
            decoders=decoders or DECODERS,
        )

    def hear(
        self, characteristic: str, value: str, *, device: str = "strap", at_s: int = 1
    ) -> None:
        self.intake(Notification(device, characteristic, bytes.fromhex(value), at_s * _S))

    @property
    def readings(self) -> list[Arrived]:
        return [one for one in self.delivered if isinstance(one, Arrived)]


def _steps(total: int) -> str:
    return total.to_bytes(4, "little").hex()


def test_a_notification_becomes_a_reading_of_its_wearer() -> None:
    bench = _Bench()
    bench.hear(heart_rate.CHARACTERISTIC, "164f0203", at_s=7)
    assert bench.delivered == [
        Arrived(
            user="ada",
            device="strap",
            boot_ns=7 * _S,
            reading=Reading("heart_rate", 79, {"contact": True, "rr": [770]}, ()),
        )
    ]


def test_a_strap_that_changes_hands_gives_each_what_was_theirs() -> None:
    bench = _Bench()
    bench.hear(heart_rate.CHARACTERISTIC, "0048")
    bench.wearers["strap"] = "bob"
    bench.hear(heart_rate.CHARACTERISTIC, "0049")
    assert [(one.user, one.reading.value) for one in bench.readings] == [("ada", 72), ("bob", 73)]


def test_values_sent_on_change_say_so() -> None:
    bench = _Bench()
    bench.hear(battery.CHARACTERISTIC, "40")
    bench.hear(heart_rate.CHARACTERISTIC, "0048")
    assert [one.on_change for one in bench.readings] == [True, False]


def test_a_watch_that_speaks_on_change_marks_its_heart_rate_too() -> None:
    bench = _Bench()
    bench.intake(Notification("watch", heart_rate.CHARACTERISTIC, b"\0\x48", _S, True))
    assert bench.readings[0].on_change


def test_a_heart_whose_beats_are_told_is_not_on_change() -> None:
    bench = _Bench()
    for value in (b"\x10\x48\x00\x04", b"\0\x48"):
        bench.intake(Notification("strap", heart_rate.CHARACTERISTIC, value, _S, True))
    assert [one.on_change for one in bench.readings] == [False, False]


def test_links_pass_through_in_order() -> None:
    bench = _Bench()
    change = LinkChange("strap", LinkState.CONNECTED, 1)
    bench.intake(change)
    bench.hear(heart_rate.CHARACTERISTIC, "0048")
    assert bench.delivered[0] is change
    assert len(bench.delivered) == 2


def test_a_bad_value_is_counted_by_characteristic(caplog: pytest.LogCaptureFixture) -> None:
    bench = _Bench()
    with caplog.at_level(logging.WARNING):
        for _ in range(9):
            bench.hear(heart_rate.CHARACTERISTIC, "0112")
        bench.hear(battery.CHARACTERISTIC, "65")
    assert bench.delivered == []
    assert bench.intake.undecodable == {heart_rate.CHARACTERISTIC: 9, battery.CHARACTERISTIC: 1}
    assert len(caplog.records) == 5
    assert "a 16-bit rate is cut off" in caplog.text


def test_an_unknown_characteristic_is_counted_as_one() -> None:
    bench = _Bench()
    bench.hear("00002a00-0000-1000-8000-00805f9b34fb", "00")
    bench.hear("00002a01-0000-1000-8000-00805f9b34fb", "00")
    assert bench.intake.undecodable == {"unknown": 2}


def test_a_device_that_nobody_wears_is_counted_and_not_kept() -> None:
    bench = _Bench()
    bench.hear(heart_rate.CHARACTERISTIC, "0048", device="stranger")
    assert bench.delivered == []
    assert bench.intake.unclaimed == 1


def test_a_decoders_bug_costs_one_reading(caplog: pytest.LogCaptureFixture) -> None:
    def broken(value: bytes) -> Reading:
        raise ZeroDivisionError

    uuid = heart_rate.CHARACTERISTIC
    bench = _Bench(
        decoders={
            uuid: Decoder(uuid, heart_rate.SERVICE, "heart_rate", broken),
            battery.CHARACTERISTIC: DECODERS[battery.CHARACTERISTIC],
        }
    )
    bench.hear(uuid, "0048")
    bench.hear(battery.CHARACTERISTIC, "40")
    assert [one.reading.metric for one in bench.readings] == ["battery"]
    assert bench.intake.undecodable == {uuid: 1}
    assert "ZeroDivisionError" in caplog.text


@given(st.sampled_from(sorted({*DECODERS, *DESCRIPTIONS})), st.binary(max_size=40))
def test_no_bytes_raise(characteristic: str, value: bytes) -> None:
    bench = _Bench()
    bench.intake(Notification("strap", characteristic, value, 1))
    # A refused value brings nothing; one that is understood may hold several readings, or none.
    refused = sum(bench.intake.undecodable.values())
    assert refused in {0, 1}
    assert not (refused and bench.delivered)


def test_steps_are_counted_from_first_sight() -> None:
    bench = _Bench()
    for total, at_s in [(5_000, 1), (5_010, 11), (3, 20)]:
        bench.hear(infinitime.CHARACTERISTIC, _steps(total), device="watch", at_s=at_s)
    first, second, third = bench.readings
    assert first.counter is not None
    assert first.counter.counted_from == 5_000
    assert second.counter == first.counter
    assert third.counter is not None
    assert third.counter.counted_from == 0
    assert third.counter.id != first.counter.id
    assert [one.reading.value for one in bench.readings] == [5_000, 5_010, 3]
    assert third.step_state == StepState(
        "watch",
        "bob",
        3,
        third.counter,
        1_700_000_000_000,
        20 * _S,
        "b1",
        infinitime.CHARACTERISTIC,
    )


def test_steps_go_on_where_the_last_run_stopped() -> None:
    counter = Counter("old", 1_000)
    remembered = StepState("watch", "bob", 5_000, counter, 1_699_999_000_000, 9_000 * _S, "b0")
    bench = _Bench({"watch": remembered})
    bench.hear(infinitime.CHARACTERISTIC, _steps(5_200), device="watch")
    bench.hear(infinitime.CHARACTERISTIC, _steps(5_210), device="watch", at_s=9)
    assert [one.counter for one in bench.readings] == [counter, counter]
    assert [one.reading.quality for one in bench.readings] == [("afterGap",), ()]


def test_steps_after_a_lost_link_are_marked_once() -> None:
    bench = _Bench()
    bench.hear(infinitime.CHARACTERISTIC, _steps(100), device="watch")
    bench.intake(LinkChange("watch", LinkState.SEARCHING, 2 * _S))
    bench.intake(LinkChange("watch", LinkState.CONNECTED, 90 * _S))
    bench.hear(infinitime.CHARACTERISTIC, _steps(140), device="watch", at_s=91)
    bench.hear(infinitime.CHARACTERISTIC, _steps(145), device="watch", at_s=95)
    assert [one.reading.quality for one in bench.readings] == [(), ("afterGap",), ()]


def test_steps_of_a_new_wearer_start_from_the_present_total() -> None:
    bench = _Bench()
    bench.hear(infinitime.CHARACTERISTIC, _steps(5_000), device="watch")
    bench.wearers["watch"] = "ada"
    bench.hear(infinitime.CHARACTERISTIC, _steps(5_010), device="watch", at_s=9)
    theirs = bench.readings[1]
    assert theirs.user == "ada"
    assert theirs.counter is not None
    assert theirs.counter.counted_from == 5_010


def test_too_many_steps_are_stored_and_marked() -> None:
    bench = _Bench()
    bench.hear(infinitime.CHARACTERISTIC, _steps(100), device="watch")
    bench.hear(infinitime.CHARACTERISTIC, _steps(100_000), device="watch", at_s=2)
    assert bench.readings[1].reading.quality == ("implausible",)
    assert bench.readings[1].reading.value == 100_000


def test_one_notification_may_hold_several_readings() -> None:
    bench = _Bench()
    bench.hear(running.CHARACTERISTIC, "07000312560010270000")
    speed, cadence, steps, distance = bench.readings
    assert [(one.reading.metric, one.reading.value) for one in bench.readings] == [
        ("speed", 3.0),
        ("cadence", 18),
        ("steps", 0),
        ("distance", 1_000.0),
    ]
    assert {one.boot_ns for one in bench.readings} == {_S}
    assert steps.reading.quality == ("derived",)
    assert steps.counter is not None
    assert steps.counter.counted_from == 0
    assert steps.on_change
    assert speed.counter is cadence.counter is distance.counter is None


def test_a_notification_without_a_value_brings_no_reading() -> None:
    bench = _Bench()
    bench.hear(step_climber.CHARACTERISTIC, "410050")
    assert bench.delivered == []
    assert bench.intake.undecodable == {}


def test_a_wearable_that_counts_is_not_counted_twice() -> None:
    bench = _Bench()
    bench.hear(running.CHARACTERISTIC, "000003b4", at_s=1)
    bench.hear(running.CHARACTERISTIC, "000003b4", at_s=2)
    bench.hear(huami.CHARACTERISTIC, "0072010000", at_s=3)
    bench.hear(running.CHARACTERISTIC, "000003b4", at_s=4)
    bench.hear(infinitime.CHARACTERISTIC, _steps(7), at_s=5)
    steps = [one for one in bench.readings if one.reading.metric == "steps"]
    assert [(one.reading.value, one.reading.quality) for one in steps] == [
        (0, ("derived",)),
        (3, ("derived",)),
        (370, ()),
    ]
    assert steps[2].counter is not None
    assert steps[2].counter.counted_from == 370
    assert bench.intake.counting.superseded == 2


def test_a_rate_that_stands_still_off_the_body_is_marked() -> None:
    bench = _Bench()
    for at_s in range(1, 13):
        bench.hear(heart_rate.CHARACTERISTIC, "0448", at_s=at_s)
    marks = [one.reading.quality for one in bench.readings]
    assert marks[:10] == [("noContact",)] * 10
    assert marks[10:] == [("noContact", "frozen")] * 2


def test_a_link_that_ends_is_no_standing_still() -> None:
    bench = _Bench()
    for at_s in range(1, 9):
        bench.hear(heart_rate.CHARACTERISTIC, "0448", at_s=at_s)
    bench.intake(LinkChange("strap", LinkState.SEARCHING, 9 * _S))
    for at_s in range(10, 18):
        bench.hear(heart_rate.CHARACTERISTIC, "0448", at_s=at_s)
    assert {one.reading.quality for one in bench.readings} == {("noContact",)}


def test_what_a_wearable_says_of_itself_is_passed_on_where_it_may_be() -> None:
    bench = _Bench()
    bench.hear(MODEL, b"H10\0rest".hex())
    bench.hear(BODY_LOCATION, "01")
    bench.hear(FIRMWARE, b"5.0.1-00A1B2C3D4 1234567".hex())  # holds what may be a serial number
    bench.hear(MAKER, b"Somebody Oy".hex())
    assert bench.delivered == [
        Described("strap", "model", "H10"),
        Described("strap", "body_location", "chest"),
    ]
    bench.hear(BODY_LOCATION, "07")
    assert bench.intake.undecodable == {BODY_LOCATION: 1}
