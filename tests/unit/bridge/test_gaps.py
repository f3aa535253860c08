"""Spells of all wearables: what is told, of whom, and that it is exactly the silences."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.gaps import GapWatch
from strapline_bridge.intake import Arrived
from strapline_bridge.radio import AdapterChange, Heard, LinkChange, LinkState
from strapline_bridge.readings import Quality, Reading
from strapline_protocol.gaps import longest_pause_ms, silences

_ZERO_NS = 7_123_456_789
_DEVICE = "d"


@dataclass
class _Watch:
    """A watch, told what happens at which second."""

    slept_ns: int = 0
    told: list[Arrived] = field(default_factory=list)
    watch: GapWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = GapWatch(_ZERO_NS, self._slept)
        self._take(self.watch.worn(_DEVICE, "anna", self.ns(0)))

    def _slept(self) -> int:
        slept, self.slept_ns = self.slept_ns, 0
        return slept

    def _take(self, told: Sequence[Arrived]) -> None:
        self.told += told

    @staticmethod
    def ns(second: float) -> int:
        return _ZERO_NS + round(second * 1_000) * 1_000_000

    def link(self, second: float, state: LinkState) -> None:
        self._take(self.watch.link_changed(LinkChange(_DEVICE, state, self.ns(second))))

    def beat(self, second: float, *, contact: bool | None = None, device: str = _DEVICE) -> None:
        columns = {} if contact is None else {"contact": contact}
        reading = Reading("heart_rate", 60, columns)
        self._take(self.watch.arrived(Arrived("anna", device, self.ns(second), reading)))

    def battery(self, second: float, percent: int) -> None:
        reading = Reading("battery", percent)
        arrived = Arrived("anna", _DEVICE, self.ns(second), reading, on_change=True)
        self._take(self.watch.arrived(arrived))

    def beats(self, first: int, last: int) -> None:
        for second in range(first, last + 1):
            self.beat(second)

    def live(self) -> None:
        """Linked and beating until second 10."""
        self.link(0.2, LinkState.CONNECTED)
        self.beats(1, 10)

    def look(self, second: float) -> None:
        self._take(self.watch.look(self.ns(second)))

    def notice(self, notice: Heard | AdapterChange) -> None:
        self._take(self.watch.noticed(notice))

    def spells(self, device: str = _DEVICE) -> list[tuple[float, float, object, object]]:
        return [
            (
                (one.boot_ns - _ZERO_NS) / 1e9,
                (one.boot_ns - _ZERO_NS) / 1e9 + _length_ms(one) / 1e3,
                one.reading.columns["cause"],
                one.reading.columns["evidence"],
            )
            for one in self.told
            if one.device == device
        ]


def _length_ms(one: Arrived) -> int:
    length = one.reading.columns["durationMs"]
    assert isinstance(length, int)
    return length


def test_a_statement_is_a_reading_without_a_value() -> None:
    watch = _Watch()
    watch.live()
    watch.beat(20)
    (told,) = watch.told
    assert (told.user, told.device, told.reading.metric) == ("anna", _DEVICE, "gap")
    assert told.reading.value is None
    assert not told.on_change
    assert watch.spells() == [(10, 20, "silent", "linked")]


def test_a_live_strap_costs_no_statement() -> None:
    watch = _Watch()
    watch.live()
    for second in range(11, 600):
        watch.beat(second)
        watch.look(second)
    assert watch.told == []


def test_a_lost_link_that_comes_back() -> None:
    watch = _Watch()
    watch.live()
    watch.link(14, LinkState.SEARCHING)
    watch.notice(Heard(_DEVICE, watch.ns(20)))
    watch.link(21.5, LinkState.CONNECTED)
    watch.beat(23)
    assert watch.spells() == [
        (10, 14, "silent", "linked"),
        (14, 21.5, "radioLost", "heard"),
        (21.5, 23, "silent", "linked"),
    ]


def test_off_the_skin() -> None:
    watch = _Watch()
    watch.live()
    watch.beat(11, contact=False)
    watch.link(56, LinkState.SEARCHING)
    watch.look(75)
    assert watch.spells() == [(11, 75, "notWorn", "contact")]


def test_the_mark_tells_of_no_contact_too() -> None:
    watch = _Watch()
    watch.live()
    reading = Reading("heart_rate", 0, quality=(Quality.NO_CONTACT,))
    watch.watch.arrived(Arrived("anna", _DEVICE, watch.ns(11), reading))
    watch.look(75)
    assert watch.spells() == [(11, 75, "notWorn", "contact")]


def test_an_adapter_that_is_away() -> None:
    watch = _Watch()
    watch.live()
    watch.link(14, LinkState.SEARCHING)
    watch.notice(AdapterChange(away=True, boot_ns=watch.ns(14.01)))
    watch.look(75)
    watch.notice(AdapterChange(away=False, boot_ns=watch.ns(100)))
    watch.link(103, LinkState.CONNECTED)
    watch.beat(104)
    assert watch.spells() == [
        (10, 14, "silent", "linked"),
        (14, 75, "radioLost", "adapterAway"),
        (75, 100, "radioLost", "adapterAway"),
        (100, 103, "radioLost", "heard"),
        (103, 104, "silent", "linked"),
    ]


def test_what_is_heard_tells_that_the_adapter_is_there() -> None:
    watch = _Watch()
    watch.live()
    watch.link(14, LinkState.SEARCHING)
    watch.notice(AdapterChange(away=True, boot_ns=watch.ns(14)))
    watch.notice(AdapterChange(away=True, boot_ns=watch.ns(200)))
    watch.notice(Heard("somebody else", watch.ns(300)))
    watch.look(400)
    assert watch.spells()[1:] == [
        (14, 300, "radioLost", "adapterAway"),
        (300, 400, "silent", "linkLost"),
    ]


def test_a_suspended_machine() -> None:
    watch = _Watch()
    watch.live()
    watch.slept_ns = 3_600 * 10**9
    watch.beat(3_615)
    assert watch.spells() == [
        (10, 3_610, "bridgeAsleep", "suspended"),
        (3_610, 3_615, "silent", "linked"),
    ]


def test_another_straps_word_tells_that_the_machine_was_still_awake() -> None:
    watch = _Watch()
    watch.watch.worn("other", "bo", watch.ns(0))
    watch.live()
    for second in range(1, 31):
        watch.beat(second, device="other")
    watch.slept_ns = 100 * 10**9
    watch.look(132)
    watch.beat(133)
    assert watch.spells() == [
        (10, 30, "silent", "linked"),
        (30, 130, "bridgeAsleep", "suspended"),
        (130, 132, "silent", "linked"),
        (132, 133, "silent", "linked"),
    ]


def test_a_flat_battery() -> None:
    watch = _Watch()
    watch.live()
    watch.battery(10, 2)
    watch.link(14, LinkState.SEARCHING)
    watch.look(75)
    assert watch.spells() == [(10, 14, "silent", "linked"), (14, 75, "off", "battery")]


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_battery_that_cannot_be_tells_nothing(percent: int) -> None:
    watch = _Watch()
    watch.live()
    watch.battery(10, percent)
    watch.link(14, LinkState.SEARCHING)
    watch.look(75)
    assert watch.spells()[-1] == (14, 75, "silent", "linkLost")


def test_a_run_that_hears_nothing_leaves_evidence() -> None:
    watch = _Watch()
    for second in range(0, 1_400, 5):
        watch.look(second)
    assert watch.spells() == [
        (0, 60, "silent", "linkLost"),
        (60, 660, "silent", "linkLost"),
        (660, 1_260, "silent", "linkLost"),
    ]


def test_a_clean_stop_tells_the_rest() -> None:
    watch = _Watch()
    watch.live()
    watch.told += watch.watch.finish(watch.ns(12))
    assert watch.told == []
    watch.told += watch.watch.finish(watch.ns(13))
    assert watch.spells() == [(10, 13, "silent", "linked")]


def test_a_wearable_that_is_given_up() -> None:
    watch = _Watch()
    watch.live()
    watch.told += watch.watch.forget(_DEVICE, watch.ns(30))
    assert watch.spells() == [(10, 30, "silent", "linked")]
    watch.beat(60)
    watch.link(70, LinkState.SEARCHING)
    watch.notice(Heard(_DEVICE, watch.ns(71)))
    watch.look(1_000)
    assert watch.told == watch.watch.forget(_DEVICE, watch.ns(1_001)) or len(watch.told) == 1


def test_a_wearable_that_changes_hands_while_it_is_silent() -> None:
    watch = _Watch()
    watch.live()
    watch.watch.worn(_DEVICE, "bo", watch.ns(20))
    watch.look(75)
    assert [(one.user, _length_ms(one)) for one in watch.told] == [("anna", 10_000), ("bo", 55_000)]


_KINDS = [
    *("beat", "beat", "beat", "off", "lost", "linked", "heard"),
    *("away", "back", "look", "battery", "slept", "anna", "bo"),
]
#: What may happen, and how many ms after what happened before.
_HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "beat",
                "beat",
                "beat",
                "off",
                "lost",
                "linked",
                "heard",
                "away",
                "back",
                "look",
                "battery",
                "slept",
                "anna",
                "bo",
            ]
        ),
        st.sampled_from([-500, 0, 7, 900, 1_000, 1_100, 4_000, 61_000, 700_000]),
    ),
    max_size=80,
)


def _happen(watch: _Watch, what: str, ms: int) -> None:
    second = ms / 1_000
    match what:
        case "beat" | "off":
            watch.beat(second, contact=what == "beat")
        case "lost" | "linked":
            lost = what == "lost"
            watch.link(second, LinkState.SEARCHING if lost else LinkState.CONNECTED)
        case "heard":
            watch.notice(Heard(_DEVICE, watch.ns(second)))
        case "away" | "back":
            watch.notice(AdapterChange(away=what == "away", boot_ns=watch.ns(second)))
        case "look":
            watch.look(second)
        case "battery":
            watch.battery(second, 2)
        case "slept":
            watch.slept_ns += 5_000_000_000
            watch.look(second)
        case user:
            watch.told += watch.watch.worn(_DEVICE, user, watch.ns(second))


@given(_HAPPENINGS)
def test_whatever_happens_the_spells_are_exactly_the_silences(
    happenings: list[tuple[str, int]],
) -> None:
    watch, now_ms, latest_ms = _Watch(), 0, 0
    beats: list[int] = []
    for what, after_ms in [("beat", 1_000), *happenings]:
        now_ms = max(0, now_ms + after_ms)
        latest_ms = max(latest_ms, now_ms)
        if what in {"beat", "off"}:
            # A moment that is before one that was dealt with counts as that one.
            beats.append(latest_ms)
        before = len(watch.told)
        _happen(watch, what, now_ms)
        for one in watch.told[before:]:
            assert one.boot_ns + _length_ms(one) * 1_000_000 <= watch.ns(latest_ms / 1_000)
    watch.told += watch.watch.finish(watch.ns(latest_ms / 1_000))
    expected = list(silences(beats))
    intervals = [later - earlier for earlier, later in pairwise(beats) if later > earlier]
    if latest_ms - beats[-1] > longest_pause_ms(intervals[-9:]):
        expected.append((beats[-1], latest_ms))
    told = [(round(from_s * 1_000), round(to_s * 1_000)) for from_s, to_s, _, _ in watch.spells()]
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(told))
    assert _joined(told) == _joined(expected)


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for from_ms, to_ms in stretches:
        assert to_ms > from_ms
        if joined and joined[-1][1] == from_ms:
            joined[-1] = (joined[-1][0], to_ms)
        else:
            joined.append((from_ms, to_ms))
    return joined


def test_a_live_reading_costs_little() -> None:
    watch = GapWatch(0)
    watch.worn(_DEVICE, "anna", 0)
    reading = Reading("heart_rate", 60, {"contact": True})
    arrivals = [Arrived("anna", _DEVICE, at * 10**9, reading) for at in range(20_000)]
    began_s = time.perf_counter()
    for arrived in arrivals:
        watch.arrived(arrived)
    # A notification costs some 15 µs to decode and stamp; this must not be seen beside it.
    assert (time.perf_counter() - began_s) / len(arrivals) < 20e-6
