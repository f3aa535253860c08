"""Three hours' walk with a watch and a pod over midnight, two outages and a reset, to the step.

From the bytes on the air through intake and rows into the server's store, on a virtual clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from strapline_bridge.decoders import infinitime, running
from strapline_bridge.intake import Arrived, Described, Intake
from strapline_bridge.outbox.rows import rows_of
from strapline_bridge.radio import LinkChange, LinkState, Notification, Offered
from strapline_bridge.steps import StepState
from strapline_protocol.watching import StepsData
from strapline_server.days import day_of
from strapline_server.store.people import Grant
from strapline_simulator.measurement import running_measurement, step_count
from tests.unit.server.store_kit import NOON, Bench, stream_named, zero_at

_S = 1_000_000_000
_VIENNA = ZoneInfo("Europe/Vienna")
#: 22:30 in Vienna, on 24 November 2026; all times below are seconds from here.
_BEGIN_MS = NOON + 9 * 3_600_000 + 1_800_000
_END_S = 3 * 3_600
_MIDNIGHT_S = 5_400
#: The link breaks in the evening, and again with the bridge itself, over midnight.
_OUTAGES = ((1_200, 2_100), (4_800, 6_000))
_RESTARTS_S = 5_000
#: The watch's battery falls out for a moment: it begins at nothing once more.
_RESET_S = 7_800
_COMMIT_EVERY_S = 60
#: What the watch had counted before anybody here knew it.
_EARLIER = 4_000


def _cadence(at_s: int) -> int:
    """Steps a minute: an easy walk, faster and slower, with a rest every ten minutes."""
    return 0 if at_s % 600 < 40 else 96 + (at_s * 7) % 23


def _linked(at_s: int) -> bool:
    return not any(begin <= at_s < end for begin, end in _OUTAGES)


class _Watch:
    """Counts as InfiniTime does: today's, on change, from nothing at midnight."""

    def __init__(self) -> None:
        self.total = _EARLIER
        self._parts = 0
        #: Steps that legs made, by second.
        self.made: list[int] = []

    def second(self, at_s: int) -> bool:
        """Let one pass; whether the total is another."""
        before = self.total
        if at_s in {_MIDNIGHT_S, _RESET_S}:
            self.total = 0
        made, self._parts = divmod(self._parts + _cadence(at_s), 60)
        self.total += made
        self.made.append(made)
        return self.total != before


@dataclass
class _Bridge:
    """One run of a bridge after another, with what is kept between them."""

    bench: Bench
    grant: Grant
    zone: ZoneInfo
    remembered: dict[str, StepState] = field(default_factory=dict)
    runs: int = 0
    now_s: int = 0
    waiting: list[Arrived] = field(default_factory=list)
    all: list[Arrived] = field(default_factory=list)
    next_seq: int = 0
    zero_s: int = 0

    def __post_init__(self) -> None:
        self.start()

    def now_ms(self) -> int:
        return _BEGIN_MS + self.now_s * 1_000

    def start(self) -> None:
        """Begin another run: a stream of its own, and the states that the last one saved."""
        self.runs += 1
        self.next_seq, self.zero_s = 0, self.now_s
        self.stream = stream_named("abc"[self.runs])
        self.bench.now_ms = self.now_ms()
        self.bench.declare(self.grant, self.stream, zero_at(self.now_ms()))
        wearers: Mapping[str, str] = {"watch": "ana", "pod": "ana", "other-pod": "bea"}
        self.intake = Intake(
            wearers.get,
            self._take,
            dict(self.remembered),
            boot_id="b",
            wall_clock=self,
            midnight_ms=lambda wall_ms: day_of(wall_ms, self.zone)[0],
        )

    def _take(self, item: Arrived | LinkChange | Described) -> None:
        if isinstance(item, Arrived):
            self.waiting.append(item)
            self.all.append(item)
            if item.step_state is not None:
                self.remembered[item.device] = item.step_state

    def link(self, device: str, characteristic: str, *, up: bool) -> None:
        offered = (Offered("", characteristic, ("notify",)),) if up else ()
        state = LinkState.CONNECTED if up else LinkState.SEARCHING
        self.intake(LinkChange(device, state, self.now_s * _S, offered))

    def hear(self, device: str, characteristic: str, value: bytes) -> None:
        self.intake(Notification(device, characteristic, value, self.now_s * _S, device == "watch"))

    def commit(self) -> None:
        """What arrived, as the outbox would make it into rows and the uplink send it."""
        self.bench.now_ms = self.now_ms()
        rows = rows_of(
            self.waiting, stream=self.stream, next_seq=self.next_seq, zero_ns=self.zero_s * _S
        )
        self.next_seq += len(self.waiting)
        self.waiting.clear()
        if rows:
            self.bench.publish(self.grant, self.stream, *(row.series for row in rows))

    def today(self, user: str) -> int | None:
        steps = self.bench.state(user)["steps"]
        assert isinstance(steps, StepsData)
        return steps.today


@dataclass
class _Walk:
    """The walk as it was, and what the server said of it on the way."""

    watch: _Watch
    bridge: _Bridge
    told: dict[int, tuple[int | None, int | None]]


