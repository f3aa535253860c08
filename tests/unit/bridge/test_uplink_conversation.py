"""What is said in one connection, and in which order, without a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from strapline_bridge.outbox import ClockMoment, Limits, Outbox
from strapline_bridge.uplink.conversation import Conversation
from strapline_bridge.uplink.sent import Sent
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.codec import encode
from strapline_protocol.opening import (
    Authenticated,
    Client,
    ClockState,
    Error,
    Hello,
    Role,
)
from strapline_protocol.opening import Limits as WireLimits
from strapline_protocol.publishing import (
    Acknowledged,
    ClockSource,
    ClockStatus,
    Rejected,
    Status,
    Sync,
)
from tests.integration.bridge_kit import a_reading, an_outbox


class _Talk:
    """A conversation, and the server's part of it said by hand."""

    def __init__(
        self,
        outbox: Outbox,
        window: int = 8_000,
        message_bytes: int = 256 * 1_024,
        sent: Sent | None = None,
        *,
        new_history: bool = False,
    ) -> None:
        self.outbox = outbox
        self.sent = Sent() if sent is None else sent
        self.woken = 0
        self.session = BridgeSession(0, Client(name="bridge", version="0"))
        self._hear(Hello(store="s", epoch="e", server_time=0, clock_state=ClockState.SYNCHRONISED))
        self.session.authenticate("token")
        authenticated = Authenticated(
            session="s",
            principal="p",
            role=Role.BRIDGE,
            users=["anna"],
            expires_at=0,
            heartbeat_ms=15_000,
            reconnect_spread_ms=1,
            limits=WireLimits(window_readings=window, message_bytes=message_bytes),
        )
        self._hear(authenticated)
        self.conversation = Conversation(
            outbox,
            self.session,
            authenticated,
            store="s",
            new_history=new_history,
            sent=self.sent,
            status=self._status,
            wake=self._wake,
            most_bytes=256 * 1_024,
        )
        outbox.observe(self.conversation)

    def _wake(self) -> None:
        self.woken += 1

    async def _status(self, request: str | None) -> Status:
        return Status(
            devices=[],
            pending=self.outbox.status().pending,
            oldest_pending_ms=0,
            clock=ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1),
            request=request,
        )

    def _hear(self, message: Any) -> Any:
        return self.session.receive(encode(message), 0)

    def hear(self, message: Any) -> None:
        heard = self._hear(message)
        assert heard is not None
        self.conversation.take(heard)

    async def said(self) -> list[dict[str, Any]]:
        """All that is to be said now."""
        frames = []
        while (frame := await self.conversation.next_frame()) is not None:
            frames.append(json.loads(frame))
        return frames

    def answer(self, stream: str, *ranges: tuple[int, int]) -> None:
        record = self.outbox.record(stream)
        assert record is not None
        self.hear(
            Acknowledged(stream=stream, ranges=list(ranges), zero_version=record.zero.version)
        )


@asynccontextmanager
async def talking(
    path: Path, *, window: int = 8_000, message_bytes: int = 256 * 1_024, **options: Any
) -> AsyncIterator[_Talk]:
    async with an_outbox(path, **options) as outbox:
        yield _Talk(outbox, window, message_bytes)


async def _past(path: Path, count: int, **options: Any) -> str:
    """An earlier run's readings; the id of its stream."""
    async with an_outbox(path, **options) as outbox:
        for at in range(count):
            outbox.put(a_reading(at % 200))
        await outbox.flush()
        assert outbox.stream is not None
        return outbox.stream


def _kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def _numbers(frame: dict[str, Any]) -> int:
    return sum(len(series["seq"]) for series in frame["series"])


async def test_with_nothing_to_tell_it_tells_how_it_is(tmp_path: Path) -> None:
    async with talking(tmp_path / "o.db") as talk:
        assert _kinds(await talk.said()) == ["STATUS"]
        assert await talk.said() == []


