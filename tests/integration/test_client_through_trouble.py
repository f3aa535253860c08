"""The Python client on a real server, through all that lies between: cuts, losses, rights, time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from strapline_client import (
    ConnectionState,
    ConnectionStatus,
    HistoryPage,
    RequestRefusedError,
    StoppedError,
    Update,
    Updates,
    WebSocketEventType,
    WebSocketService,
)
from strapline_protocol.server_session import Deadlines
from strapline_protocol.watching import HealthDataUpdate
from strapline_server import Server, ServerConfig
from strapline_server.clock import wall_ms
from tests.acceptance.foreign_client.relay import Relay, relay_to
from tests.integration.server_kit import PATIENCE_S, Peer, Run, joined

AHEAD_MS = 3_600_000


class Line:
    """A server whose clock is an hour ahead, one strap's bridge, and a relay for the viewer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.run = Run(self.now_ms() - 60_000)
        self.deadlines = Deadlines()
        self._bridge: Peer | None = None
        self._stack = AsyncExitStack()

    @staticmethod
    def now_ms() -> int:
        return wall_ms() + AHEAD_MS

    async def start(self) -> Server:
        config = ServerConfig(port=self.port, state_folder=self.folder)
        server = await self._stack.enter_async_context(
            Server(config, clock=self.now_ms, deadlines=self.deadlines)
        )
        self.port = server.port
        for user in ("ana", "ben"):
            await server.admin.add_user(user, user.title(), "UTC")
        token = await server.admin.issue_token("pi", "bridge", ["ana", "ben"], 3_600)
        self._bridge = await self._stack.enter_async_context(joined(server, token))
        await self.run.declare(self._bridge)
        return server

    async def stop(self) -> None:
        await self._stack.aclose()

    async def beat(self, *values: float, user: str = "ana") -> None:
        """Publish each value by itself, as measured now."""
        assert self._bridge is not None
        for value in values:
            series = self.run.series([value], [self.now_ms() - self.run.began_ms], user=user)
            await self.run.publish(self._bridge, series)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    one = Line(tmp_path)
    yield one
    await one.stop()


@pytest.fixture
async def server(line: Line) -> Server:
    return await line.start()


@pytest.fixture
async def relay(line: Line, server: Server) -> AsyncIterator[Relay]:
    async with relay_to(server.port) as one:
        yield one


async def issue(server: Server, users: list[str], lifetime_s: int = 3_600) -> str:
    return await server.admin.issue_token("eye", "viewer", users, lifetime_s)


def watching(relay: Relay, token: str, min_interval_ms: int = 0) -> WebSocketService:
    url = f"ws://127.0.0.1:{relay.port}/ws"
    return WebSocketService(url, token, min_interval_ms=min_interval_ms)


async def until(updates: Updates, wanted: Callable[[Update], bool]) -> list[Update]:
    """All updates up to the wanted one."""
    came: list[Update] = []
    async with asyncio.timeout(PATIENCE_S):
        async for update in updates:
            came.append(update)
            if wanted(update):
                return came
    raise AssertionError("the updates ended")


def subscribed(update: Update) -> bool:
    return update.type is WebSocketEventType.SUBSCRIBED


async def rates(updates: Updates, count: int) -> list[float | None]:
    """The values of the next changes, in the order in which they came."""
    came: list[float | None] = []
    async with asyncio.timeout(PATIENCE_S):
        async for update in updates:
            if isinstance(update.message, HealthDataUpdate):
                came += update.message.series.value
                if len(came) >= count:
                    return came
    raise AssertionError(f"the updates ended after {came}")


