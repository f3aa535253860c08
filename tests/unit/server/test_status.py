"""The three hops: which status they make, since when, and who is told of a change."""

from __future__ import annotations

from typing import Any

import pytest

from strapline_protocol.opening import Role
from strapline_protocol.publishing import (
    ClockSource,
    ClockStatus,
    DeviceAbout,
    DeviceState,
    DeviceStatus,
    Moment,
    Status,
    Sync,
)
from strapline_protocol.watching import SyncStatus, SyncStatusUpdate
from strapline_server.counters import Counters
from strapline_server.hub import Hub
from strapline_server.status import Statuses
from strapline_server.store import Grant, User
from tests.unit.server.store_kit import NOON, stream_named, zero_at

USERS = {
    name: User(number, name, name.title(), "UTC", 0, None)
    for number, name in enumerate(("ana", "ben"))
}


def grant(sub: str, *users: str) -> Grant:
    known = tuple(USERS[user] for user in users)
    return Grant(sub, Role.BRIDGE, f"{sub}'s bridge", False, known, frozenset(users), None)


class Scene:
    """Statuses, a clock, and a viewer of both users."""

    def __init__(self) -> None:
        self.now_ms = NOON
        hub = Hub(Counters(), lambda: self.now_ms)
        #: By how much the wall clock was set back.
        self.set_back_ms = 0
        self.statuses = Statuses(hub, lambda: self.now_ms - self.set_back_ms, lambda: self.now_ms)
        self.told: list[SyncStatusUpdate] = []
        self.asked: list[Sync] = []
        self.send = self.asked.append
        hub.join(self, USERS)
        for user in USERS:
            self.statuses.watched(user)

    def deliver(self, *_: object) -> None:
        raise AssertionError("nothing is committed here")

    def sees(self, metric: str) -> bool:
        raise AssertionError("nobody asks here")

    def deliver_status(self, status: SyncStatusUpdate, frame: bytes, now_ms: int) -> None:
        assert frame
        assert now_ms == self.now_ms
        self.told.append(status)

    def connect(self, *users: str, sub: str = "pi") -> None:
        self.statuses.online(grant(sub, *users), self.send)

    def report(self, sub: str = "pi", **fields: Any) -> None:
        told: dict[str, Any] = {"devices": [strap()], "pending": 0, "oldest_pending_ms": 0}
        clock = ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1)
        zeros = {stream_named("A"): zero_at(NOON - 60_000)}
        self.statuses.report(sub, Status(clock=clock, **{**told, **fields}), zeros)

    def status(self, user: str = "ana") -> SyncStatus:
        return self.statuses.of(user).status


def strap(state: DeviceState = DeviceState.CONNECTED, **fields: Any) -> DeviceStatus:
    told: dict[str, Any] = {"device": "strap-1", "user": "ana", "name": "chest", "state_age_ms": 0}
    return DeviceStatus(state=state, **{**told, **fields})


def test_what_a_strap_says_of_itself_reaches_the_screen_as_far_as_it_is_for_one() -> None:
    scene = Scene()
    scene.connect("ana")
    about = DeviceAbout(model="H10", firmware="5.0", hardware="7", body_location="chest")
    scene.report(devices=[strap(about=about), strap(device="strap-2")])
    with_it, without = scene.statuses.of("ana").hops.devices
    assert with_it.about == DeviceAbout(model="H10", firmware="5.0", body_location="chest")
    assert without.about is None
    told = len(scene.told)
    scene.report(devices=[strap(about=DeviceAbout(hardware="7")), strap(device="strap-2")])
    assert scene.statuses.of("ana").hops.devices[0].about is None
    assert len(scene.told) == told + 1


def test_no_bridge_is_offline() -> None:
    scene = Scene()
    assert scene.status() == "offline"
    scene.statuses.know([grant("pi", "ana")])
    (hop,) = scene.statuses.of("ana").hops.bridges
    assert (hop.name, hop.state, hop.since_ms) == ("pi's bridge", "offline", NOON)
    assert scene.statuses.of("ben").hops.bridges == []


def test_the_way_from_connecting_to_real_time_and_back() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report(devices=[strap(DeviceState.SEARCHING)])
    assert scene.status() == "connecting"
    scene.report()
    assert scene.status() == "connecting"
    scene.statuses.heard("ana", scene.now_ms)
    assert scene.status() == "realtime"
    scene.now_ms += 40_000
    scene.statuses.wake(scene.now_ms)
    assert scene.status() == "synced"
    scene.statuses.heard("ana", scene.now_ms)
    assert scene.status() == "realtime"
    scene.statuses.offline("pi", scene.send)
    assert scene.status() == "offline"
    assert [one.status for one in scene.told if one.user == "ana"] == [
        "synced",
        "connecting",
        "connecting",
        "realtime",
        "synced",
        "realtime",
        "offline",
    ]