async def test_a_stream_is_declared_before_its_readings_and_live_does_not_wait(
    tmp_path: Path,
) -> None:
    async with talking(tmp_path / "o.db") as talk:
        await talk.said()
        talk.outbox.put(a_reading(60))
        await talk.outbox.flush()
        stream, readings = await talk.said()
        assert (stream["type"], stream["nextSeq"]) == ("STREAM", 1)
        assert (readings["type"], readings["lane"]) == ("READINGS", "live")
        assert readings["stream"] == stream["stream"] == talk.outbox.stream


async def test_the_past_waits_for_the_answer_and_is_not_sent_where_the_server_has_it(
    tmp_path: Path,
) -> None:
    stream = await _past(tmp_path / "o.db", 10)
    async with talking(tmp_path / "o.db") as talk:
        assert _kinds(await talk.said()) == ["STATUS", "STREAM"]
        talk.answer(stream, (0, 6))
        (readings,) = await talk.said()
        assert readings["lane"] == "backlog"
        assert readings["series"][0]["seq"] == [7, 1, 1]


async def test_the_present_goes_before_the_past(tmp_path: Path) -> None:
    stream = await _past(tmp_path / "o.db", 10)
    async with talking(tmp_path / "o.db") as talk:
        await talk.said()
        talk.answer(stream)
        talk.outbox.put(a_reading(60))
        await talk.outbox.flush()
        frames = await talk.said()
        assert [frame.get("lane", frame["type"]) for frame in frames] == [
            "STREAM",
            "live",
            "backlog",
        ]


async def test_a_quarter_of_the_window_is_kept_for_the_present(tmp_path: Path) -> None:
    stream = await _past(tmp_path / "o.db", 100)
    async with talking(tmp_path / "o.db", window=40) as talk:
        await talk.said()
        talk.answer(stream)
        assert sum(_numbers(frame) for frame in await talk.said()) == 30
        for rate in range(20):
            talk.outbox.put(a_reading(rate))
        await talk.outbox.flush()
        frames = [frame for frame in await talk.said() if frame["type"] == "READINGS"]
        assert {frame["lane"] for frame in frames} == {"live"}
        assert sum(map(_numbers, frames)) == 10
        assert await talk.said() == []


async def test_live_readings_that_wait_leave_together(tmp_path: Path) -> None:
    async with talking(tmp_path / "o.db") as talk:
        await talk.said()
        for rate in range(5):
            talk.outbox.put(a_reading(60 + rate))
            await talk.outbox.flush()
        frames = [frame for frame in await talk.said() if frame["type"] == "READINGS"]
        assert [frame["series"][0]["value"] for frame in frames] == [[60, 61, 62, 63, 64]]


async def test_messages_of_the_past_are_small_and_none_is_larger_than_the_server_takes(
    tmp_path: Path,
) -> None:
    stream = await _past(tmp_path / "o.db", 3_000)
    for message_bytes, bound in ((256 * 1_024, 8_192), (1_024, 1_024)):
        async with talking(tmp_path / "o.db", message_bytes=message_bytes) as talk:
            await talk.said()
            talk.answer(stream)
            frames: list[bytes] = []
            while (frame := await talk.conversation.next_frame()) is not None:
                frames.append(frame)
            assert len(frames) > 1 or bound == 8_192
            assert max(map(len, frames)) <= bound


async def test_few_streams_are_declared_ahead_and_each_in_turn(tmp_path: Path) -> None:
    streams = [await _past(tmp_path / "o.db", 1) for _ in range(12)]
    async with talking(tmp_path / "o.db") as talk:
        said = [f["stream"] for f in await talk.said() if f["type"] == "STREAM"]
        assert said == streams[:8]
        for stream in streams[:8]:
            talk.answer(stream)
        frames = await talk.said()
        assert [f["stream"] for f in frames if f["type"] == "STREAM"] == streams[8:]
        assert [f["stream"] for f in frames if f["type"] == "READINGS"] == streams[:8]


async def test_a_server_of_another_history_hears_of_streams_that_it_once_had(
    tmp_path: Path,
) -> None:
    stream = await _past(tmp_path / "o.db", 3)
    async with talking(tmp_path / "o.db") as talk:
        await talk.said()
        talk.answer(stream)
        await talk.said()
        talk.hear(Acknowledged(stream=stream, ranges=[(0, 2)]))
        restored = _Talk(talk.outbox, sent=talk.sent, new_history=True)
        assert _kinds(await restored.said()) == ["STATUS", "STREAM"]
        restored.answer(stream, (0, 0))
        await talk.outbox.flush()
        (again,) = await restored.said()
        assert again["series"][0]["seq"] == [1, 1]