async def test_a_cut_cable_costs_nothing_and_doubles_nothing(
    line: Line, server: Server, relay: Relay
) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        updates = service.updates()
        await until(updates, subscribed)
        await line.beat(60, 61)
        assert await rates(updates, 2) == [60, 61]
        relay.hold()
        relay.cut()
        await until(updates, lambda _: service.status is ConnectionStatus.RECONNECTING)
        await line.beat(62, 63)
        relay.resume()
        assert await rates(updates, 2) == [62, 63]
        await line.beat(64)
        assert await rates(updates, 1) == [64]
        assert (service.connections, service.counters.ignored) == (2, 0)


async def test_what_is_lost_on_the_way_is_asked_for(
    line: Line, server: Server, relay: Relay
) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        updates = service.updates()
        await until(updates, subscribed)
        relay.lose = 2
        await line.beat(60, 61, 62, 63)
        assert await rates(updates, 4) == [60, 61, 62, 63]
        assert service.connections == 1


async def test_a_server_that_falls_silent_is_left(line: Line, relay: Relay, server: Server) -> None:
    await line.stop()
    line.deadlines = Deadlines(heartbeat_ms=100)
    server = await line.start()
    async with watching(relay, await issue(server, ["ana"])) as service:
        updates = service.updates()
        await until(updates, lambda _: service.status is ConnectionStatus.CONNECTED)
        relay.muted = True
        await line.beat(60)
        came = await until(updates, lambda _: service.status is ConnectionStatus.RECONNECTING)
        assert "fell silent" in str(came[-1].message)
        assert await rates(updates, 1) == [60]


async def test_it_follows_over_a_restart_of_the_server(
    line: Line, server: Server, relay: Relay
) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        updates = service.updates()
        await until(updates, subscribed)
        await line.beat(60)
        assert await rates(updates, 1) == [60]
        await line.stop()
        await line.start()
        await line.beat(61)
        assert await rates(updates, 1) == [61]
        assert service.users["ana"].health.heart_rate is not None
        assert service.users["ana"].health.heart_rate.min == 60


async def test_the_token_that_the_server_issues_is_the_next_connections(
    line: Line, server: Server, relay: Relay
) -> None:
    async with watching(relay, await issue(server, ["ana"], lifetime_s=2)) as service:
        updates = service.updates()
        await until(updates, subscribed)
        # Past the first token's end, which nothing but time tells.
        await asyncio.sleep(2.5)
        await line.beat(60)
        assert await rates(updates, 1) == [60]
        assert service.connections == 1
        relay.cut()
        came = await until(updates, subscribed)
        states = [one.message for one in came if isinstance(one.message, ConnectionState)]
        assert 4401 not in [state.code for state in states]


async def test_an_expired_token_is_followed_by_the_programs_next(
    server: Server, relay: Relay
) -> None:
    tokens = iter(["not.a.token", await issue(server, ["ana"])])

    async def token() -> str:
        return next(tokens)

    async with WebSocketService(f"ws://127.0.0.1:{relay.port}/ws", token) as service:
        await until(service.updates(), subscribed)
        assert relay.connections == 2


async def test_a_grant_that_narrows_leaves_and_one_that_widens_comes(
    line: Line, server: Server, relay: Relay
) -> None:
    async with watching(relay, await issue(server, ["ana", "ben"])) as service:
        updates = service.updates()
        await until(updates, subscribed)
        assert list(service.users) == ["ana", "ben"]
        await server.admin.grant("eye", "viewer", ["ben"])
        await until(updates, lambda one: one.type is WebSocketEventType.SUBSCRIPTION_CHANGED)
        assert list(service.users) == ["ben"]
        await line.beat(60)
        await line.beat(70, user="ben")
        assert await rates(updates, 1) == [70]
        await server.admin.grant("eye", "viewer", ["ana", "ben"])
        await until(updates, subscribed)
        assert list(service.users) == ["ben", "ana"]
        assert service.users["ana"].health.heart_rate is not None
        await line.beat(61)
        assert await rates(updates, 1) == [61]


async def test_a_grant_that_is_taken_back_stops_and_shows_nobody(
    server: Server, relay: Relay
) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        updates = service.updates()
        await until(updates, subscribed)
        await server.admin.revoke("eye")
        with pytest.raises(StoppedError):
            await until(updates, lambda _: False)
        assert service.users == {}


