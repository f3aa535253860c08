"""Who gets what was committed: one ready frame, for those who joined, in order."""

from __future__ import annotations

import pytest

from strapline_protocol.codec import decode_server
from strapline_protocol.watching import HealthDataUpdate, HistoryChanged, SyncStatusUpdate
from strapline_server.counters import Counters
from strapline_server.hub import Hub, payload_at, ready_frame
from strapline_server.store import Change
from tests.unit.server.store_kit import NOON, Bench, series_of, stream_named, zero_at


class Ear:
    def __init__(self, *metrics: str) -> None:
        self.metrics = metrics
        self.heard: list[tuple[int, bytes]] = []

    def deliver(self, change: HealthDataUpdate | HistoryChanged, frame: bytes, now_ms: int) -> None:
        assert now_ms == 7
        self.heard.append((change.position[1], frame))

    def deliver_status(self, status: SyncStatusUpdate, frame: bytes, now_ms: int) -> None:
        raise AssertionError("no status here")

    def sees(self, metric: str) -> bool:
        return metric in self.metrics


def changes() -> list[Change]:
    bench = Bench()
    bench.add_user()
    grant = bench.grant()
    bench.declare(grant, stream_named("A"), zero_at(NOON - 60_000))
    return [
        bench.publish(grant, stream_named("A"), series_of([70], [59_000], first=n)).changes[0]
        for n in range(2)
    ]


def test_all_who_joined_get_the_same_bytes_in_order() -> None:
    counters = Counters()
    hub = Hub(counters, lambda: 7)
    one, two, other = Ear(), Ear(), Ear()
    hub.join(one, ["ana"])
    hub.join(two, ["ana", "ben"])
    hub.join(other, ["ben"])
    first, second = changes()
    hub.publish([first, second])
    assert one.heard == two.heard
    assert [number for number, _ in one.heard] == [1, 2]
    assert one.heard[0][1] is two.heard[0][1]
    assert other.heard == []
    assert (counters.changes, counters.deliveries) == (2, 4)
    hub.leave(one, ["ana", "nobody"])
    hub.publish([first])
    assert (len(one.heard), len(two.heard)) == (2, 3)
    hub.leave(two, ["ana", "ben"])
    hub.leave(two, ["ana", "ben"])
    assert not hub.is_watched("ana")
    assert hub.is_watched("ben")


def test_who_is_reached_sees_the_metric_and_the_user() -> None:
    hub = Hub(Counters(), lambda: 7)
    hub.join(Ear("summary", "steps"), ["ana", "ben"])
    hub.join(Ear("summary"), ["ana"])
    hub.join(Ear("heart_rate"), ["ana"])
    reached = [hub.reach("ana", metric) for metric in ("summary", "steps", "battery")]
    assert reached == [2, 1, 0]
    assert (hub.reach("ben", "summary"), hub.reach("nobody", "summary")) == (1, 0)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_where_a_ready_frames_payload_begins(length: int) -> None:
    payload = b"x" * length
    frame = ready_frame(payload)
    assert frame[payload_at(frame) :] == payload


def test_a_ready_frame_is_one_text_frame_without_a_mask() -> None:
    (first, _) = changes()
    frame = ready_frame(first.payload)
    assert frame[0] == 0x81
    assert frame[1] == 126
    assert int.from_bytes(frame[2:4], "big") == len(first.payload)
    assert decode_server(frame[4:]) == first.message
    assert ready_frame(b"x" * 70_000)[1] == 127
    assert ready_frame(b"{}") == b"\x81\x02{}"
