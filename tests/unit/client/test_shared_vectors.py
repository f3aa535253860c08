"""What the web's service does at the same vectors (``shared-vectors.test.ts``), this one does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from strapline_client import (
    ServerClock,
    Update,
    UserState,
    WebSocketEventType,
    WebSocketService,
    health_data,
)
from strapline_client.retry import Ending, Renew, Retry, Stop
from strapline_protocol.closing import Backoff
from strapline_protocol.positions import Positions, Taken
from strapline_protocol.watching import (
    HistoryChange,
    HistoryChanged,
    Hops,
    MetricData,
    SyncStatus,
    UserStatus,
    ValueData,
)
from tests.unit.client.played import World, completed, sent_requests, settle

FOLDER = Path(__file__).parents[2] / "vectors/client"
METRIC: TypeAdapter[MetricData] = TypeAdapter(MetricData)
Case = dict[str, Any]
Said = dict[str, Any]


def vectors(name: str) -> Case:
    content: Case = json.loads((FOLDER / f"{name}.json").read_bytes())
    return content


def cases(name: str) -> pytest.MarkDecorator:
    """All cases of a file but those of a page alone, as a test's parameter."""
    found = [one for one in vectors(name)["cases"] if one.get("only", "python") == "python"]
    return pytest.mark.parametrize("case", found, ids=[one["name"] for one in found])


def data_of(said: Said) -> MetricData:
    return METRIC.validate_json(json.dumps(said), by_alias=True, by_name=False)


# ------------------------------------------------------------------------------------ single rules


def a_change(said: Said) -> HistoryChanged:
    nothing = ValueData(current=None, last=None, fresh_for_ms=1, on_change=False)
    return HistoryChanged(
        user=said["user"],
        metric=said["metric"],
        data=nothing,
        from_ms=0,
        to_ms=0,
        count=1,
        position=tuple(said["position"]),
        previous=tuple(said["previous"]),
        server_time=0,
        why=HistoryChange.BACKFILLED,
    )


@cases("positions")
def test_positions(case: Case) -> None:
    positions = Positions()
    for step in case["steps"]:
        match step:
            case {"snapshot": {"user": user, "position": [epoch, n], "reset": reset}}:
                positions.snapshot(user, (epoch, n), reset=reset)
            case {"forget": user}:
                positions.forget(user)
            case {"change": change, "taken": taken}:
                conflated = change.get("conflated", False)
                found = positions.take(a_change(change), conflated=conflated)
                assert found is Taken[taken.upper()], step
            case {"since": since}:
                assert {user: list(at) for user, at in positions.since().items()} == since
            case _:
                raise AssertionError(step)


@cases("health-data")
def test_health_data(case: Case) -> None:
    metrics = {name: data_of(data) for name, data in case["metrics"].items()}
    found = health_data(metrics).model_dump(mode="json", by_alias=True)
    assert without_null_rates(found) == without_null_rates(case["health"])


def without_null_rates(health: Said) -> Said:
    rate = health["heartRate"]
    told = rate and {name: value for name, value in rate.items() if value is not None}
    return {**health, "heartRate": told}


@cases("freshness")
def test_freshness(case: Case) -> None:
    status = UserStatus(
        status=SyncStatus.REALTIME,
        hops=Hops.model_validate_json(json.dumps(case["hops"])),
        pending=0,
        complete_through_ms=None,
        last_sync_at=None,
    )
    state = UserState("maren", "Maren", {case["metric"]: data_of(case["data"])}, status)
    found = state.current(case["metric"], case["nowMs"], connected=case["connected"])
    assert found == case["current"]


@cases("clock")
def test_clock(case: Case) -> None:
    clock = ServerClock()
    for step in case["steps"]:
        match step:
            case {"begin": True}:
                clock.begin()
            case {"heard": server_time, "at": at}:
                clock.heard(server_time, at)
            case {"nowAt": at, "is": expected}:
                assert clock.now_ms(at) == expected
            case _:
                raise AssertionError(step)


@cases("endings")
def test_endings(case: Case) -> None:
    ending = Ending(
        case["code"],
        case.get("reason", ""),
        return_after_ms=case.get("goingAwayMs"),
        spread_ms=4_000,
        versions=case.get("versions", ()),
    )
    retry = Retry(Backoff(attempt=case.get("failures", 0)))
    _, step = retry.after(ending, case.get("random", 0.5), other_token=True)
    match step:
        case Stop():
            assert case["next"] == {"stop": ending.why}
        case Renew():
            assert case["next"] == {"renew": True}
        case _:
            assert case["next"] == {"afterMs": step.after_ms, "reason": ending.why}


# ------------------------------------------------------------------------------ whole conversations


