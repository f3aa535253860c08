"""The intake: whose, when and what, and that no packet ends the run."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.decoders import DECODERS, Decoder, battery, heart_rate, infinitime
from strapline_bridge.intake import Arrived, Intake
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
        self.delivered: list[Arrived | LinkChange] = []
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


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=40))
def test_no_bytes_raise(characteristic: str, value: bytes) -> None:
    bench = _Bench()
    bench.intake(Notification("strap", characteristic, value, 1))
    assert len(bench.delivered) + sum(bench.intake.undecodable.values()) == 1


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
        "watch", "bob", 3, third.counter, 1_700_000_000_000, 20 * _S, "b1"
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