async def test_a_slow_reader_gets_the_newest_and_is_told_what_it_missed(
    line: Line, server: Server, relay: Relay
) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        fast, slow = service.updates(), service.updates(bound=3)
        await until(fast, subscribed)
        await line.beat(*range(60, 70))
        await rates(fast, 10)
        lagged = await anext(slow)
        assert lagged.type is WebSocketEventType.LAGGED
        assert await rates(slow, 3) == [67, 68, 69]
        assert service.counters.left_out == slow.left_out > 0


async def test_a_thinned_subscription_is_no_gap(line: Line, server: Server, relay: Relay) -> None:
    token = await issue(server, ["ana"])
    async with watching(relay, token, min_interval_ms=300) as service:
        updates = service.updates()
        await until(updates, subscribed)
        await line.beat(*range(60, 70))
        last = (await until(updates, lambda one: newest(one) == 69))[-1]
        assert isinstance(last.message, HealthDataUpdate)
        assert last.message.conflated > 0
        assert service.connections == 1
        assert not [one for one in await drained(updates) if subscribed(one)]


def newest(update: Update) -> float | None:
    message = update.message
    return message.series.value[-1] if isinstance(message, HealthDataUpdate) else None


async def drained(updates: Updates) -> list[Update]:
    updates.end()
    return [one async for one in updates]


async def test_history_goes_on_over_a_cut(line: Line, server: Server, relay: Relay) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        await until(service.updates(), subscribed)
        await line.beat(*range(60, 70))
        pages: list[HistoryPage] = []
        async for page in service.history("ana", "heart_rate", 0, line.now_ms() + 1, limit=4):
            pages.append(page)
            relay.cut()
        values = [value for page in pages for series in page.series for value in series.value]
        assert values == list(range(60, 70))
        assert service.connections > 1


async def test_an_age_is_by_the_servers_clock(line: Line, server: Server, relay: Relay) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        updates = service.updates()
        await until(updates, subscribed)
        await line.beat(60)
        await rates(updates, 1)
        # This machine's wall clock is an hour behind, and nobody asks it.
        age_ms = service.age_ms("ana", "heart_rate")
        assert age_ms is not None
        assert age_ms < 5_000
        assert service.current("ana", "heart_rate") == 60


async def test_the_originals_way_of_asking_for_a_sync(server: Server, relay: Relay) -> None:
    async with watching(relay, await issue(server, ["ana"])) as service:
        kind = WebSocketEventType.SYNC_STATUS_UPDATE
        assert service.send(kind, {"status": "syncing"}) is False
        updates = service.updates()
        await until(updates, subscribed)
        await until(updates, lambda one: one.type is kind and one.message is not None)
        assert service.counters.waiting == 0


async def test_sessions_and_marks_are_made_and_read(
    line: Line, server: Server, relay: Relay
) -> None:
    token = await server.admin.issue_token("eye", "viewer", ["ana"], 3_600, may_mark=True)
    async with watching(relay, token) as service:
        updates = service.updates()
        await until(updates, subscribed)
        assert service.session is not None
        assert service.session.may_mark
        began = await service.start_session("ana", "Intervals")
        assert (began.name, began.end_ms) == ("Intervals", None)
        await line.beat(60, 80)
        await rates(updates, 2)
        mark = await service.mark("ana", "Hill")
        ended = await service.end_session("ana")
        assert ended.id == began.id
        stretch = (began.start_ms, line.now_ms() + 1_000)
        (found,) = [one async for one in service.sessions("ana", *stretch)]
        assert (found.session, found.average) == (ended, 70)
        assert [one async for one in service.marks("ana", *stretch)] == [mark]
        with pytest.raises(RequestRefusedError, match="no session runs"):
            await service.end_session("ana")