class Conversation:
    """One service, the server that talks to it, and what it did since somebody looked."""

    def __init__(self, service: WebSocketService, world: World, messages: dict[str, Said]) -> None:
        self.service = service
        self.world = world
        self.messages = messages
        self.told: list[list[Any]] = []
        self._seen = 0
        for kind in (
            WebSocketEventType.HEALTH_DATA_UPDATE,
            WebSocketEventType.HISTORY_CHANGED,
            WebSocketEventType.SUBSCRIPTION_CHANGED,
            WebSocketEventType.SYNC_STATUS_UPDATE,
        ):
            service.add_event_listener(kind, self._note)

    def _note(self, update: Update) -> None:
        told = rate_of(update.state)
        if update.type is WebSocketEventType.SYNC_STATUS_UPDATE:
            told = update.state and update.state.status and update.state.status.status
        self.told.append([update.type.value, update.user, told])

    async def step(self, step: Said) -> None:
        name = next(iter(step))
        await getattr(self, f"step_{name}")(**step)
        await settle()

    async def step_server(self, server: list[Said]) -> None:
        for said in server:
            request = next(sent_requests(self.world.sockets), "")
            whole = completed(said, self.messages, request)
            self.world.sockets[-1].say(json.dumps(whole))
            await settle()

    async def step_serverRaw(self, serverRaw: str) -> None:  # noqa: N802, N803  # the vectors' name
        self.world.sockets[-1].say(serverRaw)

    async def step_closes(self, closes: tuple[int, str]) -> None:
        self.world.sockets[-1].end(*closes)
        self._seen = 0

    async def step_passes(self, passes: int) -> None:
        await self.world.time.passes(passes)

    async def step_random(self, random: float) -> None:
        self.world.random = random

    async def step_sent(self, sent: list[Said]) -> None:
        frames = self.world.sockets[-1].sent
        fresh, self._seen = frames[self._seen :], len(frames)
        assert [plain(frame) for frame in fresh] == sent

    async def step_told(self, told: list[list[Any]]) -> None:
        found, self.told = self.told, []
        assert found == told

    async def step_users(self, users: dict[str, Any]) -> None:
        assert {user: rate_of(state) for user, state in self.service.users.items()} == users

    async def step_status(self, status: str, reason: str | None, **more: int | None) -> None:
        state = self.service.connection
        assert (state.status, state.why) == (status, reason)
        if "retryMs" in more:
            assert self.service.retry_in_ms() == more["retryMs"]

    async def step_connections(self, connections: int) -> None:
        assert len(self.world.sockets) == connections

    async def step_ignored(self, ignored: int) -> None:
        assert self.service.counters.ignored == ignored

    async def step_waiting(self, waiting: int, dropped: int) -> None:
        counters = self.service.counters
        assert (counters.waiting, counters.dropped) == (waiting, dropped)

    async def step_sends(self, sends: tuple[str, Said], *, at_once: bool) -> None:
        assert self.service.send(*sends) is at_once

    async def step_serverNow(self, serverNow: int | None) -> None:  # noqa: N802, N803  # see above
        assert self.service.server_now_ms() == serverNow

    async def step_simulated(self, *, simulated: bool) -> None:
        assert self.service.connection.simulated is simulated


def plain(frame: Said) -> Said:
    """A frame as the vectors write it: no number that is the client's own, no default."""
    kept = {name: value for name, value in frame.items() if name not in ("client", "request")}
    if "request" in frame:
        kept["request"] = "*"
    if kept.get("since") == {}:
        del kept["since"]
    return kept


def rate_of(state: UserState | None) -> Any:
    rate = None if state is None else state.health.heart_rate
    return None if rate is None else rate.current


def application(tokens: Iterable[str | None]) -> Callable[[], Any]:
    """A token function that gives these, and fails where there is none."""
    left = iter(tokens)

    async def give() -> str:
        token = next(left)
        if token is None:
            raise OSError("the keyring is locked")
        return token

    return give


@asynccontextmanager
async def talking(case: Case, messages: dict[str, Said]) -> AsyncIterator[Conversation]:
    world = World()
    given = case.get("application")
    service = WebSocketService(
        "ws://127.0.0.1/ws",
        "t1" if given is None else application(given),
        users=case.get("users"),
        metrics=case.get("metrics"),
        min_interval_ms=case.get("minIntervalMs", 0),
        ports=world.ports,
    )
    if given is not None:
        service.configure(token="t1")
    async with service:
        await settle()
        yield Conversation(service, world, messages)


@cases("conversations")
async def test_conversations(case: Case) -> None:
    messages = vectors("conversations")["messages"]
    async with talking(case, messages) as conversation:
        for number, step in enumerate(case["steps"]):
            try:
                await conversation.step(step)
            except AssertionError as error:
                error.add_note(f"step {number}: {step}")
                raise