def test_a_search_that_lasts_is_no_connecting() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report(devices=[strap(DeviceState.SEARCHING, state_age_ms=40_000)])
    assert scene.status() == "synced"
    scene.report(devices=[strap(DeviceState.NOT_WORN)])
    assert scene.status() == "synced"


def test_a_backlog_is_syncing_and_what_is_under_way_is_not() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.statuses.heard("ana", scene.now_ms)
    scene.report(pending=3, oldest_pending_ms=900)
    assert scene.status() == "realtime"
    scene.report(pending=500, oldest_pending_ms=600_000)
    assert scene.status() == "syncing"
    assert scene.statuses.of("ana").pending == 500
    scene.report()
    assert scene.status() == "realtime"


def test_a_store_that_cannot_be_written_is_an_error_of_all() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.now_ms += 5
    scene.statuses.storing(False)
    assert scene.status() == "error"
    hop = scene.statuses.of("ben").hops.server
    assert (hop.state, hop.since_ms) == ("notStoring", NOON + 5)
    assert {one.user for one in scene.told if one.status == "error"} == {"ana", "ben"}
    scene.statuses.storing(True)
    assert scene.status() == "synced"


def test_a_sync_is_syncing_until_it_is_answered_or_late() -> None:
    scene = Scene()
    scene.connect("ana")
    assert scene.statuses.ask(["ana"]) == 1
    assert scene.status() == "syncing"
    (sync,) = scene.asked
    scene.report(request="another")
    assert scene.status() == "syncing"
    scene.report(request=sync.request, devices=[])
    assert scene.status() == "synced"
    scene.statuses.ask(["ana"])
    scene.now_ms += 10_001
    scene.statuses.wake(scene.now_ms)
    assert scene.status() == "synced"
    assert scene.statuses.ask(["ben"]) == 0


def test_hops_carry_what_was_said_and_since_when() -> None:
    scene = Scene()
    scene.connect("ana", "ben")
    through = Moment(stream=stream_named("A"), elapsed_ms=30_000)
    unknown = Moment(stream=stream_named("B"), elapsed_ms=1)
    scene.report(
        devices=[
            strap(state_age_ms=7_000, battery=80, complete_through=through),
            strap(device="strap-2", user="ben", complete_through=unknown),
        ],
        pending=4,
    )
    status = scene.statuses.of("ana", synced_ms=NOON - 1)
    (device,) = status.hops.devices
    assert (device.device, device.battery, device.since_ms) == ("strap-1", 80, NOON - 7_000)
    assert status.complete_through_ms == NOON - 30_000
    assert status.last_sync_at == NOON - 1
    assert scene.statuses.of("ben").complete_through_ms is None
    scene.statuses.synced("ana")
    assert scene.statuses.of("ana", synced_ms=NOON - 1).last_sync_at == NOON
    assert scene.statuses.connected() == {("ana", "strap-1"), ("ben", "strap-2")}
    scene.statuses.offline("pi", scene.send)
    assert scene.statuses.connected() == frozenset()


def test_the_moment_since_when_does_not_creep_with_each_report() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report(devices=[strap(state_age_ms=1_000)])
    scene.now_ms += 30_000
    scene.report(devices=[strap(state_age_ms=30_940)])
    assert scene.statuses.of("ana").hops.devices[0].since_ms == NOON - 1_000
    scene.report(devices=[strap(state_age_ms=500)])
    assert scene.statuses.of("ana").hops.devices[0].since_ms == NOON + 29_500


def test_straps_of_users_that_are_not_granted_are_left_out() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report(devices=[strap(), strap(device="foreign", user="ben")])
    assert scene.statuses.of("ben").hops.devices == []
    assert scene.statuses.connected() == {("ana", "strap-1")}


def test_devices_of_one_id_are_each_their_own_users() -> None:
    scene = Scene()
    scene.connect("ana", "ben")
    scene.report(devices=[strap(), strap(DeviceState.SEARCHING, user="ben")])
    assert scene.statuses.connected() == {("ana", "strap-1")}
    assert [scene.statuses.of(user).hops.devices[0].state for user in USERS] == [
        "connected",
        "searching",
    ]


