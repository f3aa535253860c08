"""One source at a time: which is shown, which counts, and who is told when that changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.asking import StartSessionParams
from strapline_protocol.opening import Role
from strapline_protocol.series import Counter
from strapline_protocol.watching import (
    BatteryData,
    HealthDataUpdate,
    HeartRateData,
    HistoryChange,
    HistoryChanged,
    StepsData,
)
from strapline_server.store import people
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.commit import Outcome, Run
from strapline_server.store.people import Grant, User
from strapline_server.store.saying import Saying
from strapline_server.store.sources import put_link, put_order, read_sources
from strapline_server.store.states import States
from strapline_server.store.telling import Past, Telling
from tests.unit.server.store_kit import (
    EPOCH,
    HOUR,
    NOON,
    OWN,
    Bench,
    series_of,
    stream_named,
    zero_at,
)

MINUTE = 60_000
#: Of each device its own bridge's stream.
STREAMS = {name: stream_named(name[0].upper()) for name in ("strap", "band", "watch", "pod")}


class House(Bench):
    """A wearer with several devices, each with a bridge and stream of its own."""

    pi: Grant
    user: User
    hops: dict[str, bool]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hops = {}
        self.run = Run(OWN, hop=lambda user, device: self.hops.get(device))
        self.add_user()
        self.pi = self.grant("pi", users=["ana"])
        found = people.find_user(self.transaction, "ana")
        assert found is not None
        self.user = found
        self._next = dict.fromkeys(STREAMS, 0)
        for stream in STREAMS.values():
            self.declare(self.pi, stream, zero_at(NOON))

    def take(self, device: str, value: float, at_ms: int | None = None, **columns: Any) -> Outcome:
        """One reading of a device, of now if not of then."""
        at = self.now_ms if at_ms is None else at_ms
        number = self._next[device]
        self._next[device] += 1
        series = series_of([value], [at - NOON], first=number, device=device, **columns)
        return self.publish(self.pi, STREAMS[device], series)

    def steps(self, device: str, total: int, at_ms: int | None = None) -> Outcome:
        counter = Counter(id=device, from_=1_000)
        return self.take(device, total, at_ms, metric="steps", counter=counter)

    def is_pushed(self, device: str, value: float, **columns: Any) -> bool:
        """Whether a reading of now goes out as the present."""
        message = self.take(device, value, **columns).changes[-1].message
        if isinstance(message, HistoryChanged):
            assert message.why is HistoryChange.OTHER_SOURCE
        return isinstance(message, HealthDataUpdate)

    def order(self, *devices: str, metric: str | None = None) -> list[Past]:
        """As another process does it."""
        with self.connection:
            pasts = put_order(self.transaction, self.user, metric, devices)
            self.leave(pasts)
        return pasts

    def link(self, device: str, strap: str | None) -> list[Past]:
        pasts = put_link(self.transaction, device, strap)
        self.leave(pasts)
        return pasts

    def leave(self, pasts: list[Past]) -> None:
        transaction = self.transaction
        states = States(transaction, Aggregates(transaction), lambda *_: None)
        telling = Telling(transaction, EPOCH, states)
        for past in pasts:
            telling.leave_untold(past)

    def sources(self, metric: str = "heart_rate") -> list[str]:
        return [one.device for one in read_sources(self.transaction, self.user, metric)]

    @property
    def rate(self) -> HeartRateData:
        data = self.state()["heart_rate"]
        assert isinstance(data, HeartRateData)
        return data

    @property
    def today(self) -> int | None:
        data = self.state()["steps"]
        assert isinstance(data, StepsData)
        return data.today


def test_two_bridges_that_hear_one_strap_count_it_once() -> None:
    house = House()
    for second in range(10):
        house.now_ms = NOON + second * 1_000
        assert house.is_pushed("strap", 60 + second)
        assert not house.is_pushed("band", 60 + second)
    assert house.rate.average == 64.5
    assert (house.rate.min, house.rate.max) == (60, 69)
    count = house.rows("SELECT sum(count) FROM minutes")
    assert count == [(20,)], "the other is stored and available"
    # It fills what the first has not, by the minute.
    house.now_ms = NOON + 3 * MINUTE
    assert house.is_pushed("band", 100)
    assert house.rate.average == 67.7


@pytest.mark.parametrize(("silent_ms", "yields"), [(4_900, False), (5_100, True)])
def test_the_shown_source_yields_after_five_seconds_of_silence(
    silent_ms: int, yields: bool
) -> None:
    house = House()
    house.take("strap", 60)
    house.now_ms = NOON + silent_ms
    assert house.is_pushed("watch", 90) is yields
    assert house.rate.current == (90 if yields else 60)
    # It comes back, and is the one at once.
    assert house.is_pushed("strap", 61)
    house.now_ms += 1_000
    assert not house.is_pushed("watch", 91)
    assert house.rate.current == 61


def test_who_knows_contact_comes_before_who_came_first() -> None:
    house = House()
    for second in range(3):
        house.now_ms = NOON + second * 1_000
        house.take("watch", 90)
        house.take("strap", 60)
    assert (house.sources(), house.rate.average) == (["watch", "strap"], 90)
    house.now_ms += 1_000
    outcome = house.take("strap", 63, contact=[True])
    changed, update = (change.message for change in outcome.changes)
    assert isinstance(changed, HistoryChanged)
    assert isinstance(update, HealthDataUpdate)
    # All of the minute that both have is another's now.
    assert (changed.why, changed.count) == (HistoryChange.OTHER_SOURCE, 7)
    assert (changed.from_ms, changed.to_ms) == (NOON, NOON + MINUTE)
    assert (update.position[1], update.previous) == (changed.position[1] + 1, changed.position)
    assert changed.data == update.data
    assert (house.sources(), house.rate.average, house.rate.current) == (
        ["strap", "watch"],
        60.8,
        63,
    )
    # It is told once; that a strap is off the body is knowing it too.
    assert len(house.take("strap", 64, contact=[False]).changes) == 1
    assert not house.is_pushed("watch", 90)


def test_contact_that_is_not_known_is_no_knowledge() -> None:
    house = House()
    house.take("watch", 90)
    house.take("strap", 60, contact=[None])
    assert house.sources() == ["watch", "strap"]
    house.take("pod", 70, contact=[False])
    assert house.sources() == ["pod", "watch", "strap"]


def test_a_source_that_speaks_on_change_stays_while_it_is_connected() -> None:
    house = House()
    house.take("watch", 50, on_change=True)
    house.hops = {"watch": True}
    house.now_ms = NOON + HOUR
    assert not house.is_pushed("strap", 90)
    house.hops = {"watch": False}
    house.now_ms += 1_000
    assert house.is_pushed("strap", 91)
    # Where no bridge says, it is believed for five minutes.
    house.hops = {}
    house.take("watch", 51, on_change=True)
    house.now_ms += 299_999
    assert not house.is_pushed("strap", 92)
    house.now_ms += 1
    assert house.is_pushed("strap", 93)


def test_a_days_steps_are_of_one_device_however_long_it_is_silent() -> None:
    house = House()
    house.steps("pod", 1_200)
    house.now_ms = NOON + HOUR
    outcome = house.steps("watch", 5_000)
    assert isinstance(outcome.changes[0].message, HistoryChanged)
    assert house.today == 200
    assert isinstance(house.steps("pod", 1_300).changes[0].message, HealthDataUpdate)
    assert house.today == 300
    # On the next day the one that comes first of those that counted on it.
    house.now_ms = NOON + 24 * HOUR
    assert isinstance(house.steps("watch", 5_500).changes[0].message, HealthDataUpdate)
    assert house.today == 500
    update, changed = (change.message for change in house.steps("pod", 1_310).changes)
    assert house.today == 10
    # All of that day is another's now; in Vienna it began at 23:00 UTC.
    assert isinstance(update, HealthDataUpdate)
    assert isinstance(changed, HistoryChanged)
    assert (changed.why, changed.count) == (HistoryChange.OTHER_SOURCE, 2)
    assert (changed.from_ms, changed.to_ms) == (NOON + 11 * HOUR, NOON + 35 * HOUR)
    assert len(house.steps("pod", 1_320).changes) == 1
    assert len(house.steps("watch", 5_600).changes) == 1


def test_an_order_set_in_mid_day_is_that_of_the_whole_day_and_is_told() -> None:
    house = House()
    house.steps("pod", 1_200)
    house.steps("watch", 1_750)
    for second in range(4):
        house.now_ms = NOON + second * 1_000
        house.take("strap", 60)
        house.take("watch", 90)
    assert (house.today, house.rate.average) == (200, 60)
    (rates, steps) = house.order("watch")
    assert (rates.metric, rates.from_ms, rates.to_ms, rates.count) == (
        "heart_rate",
        NOON,
        NOON + MINUTE,
        8,
    )
    assert (steps.metric, steps.count) == ("steps", 2)
    assert (house.today, house.rate.average) == (750, 90)
    # The server finds it before what it commits next, in order of position.
    house.now_ms += 1_000
    outcome = house.take("watch", 94)
    told = [(one.metric, one.message.position[1]) for one in outcome.changes]
    first = told[0][1]
    assert told == [("heart_rate", first), ("steps", first + 1), ("heart_rate", first + 2)]
    before, _, update = (one.message for one in outcome.changes)
    assert isinstance(before, HistoryChanged)
    assert before.why is HistoryChange.OTHER_SOURCE
    assert update.previous == before.position
    assert isinstance(update, HealthDataUpdate)
    assert isinstance(update.data, HeartRateData)
    assert update.data.average == 90.8
    assert house.rows("SELECT * FROM untold") == []
    assert len(house.take("watch", 94).changes) == 1
    # Taken back, it is the rules' again; set again as it is, it changes nothing.
    assert [past.metric for past in house.order()] == ["heart_rate", "steps"]
    assert house.order() == []
    assert house.today == 200


def test_a_session_that_runs_counts_by_the_new_order_too() -> None:
    house = House()
    coach = house.grant("coach", Role.VIEWER, may_mark=True)
    house.commit(Saying(coach, StartSessionParams(user="ana", name="ride")))
    house.take("strap", 60)
    house.take("watch", 90)
    assert (house.rate.over, house.rate.average) == ("session", 60)
    house.order("watch")
    message = house.take("watch", 92).changes[-1].message
    assert isinstance(message.data, HeartRateData)
    assert (message.data.over, message.data.average) == ("session", 91)


def test_a_metrics_own_order_stands_in_place_of_the_one_for_all() -> None:
    house = House()
    for device in ("strap", "band", "watch"):
        house.take(device, 60)
    house.order("watch", "band")
    assert house.sources() == ["watch", "band", "strap"]
    house.order("band", metric="heart_rate")
    assert house.sources() == ["band", "strap", "watch"]
    house.order("strap", "watch")
    assert house.sources() == ["band", "strap", "watch"]
    house.order(metric="heart_rate")
    assert house.sources() == ["strap", "watch", "band"]
    # A device that comes later takes the place that it was given.
    house.take("watch", 60, metric="cadence")
    house.take("strap", 60, metric="cadence")
    assert house.sources("cadence") == ["strap", "watch"]


def test_ids_of_one_strap_stand_together_and_count_as_one() -> None:
    house = House()
    house.take("strap", 60)
    house.take("watch", 90)
    house.take("band", 61)
    house.take("strap", 80, metric="battery")
    house.now_ms += 1_000
    house.take("band", 79, metric="battery")
    battery = house.state()["battery"]
    assert isinstance(battery, BatteryData)
    assert len(battery.devices) == 2
    assert [past.metric for past in house.link("band", "strap")] == ["battery", "heart_rate"]
    assert house.sources() == ["strap", "band", "watch"]
    battery = house.state()["battery"]
    assert isinstance(battery, BatteryData)
    assert [(one.device, one.value) for one in battery.devices] == [("band", 79)]
    # Silent on one bridge, it is heard by the other before any watch is.
    house.now_ms = NOON + 5_500
    house.take("watch", 91)
    assert house.is_pushed("band", 62)
    house.order("watch", "band")
    assert house.sources() == ["watch", "band", "strap"]
    assert [past.metric for past in house.link("band", None)] == ["battery", "heart_rate"]
    house.order()
    assert house.sources() == ["strap", "watch", "band"]


def test_a_strap_that_is_linked_takes_its_ids_with_it() -> None:
    house = House()
    for device in ("pod", "strap", "watch", "band"):
        house.take(device, 60)
    house.link("band", "watch")
    house.link("watch", "strap")
    assert house.sources() == ["pod", "strap", "watch", "band"]
    house.order("band")
    assert house.sources() == ["band", "strap", "watch", "pod"]
    house.link("strap", None)
    house.order()
    assert house.sources() == ["pod", "strap", "watch", "band"]
    house.order("band")
    assert house.sources() == ["band", "watch", "pod", "strap"]


# Against an oracle that is obvious

DEVICES = ["strap", "watch", "band"]
#: ms since the last, device, what it knows of contact, whether the hop of the on-change one stands.
SPOKEN = st.tuples(
    st.sampled_from([0, 100, 900, 2_400, 4_999, 5_000, 5_001, 400_000]),
    st.sampled_from(DEVICES),
    st.sampled_from([None, True, False]),
    st.sampled_from([True, False]),
)


@dataclass
class Oracle:
    """What is shown, straight from the rule."""

    preferred: list[str]
    on_change: str
    last: dict[str, int] = field(default_factory=dict)
    knows: set[str] = field(default_factory=set)

    def order(self) -> list[str]:
        first_sight = list(self.last)
        return sorted(
            first_sight,
            key=lambda device: (
                self.preferred.index(device) if device in self.preferred else len(DEVICES),
                device not in self.knows,
                first_sight.index(device),
            ),
        )

    def shown(self, now_ms: int, stands: bool) -> str:
        for device in self.order():
            if device == self.on_change and stands:
                return device
            if now_ms - self.last[device] < 5_000:
                return device
        return max(self.order(), key=lambda device: self.last[device])


@given(
    st.lists(SPOKEN, min_size=1, max_size=30),
    st.permutations(DEVICES),
    st.integers(0, 3),
    st.sampled_from([*DEVICES, "none of them"]),
)
def test_which_source_is_shown_at_each_moment(
    spoken: list[tuple[int, str, bool | None, bool]],
    preference: list[str],
    length: int,
    on_change: str,
) -> None:
    house = House()
    oracle = Oracle(preference[:length], on_change)
    for device in DEVICES:
        house.transaction.one("insert_device", id=device)
    house.order(*oracle.preferred)
    for step_ms, device, contact, stands in spoken:
        house.now_ms += step_ms
        house.hops = {on_change: stands}
        columns = {"contact": [contact], "on_change": device == on_change}
        oracle.last[device] = house.now_ms
        if contact is not None:
            oracle.knows.add(device)
        shown = oracle.shown(house.now_ms, stands)
        assert house.is_pushed(device, 60 + DEVICES.index(device), **columns) is (device == shown)
        assert house.sources() == oracle.order()


@given(
    st.lists(st.tuples(st.sampled_from(["strap", "watch", "band"]), st.integers(0, 300))),
)
def test_what_is_told_of_another_order_is_never_narrower_than_what_changes(
    readings: list[tuple[str, int]],
) -> None:
    house = House()
    # Each is known, and has something that no other has an hour of.
    for days, device in enumerate(("strap", "watch", "band"), 1):
        house.take(device, 60, NOON - days * 24 * HOUR)
    minutes: dict[int, set[str]] = {}
    for device, minute in readings:
        house.take(device, 60, NOON + minute * MINUTE)
        minutes.setdefault(minute, set()).add(device)
    shared = [NOON + minute * MINUTE for minute, devices in minutes.items() if len(devices) > 1]
    (told,) = house.order("band")
    hours: dict[int, set[str]] = {}
    for minute, devices in minutes.items():
        hours.setdefault(minute // 60, set()).update(devices)
    common = [NOON + hour * HOUR for hour, devices in hours.items() if len(devices) > 1]
    if not common:
        assert (told.from_ms, told.to_ms, told.count) == (house.now_ms, house.now_ms, 0)
        return
    assert min(common) <= told.from_ms <= min(shared, default=told.from_ms)
    assert max(shared, default=0) + MINUTE <= told.to_ms <= max(common) + HOUR
    assert told.count >= sum(NOON + minute * MINUTE in shared for _, minute in readings)
