"""Polling: totals each minute, the rest each ten, doubtful ones early and then seldom."""

from __future__ import annotations

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.service import BleakGATTService

from strapline_bridge.radio.arming import Armed
from strapline_bridge.radio.polls import Polls
from strapline_bridge.radio.timing import Timing
from tests.unit.bridge.radio_fakes import BATTERY, STEPS, STEPS_SERVICE

_S = 1_000_000_000


def _characteristic(uuid: str) -> BleakGATTCharacteristic:
    service = BleakGATTService(None, 1, STEPS_SERVICE)
    return BleakGATTCharacteristic(None, 2, uuid, ["read"], lambda: 20, service)


_BATTERY, _STEPS = _characteristic(BATTERY), _characteristic(STEPS)


def _polls() -> Polls:
    return Polls(Timing(), frozenset({STEPS}), began_ns=1_000 * _S)


def test_totals_are_read_each_minute_and_the_rest_each_ten() -> None:
    polls, armed = _polls(), Armed(polled=[_BATTERY, _STEPS])
    read = {
        at_s: [one.uuid for one in polls.due(armed, (1_000 + at_s) * _S)]
        for at_s in range(0, 1_261, 30)
    }
    assert [at_s for at_s, uuids in read.items() if STEPS in uuids] == list(range(60, 1_261, 60))
    assert [at_s for at_s, uuids in read.items() if BATTERY in uuids] == [600, 1_200]


def test_a_link_without_totals_wakes_seldom() -> None:
    polls = _polls()
    assert polls.shortest_s(Armed(polled=[_BATTERY])) == 600
    assert polls.shortest_s(Armed(polled=[_BATTERY, _STEPS])) == 60
    assert polls.shortest_s(Armed(doubtful=[_STEPS])) == 60


def test_what_may_not_notify_is_looked_at_after_a_minute_and_then_each_ten() -> None:
    polls, armed = _polls(), Armed(doubtful=[_STEPS])
    looked = [
        at_s
        for at_s in range(0, 1_501, 30)
        if polls.doubtful_due(armed, (1_000 + at_s) * _S) == [_STEPS]
    ]
    assert looked == [60, 660, 1_260]


def test_nothing_is_due_where_nothing_is_polled() -> None:
    polls = _polls()
    assert polls.due(Armed(), 10**6 * _S) == []
    assert polls.doubtful_due(Armed(), 10**6 * _S) == []