def _walked() -> _Walk:
    bench = Bench(now_ms=_BEGIN_MS)
    for user in ("ana", "bea"):
        bench.add_user(user)
    bridge = _Bridge(bench, bench.grant(), _VIENNA)
    watch = _Watch()
    told: dict[int, tuple[int | None, int | None]] = {}
    devices = {
        "watch": infinitime.CHARACTERISTIC,
        "pod": running.CHARACTERISTIC,
        "other-pod": running.CHARACTERISTIC,
    }
    was_linked = False
    for at_s in range(_END_S + 1):
        bridge.now_s = at_s
        changed = watch.second(at_s)
        if at_s == _RESTARTS_S:
            bridge.commit()
            bridge.start()
        linked = _linked(at_s)
        if linked != was_linked:
            for device, characteristic in devices.items():
                bridge.link(device, characteristic, up=linked)
        if linked and (changed or not was_linked):
            # On arming, the total is read.
            bridge.hear("watch", infinitime.CHARACTERISTIC, step_count(watch.total))
        if linked:
            cadence = running_measurement(400, _cadence(at_s))
            bridge.hear("pod", running.CHARACTERISTIC, cadence)
            bridge.hear("other-pod", running.CHARACTERISTIC, cadence)
        was_linked = linked
        if at_s % _COMMIT_EVERY_S == 0:
            bridge.commit()
            if at_s:
                told[at_s] = (bridge.today("ana"), bridge.today("bea"))
    return _Walk(watch, bridge, told)


@pytest.fixture(scope="module")
def walk() -> _Walk:
    return _walked()


def _seen(begin_s: int, end_s: int) -> list[int]:
    """The seconds of a stretch, both ends included, in which links stood."""
    return [at_s for at_s in range(begin_s, end_s + 1) if _linked(at_s)]


def _by_cadence(end_s: int) -> int:
    """The steps that the cadence comes to until a second, where two in a row were heard.

    Part of a step is kept over an outage, and not over a restart.
    """
    halves = [0, 0]
    for at_s in range(1, end_s + 1):
        if _linked(at_s) and _linked(at_s - 1):
            halves[at_s > _RESTARTS_S] += _cadence(at_s - 1) + _cadence(at_s)
    return halves[0] // 120 + halves[1] // 120


def test_it_is_the_walk_that_it_says() -> None:
    midnight = datetime.fromtimestamp(_BEGIN_MS / 1_000 + _MIDNIGHT_S, UTC).astimezone(_VIENNA)
    assert midnight.isoformat() == "2026-11-25T00:00:00+01:00"
    assert not _linked(_MIDNIGHT_S)
    assert not _linked(_RESTARTS_S)


def test_todays_steps_are_right_to_the_step_in_the_persons_zone(walk: _Walk) -> None:
    made = walk.watch.made
    ana, _ = walk.told[_END_S]
    assert ana == sum(made[_MIDNIGHT_S:])
    assert ana is not None
    assert ana > 8_000


def test_they_are_right_at_every_minute_on_the_way(walk: _Walk) -> None:
    made = walk.watch.made
    for at_s, (ana, _) in walk.told.items():
        last_seen = _seen(0, at_s)[-1]
        day_began = _MIDNIGHT_S if at_s >= _MIDNIGHT_S else 1
        expected = sum(made[day_began : last_seen + 1])
        if last_seen < day_began:
            # The new day has begun, and nothing has come of it yet.
            assert ana in {0, None}
        else:
            assert ana == expected, at_s


def test_what_nobody_can_know_is_not_made_up(walk: _Walk) -> None:
    """The watch forgot at midnight what it made before it in the outage: yesterday lacks that."""
    counted = {one.counter for one in walk.bridge.all if one.device == "watch"}
    # First sight, the new day, the reset.
    origins = sorted(one.counted_from for one in counted if one is not None)
    assert origins == [0, 0, _EARLIER + walk.watch.made[0]]


def test_steps_made_in_an_outage_are_marked_and_no_others(walk: _Walk) -> None:
    marked = [
        one.boot_ns // _S
        for one in walk.bridge.all
        if one.device == "watch" and one.reading.quality
    ]
    assert marked == [end for _, end in _OUTAGES]


def test_who_has_a_pod_alone_has_the_area_under_its_cadence(walk: _Walk) -> None:
    _, bea = walk.told[_END_S]
    assert bea == _by_cadence(_END_S) - _by_cadence(_MIDNIGHT_S)
    for at_s, (_, told) in walk.told.items():
        if at_s < _OUTAGES[1][0]:
            assert told == _by_cadence(at_s), at_s


def test_the_pod_of_who_has_a_watch_is_stored_and_not_added(walk: _Walk) -> None:
    pod = [one for one in walk.bridge.all if (one.device, one.reading.metric) == ("pod", "steps")]
    assert {one.reading.quality for one in pod} == {("derived",)}
    assert pod[-1].reading.value == _by_cadence(_END_S)
    assert len({one.counter for one in pod}) == 1
