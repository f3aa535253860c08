"""Outbox and uplink against a server of the test's own, over real sockets and a real file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from strapline_bridge.outbox import ClockMoment, Limits
from strapline_bridge.readings import Reading
from strapline_bridge.uplink import Link
from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import GoingAway, Refresh, TokenExpiring
from strapline_protocol.publishing import (
    Acknowledged,
    ClockSource,
    Dropped,
    Lane,
    Readings,
    Rejected,
    Status,
    Stream,
    Sync,
)
from tests.integration.bridge_kit import (
    Committed,
    Receiver,
    Refusal,
    a_reading,
    an_outbox,
    an_uplink,
    drained,
    running,
    until,
)


async def test_what_is_stored_arrives_once_and_is_acknowledged(tmp_path: Path) -> None:
    stored = Committed()
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db", stored) as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            for rate in range(100):
                outbox.put(a_reading(60 + rate))
                await asyncio.sleep(0)
            await outbox.flush()
            await drained(uplink)
        assert server.held == stored.content
        assert server.repeats == 0
        assert outbox.status().pending == 0
        assert [message.stream for message in server.of(Stream)] == [outbox.stream]
        await outbox.flush()
        assert stored.acknowledged_numbers == {outbox.stream: IntervalSet([(0, 99)])}


async def test_backlog_of_an_earlier_run_follows_behind_the_live_lane(tmp_path: Path) -> None:
    stored = Committed()
    async with an_outbox(tmp_path / "o.db", stored) as outbox:
        for rate in range(3_000):
            outbox.put(a_reading(60 + rate % 100))
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db", stored) as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: uplink.state.connections == 1 and len(server.held) > 0)
            outbox.put(a_reading(55))
            await server.until(lambda: len(server.held) == 3_001)
            await drained(uplink)
        lanes = [message.lane for message in server.of(Readings)]
        assert Lane.LIVE in lanes
        assert lanes.index(Lane.LIVE) < len(lanes) - 1
        assert server.held == stored.content
        assert server.repeats == 0
        # The last STATUS tells that the past is all there.
        await server.until(lambda: server.of(Status)[-1].pending == 0)


async def test_a_server_that_never_acknowledges_gets_a_window_and_no_more(tmp_path: Path) -> None:
    server = Receiver(window=400, acknowledges=False)
    async with server.serving(), an_outbox(tmp_path / "o.db") as outbox:
        for rate in range(2_000):
            outbox.put(a_reading(rate % 200))
        await outbox.flush()
        async with running(an_uplink(outbox, server.url)):
            await server.until(lambda: len(server.held) >= 256)
            for rate in range(300):
                outbox.put(a_reading(rate % 200))
                await outbox.flush()
            await server.until(lambda: server.unacknowledged == 400)
            outbox.put(a_reading(1))
            await outbox.flush()
            await server.say(Sync(request="r"))
            await server.until(lambda: server.of(Status)[-1].request == "r")
            assert server.most_unacknowledged == 400
            backlog = [m for m in server.of(Readings) if m.lane is Lane.BACKLOG]
            assert sum(len(one) for m in backlog for one in m.series) <= 300
        assert outbox.status().pending == 2_301


async def test_cut_between_sending_and_acknowledgement_the_same_bytes_come_again(
    tmp_path: Path,
) -> None:
    stored, server = Committed(), Receiver(acknowledges=False)
    async with server.serving(), an_outbox(tmp_path / "o.db", stored) as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            for rate in range(50):
                outbox.put(a_reading(60 + rate))
                await outbox.flush()
            await server.until(lambda: len(server.held) == 50)
            server.acknowledges = True
            server.sockets[-1].transport.abort()
            await server.until(lambda: server.repeats == 50)
            await drained(uplink)
        assert server.held == stored.content
        assert not server.differing


async def test_part_of_a_row_is_acknowledged_and_the_rest_comes_again(tmp_path: Path) -> None:
    stored, server = Committed(), Receiver(acknowledges=False)
    async with server.serving(), an_outbox(tmp_path / "o.db", stored) as outbox:
        for rate in range(10):
            outbox.put(a_reading(60 + rate))
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: len(server.held) == 10)
            server.accounted[stream].update([(2, 4), (8, 8)])
            await server.say(Acknowledged(stream=stream, ranges=[(2, 4), (8, 8)]))
            await until(lambda: outbox.status().pending == 6)
            server.acknowledges = True
            before = len(server.of(Readings))
            server.sockets[-1].transport.abort()
            await drained(uplink)
        again = [one for m in server.of(Readings)[before:] for one in m.series]
        assert [span for one in again for span in one.ranges()] == [(0, 1), (5, 7), (9, 9)]
        assert server.held == stored.content


async def test_the_same_over_a_restart_where_the_server_holds_more_than_was_heard(
    tmp_path: Path,
) -> None:
    stored, server = Committed(), Receiver(acknowledges=False)
    async with server.serving():
        async with an_outbox(tmp_path / "o.db", stored) as outbox:
            async with running(an_uplink(outbox, server.url)):
                for rate in range(20):
                    outbox.put(a_reading(60 + rate))
                await outbox.flush()
                await server.until(lambda: len(server.held) == 20)
                assert outbox.stream is not None
                server.accounted[outbox.stream].add(0, 19)
        server.acknowledges = True
        async with an_outbox(tmp_path / "o.db", stored) as outbox:
            assert outbox.status().pending == 20
            async with running(an_uplink(outbox, server.url)) as uplink:
                await drained(uplink)
        assert server.repeats == 0, "the answer to STREAM says that it has them"
        assert server.held == stored.content


async def test_numbers_that_were_never_sent_cannot_be_acknowledged_away(tmp_path: Path) -> None:
    server = Receiver(window=16, acknowledges=False)
    async with server.serving(), an_outbox(tmp_path / "o.db") as outbox:
        for rate in range(100):
            outbox.put(a_reading(60 + rate))
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: len(server.held) == 12)
            for message in (
                Acknowledged(stream=stream, ranges=[(0, 2**53 - 1)]),
                Acknowledged(stream=stream, ranges=[(50, 99)], zero_version=0),
                Rejected(stream=stream, ranges=[(60, 99)], code="erased", message=""),
                Rejected(stream=stream, ranges=[(60, 99)], code="bad", message=""),
                Acknowledged(stream="x" * 22, ranges=[(0, 5)]),
            ):
                await server.say(message)
            await server.until(lambda: len(server.held) >= 24)
            assert outbox.status().pending >= 76
            assert outbox.status().dead_letters == 0
            server.acknowledges = True
            server.sockets[-1].transport.abort()
            await drained(uplink)
            assert uplink.state.unsolicited > 0
        missing = set(range(100)) - {number for _, number in server.held}
        assert not missing


@pytest.mark.parametrize(
    "nonsense",
    ["{", "[]", '{"type":"HELLO"}', b"\x00\xff", '{"type":"ACKNOWLEDGED","stream":1}', "[" * 9_999],
    ids=["brace", "list", "hello-again", "bytes", "wrong-field", "deep"],
)
async def test_a_server_that_talks_nonsense_is_left_and_tried_again(
    tmp_path: Path, nonsense: str | bytes
) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: bool(server.of(Status)))
            first = server.sockets[-1]
            await server.say(nonsense)
            await first.wait_closed()
            assert first.close_code == CloseCode.PROTOCOL_VIOLATION
            outbox.put(a_reading(60))
            await outbox.flush()
            await drained(uplink)
            assert server.connections == 2


async def test_a_message_of_a_newer_server_changes_nothing(tmp_path: Path) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: bool(server.of(Status)))
            await server.say('{"type":"SOMETHING_NEW","x":1}')
            outbox.put(a_reading(60))
            await outbox.flush()
            await drained(uplink)
            assert server.connections == 1


async def test_a_server_that_falls_silent_is_left_after_two_and_a_half_heartbeats(
    tmp_path: Path,
) -> None:
    server = Receiver(heartbeat_ms=100)
    async with server.serving(), an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)):
            await server.until(lambda: server.connections >= 2)


async def test_no_server_no_stop(tmp_path: Path) -> None:
    server = Receiver()
    async with server.serving():
        pass
    async with an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await until(lambda: uplink.state.attempts >= 3)
            assert "cannot be reached" in (uplink.state.why or "")
            outbox.put(a_reading(60))
            await outbox.flush()
            async with server.serving():
                await drained(uplink)
                assert uplink.state.why is None
                assert uplink.state.link is Link.ONLINE


async def test_what_is_refused_for_good_becomes_a_dead_letter_and_is_not_sent_again(
    tmp_path: Path,
) -> None:
    server = Receiver(acknowledges=False)
    async with server.serving(), an_outbox(tmp_path / "o.db") as outbox:
        for rate in range(3):
            outbox.put(a_reading(60 + rate))
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: len(server.held) == 3)
            await server.say(Acknowledged(stream=stream, ranges=[(0, 0), (2, 2)]))
            await server.say(
                Rejected(stream=stream, ranges=[(1, 1)], code="denied", message="not yours")
            )
            await until(lambda: outbox.status().pending == 0)
            await outbox.flush()
            assert [letter.series.value for letter in await outbox.dead_letters()] == [[61]]
            server.accounted[stream].update([(0, 0), (2, 2)])
            server.sockets[-1].transport.abort()
            await server.until(lambda: server.connections == 2)
            await drained(uplink)
        assert server.repeats == 0


async def test_a_hole_is_explained_and_the_explanation_acknowledged(tmp_path: Path) -> None:
    limits = Limits(most_bytes=2_000, kept_bytes=0)
    async with an_outbox(tmp_path / "o.db", limits=limits) as outbox:
        for rate in range(60):
            outbox.put(a_reading(rate))
            await outbox.flush()
        hole = dict(outbox.records()[0].holes)["sizeBound"]
        assert hole
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await drained(uplink)
            await server.until(lambda: bool(server.of(Dropped)))
            (dropped,) = server.of(Dropped)
            assert dropped.ranges == hole.ranges()
            assert dropped.reason == "sizeBound"
            await until(lambda: not any(outbox.records()[0].holes.values()))
        assert {number for _, number in server.held} == set(range(60)) - {
            number for first, last in hole for number in range(first, last + 1)
        }


async def test_a_restored_server_gets_again_what_it_lost(tmp_path: Path) -> None:
    stored = Committed()
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db", stored) as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            for rate in range(30):
                outbox.put(a_reading(60 + rate))
                await outbox.flush()
            await drained(uplink)
            await outbox.flush()
            stream = outbox.stream
            assert stream is not None
            server.held.clear()
            server.accounted[stream] = IntervalSet([(0, 9)])
            server.sockets[-1].transport.abort()
            await server.until(lambda: len(server.held) == 20)
            await drained(uplink)
        assert {number for _, number in server.held} == set(range(10, 30))
        assert all(stored.content[key] == content for key, content in server.held.items())


async def test_a_better_time_is_told_in_the_same_connection(tmp_path: Path) -> None:
    async with (
        Receiver().serving() as server,
        an_outbox(tmp_path / "o.db", source=ClockSource.ESTIMATE) as outbox,
    ):
        async with running(an_uplink(outbox, server.url)) as uplink:
            outbox.put(a_reading(60))
            await outbox.flush()
            await drained(uplink)
            outbox.correct_time(ClockMoment(1, 1_700_000_000_000, 5, ClockSource.SYSTEM))
            await server.until(lambda: len(server.of(Stream)) == 2)
            assert [message.zero.version for message in server.of(Stream)] == [0, 1]
            await drained(uplink)
            assert server.connections == 1


async def test_a_sync_is_answered_by_a_status_of_its_own(tmp_path: Path) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)):
            await server.until(lambda: bool(server.of(Status)))
            await server.say(Sync(request="from-a-viewer"))
            await server.until(lambda: server.of(Status)[-1].request == "from-a-viewer")


async def test_status_is_said_at_once_on_change_and_in_time(tmp_path: Path) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url, status_every_s=0.05)) as uplink:
            await server.until(lambda: len(server.of(Status)) >= 3)
            before = len(server.of(Status))
            uplink.report()
            await server.until(lambda: len(server.of(Status)) > before)


class _Tokens:
    """A source that counts, and can be told what to give."""

    def __init__(self) -> None:
        self.given = "first"
        self.asked = 0
        self.kept: list[str] = []

    async def token(self, server_time_ms: int) -> str:
        self.asked += 1
        return self.given

    async def keep(self, token: str) -> None:
        self.kept.append(token)


async def test_tokens_are_renewed_in_band_and_asked_for_anew_each_time(tmp_path: Path) -> None:
    tokens = _Tokens()
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url, tokens=tokens)):
            await server.until(lambda: bool(server.of(Status)))
            await server.say(TokenExpiring(expires_at=1, token="issued"))
            await server.until(lambda: bool(server.of(Refresh)))
            assert tokens.kept == ["issued"]
            await server.say(TokenExpiring(expires_at=1))
            await server.until(lambda: len(server.of(Refresh)) == 2)
            assert [message.token for message in server.of(Refresh)] == ["issued", "first"]
            asked = tokens.asked
            await server.end(CloseCode.UNAUTHENTICATED, "the token expired")
            await server.until(lambda: server.connections == 2)
            assert tokens.asked == asked + 1


async def test_a_server_that_goes_away_is_met_again_at_the_moment_it_gave(tmp_path: Path) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: bool(server.of(Status)))
            await server.say(GoingAway(reconnect_after_ms=200_000))
            await server.end(CloseCode.RESTART)
            await until(lambda: uplink.state.link is Link.WAITING)
            assert 190_000 < uplink.state.retry_ms <= 200_000
            uplink.retry_now()
            await server.until(lambda: server.connections == 2)


async def test_where_a_viewer_stops_a_bridge_says_so_and_waits(tmp_path: Path) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: bool(server.of(Status)))
            await server.end(CloseCode.TAKEN_OVER)
            await until(lambda: uplink.state.link is Link.STOPPED)
            assert "took over" in (uplink.state.why or "")
            outbox.put(a_reading(60))
            await outbox.flush()
            assert outbox.status().pending == 1
            uplink.retry_now()
            await drained(uplink)


async def test_a_message_too_large_is_split_and_a_reading_too_large_put_aside(
    tmp_path: Path,
) -> None:
    server = Receiver()

    def refuse_large(_: object, message: WireModel) -> None:
        if isinstance(message, Readings) and len(server.frames[-1]) > 500:
            raise Refusal(CloseCode.MESSAGE_TOO_LARGE)

    server.react = refuse_large
    async with server.serving(), an_outbox(tmp_path / "o.db") as outbox:
        for rate in range(30):
            outbox.put(a_reading(60 + rate))
        large = Reading("heart_rate", 90, {"rr": [60_000] * 64})
        outbox.put(replace(a_reading(), reading=large))
        outbox.put(a_reading(99))
        await outbox.flush()
        async with running(an_uplink(outbox, server.url)) as uplink:
            await until(lambda: outbox.status().pending == 0)
            assert uplink.state.most_bytes <= 512
            await outbox.flush()
            (letter,) = await outbox.dead_letters()
            assert letter.code == "tooLarge"
            assert letter.series.value == [90]
            assert len(server.held) == 31