async def test_a_server_of_the_same_history_says_what_it_has_lost_all_the_same(
    tmp_path: Path,
) -> None:
    streams = [await _past(tmp_path / "o.db", 3) for _ in range(12)]
    async with an_outbox(tmp_path / "o.db") as outbox:
        for stream in streams:
            record = outbox.record(stream)
            assert record is not None
            outbox.answered(record.message(), [(0, 2)], "s")
        await outbox.flush()
        commits = outbox.status().counters.commits
        talk = _Talk(outbox)
        said = await talk.said()
        # A few wait for their answer, the latest first, and each answer lets one more out.
        assert [f["stream"] for f in said if f["type"] == "STREAM"] == streams[:-9:-1]
        for stream in streams[:-9:-1]:
            talk.answer(stream, (0, 2))
        assert [f["stream"] for f in await talk.said()] == streams[3::-1]
        await outbox.flush()
        assert outbox.status().counters.commits == commits, "nothing new was said"
        talk.answer(streams[1], (0, 0))
        await outbox.flush()
        (again,) = await talk.said()
        assert (again["stream"], again["series"][0]["seq"]) == (streams[1], [1, 1])


async def test_what_is_left_to_send_goes_before_what_may_be_lost(tmp_path: Path) -> None:
    kept, left = await _past(tmp_path / "o.db", 3), await _past(tmp_path / "o.db", 3)
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = outbox.record(kept)
        assert record is not None
        outbox.answered(record.message(), [(0, 2)], "s")
        await outbox.flush()
        talk = _Talk(outbox)
        first = await talk.conversation.next_frame()
        second = await talk.conversation.next_frame()
        assert first is not None
        assert second is not None
        assert json.loads(first)["type"] == "STATUS"
        assert json.loads(second)["stream"] == left


async def test_a_stream_that_is_refused_is_kept_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = await _past(tmp_path / "o.db", 3)
    other = await _past(tmp_path / "o.db", 3)
    async with talking(tmp_path / "o.db") as talk:
        await talk.said()
        talk.hear(
            Rejected(stream=foreign, ranges=[(0, 3)], code="denied", message="another bridge's")
        )
        talk.answer(other)
        frames = await talk.said()
        assert [frame["stream"] for frame in frames if frame["type"] == "READINGS"] == [other]
        assert talk.outbox.status().dead_letters == 0
        record = talk.outbox.record(foreign)
        assert record is not None
        assert record.pending() == [(0, 2)]
    assert "another bridge's" in caplog.text


async def _rows_of(outbox: Outbox, count: int) -> None:
    for rate in range(count):
        outbox.put(a_reading(rate))
        await outbox.flush()


def _dropped(frames: list[dict[str, Any]]) -> list[list[list[int]]]:
    return [frame["ranges"] for frame in frames if frame["type"] == "DROPPED"]


_TINY = Limits(most_bytes=2_000, kept_bytes=0)