def test_a_clock_that_is_set_back_leaves_nothing_in_the_present() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report(devices=[strap(DeviceState.SEARCHING)])
    scene.set_back_ms = 3_600_000
    scene.now_ms += 30_001
    scene.statuses.wake(scene.now_ms)
    assert scene.status() == "synced"

    scene.set_back_ms = 0
    scene.report()
    scene.statuses.heard("ana", scene.now_ms)
    assert scene.status() == "realtime"
    scene.set_back_ms = 3_600_000
    scene.now_ms += 10_001
    scene.statuses.wake(scene.now_ms)
    assert scene.status() != "realtime"


def test_only_a_reading_of_just_now_is_heard() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report()
    for age_ms in (-5_001, 10_001):
        scene.statuses.heard("ana", scene.now_ms - age_ms)
        assert scene.status() != "realtime"
    scene.statuses.heard("ana", scene.now_ms + 5_000)
    assert scene.status() == "realtime"


def test_nothing_is_said_twice() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report()
    count = len(scene.told)
    scene.now_ms += 100
    scene.report()
    scene.statuses.heard("ana", scene.now_ms)
    said = len(scene.told)
    assert said <= count + 1
    scene.report()
    scene.statuses.wake(scene.now_ms)
    assert len(scene.told) == said


def test_an_older_connection_that_goes_takes_no_newer_one_down() -> None:
    scene = Scene()
    older: list[Sync] = []
    scene.statuses.online(grant("pi", "ana"), older.append)
    scene.connect("ana")
    scene.statuses.offline("pi", older.append)
    assert scene.statuses.of("ana").hops.bridges[0].state == "online"


def test_a_bridge_that_was_revoked_leaves_the_hops() -> None:
    scene = Scene()
    scene.statuses.know([grant("pi", "ana"), grant("other", "ana", "ben")])
    scene.connect("ana")
    scene.statuses.know([grant("other", "ana")])
    assert [hop.name for hop in scene.statuses.of("ana").hops.bridges] == ["other's bridge"]
    assert scene.statuses.of("ben").hops.bridges == []


@pytest.mark.parametrize("sub", ["pi", "never-seen"])
def test_what_comes_from_a_bridge_that_is_gone_changes_nothing(sub: str) -> None:
    scene = Scene()
    scene.report(sub=sub)
    scene.statuses.offline(sub, scene.send)
    assert scene.status() == "offline"


def test_a_hop_stands_falls_or_is_not_known() -> None:
    scene = Scene()
    assert scene.statuses.hop("ana", "strap-1") is None
    scene.connect("ana")
    assert scene.statuses.hop("ana", "strap-1") is None, "nobody has said yet"
    scene.report()
    assert scene.statuses.hop("ana", "strap-1") is True
    assert scene.statuses.hop("ben", "strap-1") is None, "of another wearer"
    scene.report(devices=[strap(DeviceState.SEARCHING)])
    assert scene.statuses.hop("ana", "strap-1") is False
    scene.report()
    scene.statuses.offline("pi", scene.send)
    assert scene.statuses.hop("ana", "strap-1") is None, "who would know is not here"


def test_names_are_taken_once_and_again_when_they_change() -> None:
    scene = Scene()
    scene.connect("ana")
    scene.report()
    scene.report()
    assert scene.statuses.take_names() == {("ana", "strap-1"): "chest"}
    assert scene.statuses.take_names() == {}
    scene.report(devices=[strap(name="left wrist"), strap(user="ben", name="not granted")])
    assert scene.statuses.take_names() == {("ana", "strap-1"): "left wrist"}


def test_what_bridges_say_of_what_has_not_come() -> None:
    scene = Scene()
    scene.connect("ana", "ben")
    scene.connect("ana", sub="den")
    assert scene.statuses.known("ana").heard_ms == {"pi": 0, "den": 0}
    first, second = (Moment(stream=stream_named("A"), elapsed_ms=at) for at in (30_000, 50_000))
    scene.report(
        devices=[
            strap(complete_through=second),
            strap(device="strap-2", complete_through=first),
            strap(device="strap-1", user="ben", complete_through=first),
        ],
        pending=3,
        oldest_pending_ms=40_000,
    )
    known = scene.statuses.known("ana")
    assert known.heard_ms == {"pi": NOON - 40_000, "den": 0}
    assert known.complete_through_ms == NOON - 30_000
    assert scene.statuses.known("ana", "strap-1").complete_through_ms == NOON - 10_000
    assert scene.statuses.known("ana", "strap-9").complete_through_ms is None
    scene.now_ms += 5_000
    scene.report()
    # What it said stays said when it is gone.
    scene.statuses.offline("pi", scene.send)
    scene.now_ms += 5_000
    assert scene.statuses.known("ana").heard_ms["pi"] == NOON + 5_000
    assert scene.statuses.known("nobody").heard_ms == {}