async def test_a_hole_is_told_once_and_what_is_new_of_it(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db", limits=_TINY) as outbox:
        await _rows_of(outbox, 30)
        assert outbox.stream is not None
        stream = outbox.stream
    async with talking(tmp_path / "o.db", window=1, limits=_TINY) as talk:
        await talk.said()
        talk.answer(stream)
        ((first,),) = _dropped(await talk.said())
        assert first[0] == 0
        await _rows_of(talk.outbox, 8)
        ((second,),) = _dropped(await talk.said())
        # The one reading that there was room for is under way.
        assert second[0] == first[1] + 2
        talk.hear(Acknowledged(stream=stream, ranges=[(first[0], first[1])]))
        record = talk.outbox.record(stream)
        assert record is not None
        assert record.holes["sizeBound"].ranges()[0][0] == first[1] + 1


async def test_of_what_is_under_way_no_hole_is_told_before_it_is_lost(tmp_path: Path) -> None:
    async with talking(tmp_path / "o.db", limits=_TINY) as talk:
        await talk.said()
        await _rows_of(talk.outbox, 5)
        assert _kinds(await talk.said()) == ["STREAM", "READINGS"]
        stream = talk.outbox.stream
        assert stream is not None
        talk.answer(stream)
        await _rows_of(talk.outbox, 15)
        record = talk.outbox.record(stream)
        assert record is not None
        ((_, last),) = record.holes["sizeBound"].ranges()
        assert last >= 5
        assert not _dropped(await talk.said())
        again = _Talk(talk.outbox, sent=talk.sent)
        await again.said()
        again.answer(stream, (0, 2))
        assert _dropped(await again.said()) == [[[3, last]]]


async def test_a_better_time_is_told_again(tmp_path: Path) -> None:
    async with talking(tmp_path / "o.db", source=ClockSource.ESTIMATE) as talk:
        await talk.said()
        talk.outbox.put(a_reading(60))
        await talk.outbox.flush()
        await talk.said()
        talk.outbox.correct_time(ClockMoment(1, 1_700_000_000_000, 5, ClockSource.SYSTEM))
        (stream,) = await talk.said()
        assert (stream["type"], stream["zero"]["version"]) == ("STREAM", 1)


async def test_syncs_are_answered_in_order_and_a_flood_of_them_in_part(tmp_path: Path) -> None:
    async with talking(tmp_path / "o.db") as talk:
        await talk.said()
        for number in range(40):
            talk.hear(Sync(request=f"r{number}"))
        answered = [frame["request"] for frame in await talk.said()]
        assert len(answered) == 16
        assert answered[-1] == "r39"
        talk.conversation.report()
        talk.conversation.report()
        assert _kinds(await talk.said()) == ["STATUS"]


async def test_an_error_is_logged_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(tmp_path / "o.db") as talk:
        await talk.said()
        talk.hear(Error(code="notAllowed", message="not for this role"))
        assert await talk.said() == []
    assert "not for this role" in caplog.text


async def test_once_the_past_is_all_there_the_status_says_so(tmp_path: Path) -> None:
    stream = await _past(tmp_path / "o.db", 10)
    async with talking(tmp_path / "o.db") as talk:
        (status, _) = await talk.said()
        assert status["pending"] == 10
        talk.answer(stream)
        await talk.said()
        talk.hear(Acknowledged(stream=stream, ranges=[(0, 9)]))
        (status,) = await talk.said()
        assert (status["type"], status["pending"]) == ("STATUS", 0)


async def _refused_and_told(path: Path, limits: Limits) -> str:
    """An earlier run of which a dead letter is left and nothing else, and all is told."""
    earlier = await _past(path, 3)
    async with an_outbox(path, limits=limits) as outbox:
        outbox.acknowledge(earlier, [(0, 0), (2, 2)], "s")
        outbox.reject(Rejected(stream=earlier, ranges=[(1, 1)], code="noSuchUser", message=""))
        record = outbox.record(earlier)
        assert record is not None
        outbox.answered(record.message(), [(0, 0), (2, 2)], "s")
        await outbox.flush()
        assert record.told
    return earlier


@pytest.mark.parametrize("discard", [False, True])
async def test_a_stream_of_dead_letters_is_declared_when_one_is_handled(
    tmp_path: Path, *, discard: bool
) -> None:
    path, limits = tmp_path / "o.db", Limits(kept_bytes=0)
    earlier = await _refused_and_told(path, limits)
    async with an_outbox(path, limits=limits) as outbox:
        talk = _Talk(outbox)
        assert _kinds(await talk.said()) == ["STATUS"]
        await outbox.settle_letters(lambda letter: True, discard=discard)
        assert _kinds(await talk.said()) == ["STREAM"]
        talk.answer(earlier, (0, 0), (2, 2))
        told = await talk.said()
        if discard:
            assert _dropped(told) == [[[1, 1]]]
        else:
            assert [frame["series"][0]["seq"] for frame in told if "series" in frame] == [[1]]
