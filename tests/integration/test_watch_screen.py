"""`strapline watch` before a real server: what a person sees, character by character."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from strapline_protocol.publishing import (
    ClockSource,
    ClockStatus,
    DeviceState,
    DeviceStatus,
    Lane,
    Status,
)
from strapline_server import Server, ServerConfig
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Peer, Run, joined
from tests.integration.watch_kit import Looking, looking


class Scene:
    """A server with Ana and Ben, a bridge that says what a test wants, and a viewer's token."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.token = ""
        self.bridge_token = ""
        self.began_ms = wall_ms() - 200_000
        self.run = Run(self.began_ms)
        self._stack = AsyncExitStack()
        self.server: Server
        self.bridge: Peer

    async def start(self) -> None:
        """The server, at the port that it had before if it had one."""
        config = ServerConfig(port=self.port, state_folder=self.folder)
        self.server = await self._stack.enter_async_context(Server(config))
        self.port = self.server.port
        admin = self.server.admin
        if not self.token:
            await admin.add_user("ana", "Ana [red]Ruiz[/red]")
            await admin.add_user("ben", "Ben Adeyemi")
            self.token = await admin.issue_token("viewer", "viewer", "all", 3_600)
            self.bridge_token = await admin.issue_token("bridge", "bridge", ["ana", "ben"], 3_600)
        self.bridge = await self._stack.enter_async_context(joined(self.server, self.bridge_token))
        await self.run.declare(self.bridge)

    async def stop(self) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def now(self) -> int:
        """``elapsedMs`` of this moment."""
        return wall_ms() - self.began_ms

    async def beats(
        self, *seconds_ago: int, bpm: int = 146, user: str = "ana", lane: Lane = Lane.LIVE
    ) -> None:
        """One reading at each of these moments."""
        now = self.now()
        times = [now - 1_000 * ago for ago in seconds_ago]
        device = f"strap-{user}"
        series = self.run.series([bpm] * len(times), times, user=user, device=device)
        await self.run.publish(self.bridge, series, lane=lane)

    async def status(self, state: DeviceState = DeviceState.CONNECTED, pending: int = 0) -> None:
        """What the bridge says of Ana's strap."""
        device = DeviceStatus(
            device="strap-ana", user="ana", name="Strap", state=state, state_age_ms=0, battery=82
        )
        await self.bridge.say(
            Status(
                devices=[device],
                pending=pending,
                oldest_pending_ms=0,
                clock=ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=10),
            )
        )


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    here = Scene(tmp_path)
    await here.start()
    try:
        yield here
    finally:
        await here.stop()


@asynccontextmanager
async def screen(scene: Scene, size: tuple[int, int] = (100, 32)) -> AsyncIterator[Looking]:
    async with looking(scene.url, scene.token, size) as person:
        yield person


async def test_a_live_person_is_there_with_the_past_minutes(scene: Scene) -> None:
    await scene.status()
    await scene.beats(*range(60, 0, -1))
    async with screen(scene) as person:
        await scene.beats(0, bpm=158)
        rows = await person.sees("╶╮ ╭─╴╭─╮", "1 s ago", "↗ 12 in a minute", "━")
        # Names are text, and Ben has measured nothing.
        assert rows[2].startswith("▌ Ana [red]Ruiz[/red]")
        assert "battery 82 %" in rows[2]
        assert "2 people: 1 live, 1 not measured yet" in rows[0]
        assert "Live" in rows[0]
        assert rows[8].startswith("  Ben Adeyemi")
        assert "Not measured yet" in rows[9]
        # The minute before stands on the trace, read from its history: it had come in later.
        assert rows[6].count("═") >= 11
        assert any(row.endswith("●") for row in rows[3:6])


async def test_a_rate_becomes_a_dash_by_the_clock_alone(scene: Scene) -> None:
    await scene.status()
    await scene.beats(3, 2, 1)
    async with screen(scene) as person:
        await scene.beats(0, bpm=72)
        await person.sees("╶─╮╶─╮", "s ago")
        person.clock.ahead_ms += 6_000
        rows = await person.sees("╶───╴", "72 at ")
        assert "╌╌╌╌╌╌╌╌╌" in rows[6]
        assert "no reading" in rows[4]
        assert "●" not in "".join(rows[2:8])


async def test_a_gap_says_its_cause_and_is_never_bridged(scene: Scene) -> None:
    await scene.status()
    await scene.beats(*range(170, 140, -1))
    async with screen(scene) as person:
        await person.sees("╶───╴", "146 at ")
        await scene.status(DeviceState.SEARCHING)
        rows = await person.sees("░ strap out of range ░", "strap out of range")
        assert "0 of 2 live" in rows[0]
        await scene.status()
        await scene.beats(5, 4, 3, 2, 1, 0)
        rows = await person.sees("╶╮ ╷ ╷╭─╴", "░ silent, 2 min ")
        assert rows[3].count("░") >= 15
        assert "↗" not in rows[3]


async def test_what_was_filled_in_later_is_double(scene: Scene) -> None:
    await scene.beats(*range(180, 150, -1))
    async with screen(scene) as person:
        await scene.beats(1, 0)
        await person.sees("░░░")
        await scene.beats(*range(150, 1, -1), lane=Lane.BACKLOG)
        rows = await person.sees("════════════════", "filled in at")
        assert "░" not in "".join(rows[3:6])


async def test_the_screen_comes_back_with_the_server(scene: Scene) -> None:
    await scene.beats(2, 1)
    async with screen(scene) as person:
        await scene.beats(0)
        await person.sees("╶╮ ╷ ╷╭─╴")
        await scene.stop()
        person.clock.ahead_ms += 6_000
        rows = await person.sees("Offline", "server", "╶───╴")
        assert "╌╌○ Offline" in rows[0]
        assert "●" not in "".join(rows[2:8])
        assert any("Bridges that still run keep recording" in row for row in rows)
        await scene.start()
        person.clock.ahead_ms = 0
        await person.sees("──✓ Up to date")
        await scene.beats(0, bpm=158)
        await person.sees("╶╮ ╭─╴╭─╮", "1 live")


async def test_a_revoked_link_leaves_nothing_on_the_screen(scene: Scene) -> None:
    await scene.beats(1, 0)
    async with screen(scene) as person:
        await person.sees("╶╮ ╷ ╷╭─╴")
        await scene.server.admin.revoke("viewer")
        rows = await person.sees("This link was revoked.", "Ask for a new link", " Stopped ")
        assert "Ana" not in "\n".join(rows)


async def test_a_token_that_is_none_says_so(scene: Scene) -> None:
    async with looking(scene.url, "a.b.c") as person:
        await person.sees("This link no longer holds.", " Stopped ")


async def test_a_right_that_goes_takes_its_band_and_one_that_comes_brings_it(scene: Scene) -> None:
    async with screen(scene) as person:
        await person.sees("Ana [red]", "Ben")
        admin = scene.server.admin
        await admin.grant("viewer", "viewer", ["ben"])
        await person.sees_no("Ana [red]")
        await admin.grant("viewer", "viewer", ["ben", "ana"])
        rows = await person.sees("Ana [red]", "Ben")
        assert rows[2].startswith("▌ Ben")


async def test_keys_choose_and_open_and_go_back(scene: Scene) -> None:
    await scene.status()
    await scene.beats(1, 0)
    async with screen(scene) as person:
        await person.sees("▌ Ana")
        await person.press("down")
        await person.sees("▌ Ben")
        await person.press("k", "enter")
        rows = await person.sees("connected since", "esc everyone")
        assert "Ben" not in "\n".join(rows)
        await person.press("down")
        await person.sees("Not measured yet")
        await person.press("escape", "question_mark")
        await person.sees("How to read it")
        await person.press("question_mark", "o")
        await person.sees("Order: by rate", "▌ Ben")
        await person.press("s")
        await person.sees("bridge asked.")
        await person.press("q")
        assert not person.app.is_running or person.app._exit


async def test_marks_are_offered_only_to_those_who_may(scene: Scene) -> None:
    async with screen(scene) as person:
        rows = await person.sees("▌ Ana")
        assert "m mark" not in rows[-1]
        await person.press("m")
        await person.sees_no("Marked")


async def test_a_mark_and_a_session_are_said(scene: Scene) -> None:
    await scene.server.admin.grant("viewer", "viewer", "all", may_mark=True)
    await scene.beats(1, 0)
    async with screen(scene) as person:
        rows = await person.sees("╶╮ ╷ ╷╭─╴", "m mark")
        await person.press("m")
        await person.sees("Marked ", " for Ana [red]Ruiz[/red].")
        await person.app._control._feed.service.start_session("ana", "Intervals")
        await scene.beats(0)
        rows = await person.sees("Intervals 0:0", " so far")
        assert rows[2].startswith("▌ Ana [red]Ruiz[/red]  Intervals 0:0")


async def test_history_by_minute_and_hour_is_read_and_moved_through(scene: Scene) -> None:
    await scene.beats(*range(180, -1, -1))
    async with screen(scene) as person:
        await person.sees("╶╮ ╷ ╷╭─╴")
        await person.press("h")
        rows = await person.sees("an hour, by minute", "readings, average 146, 146 to 146.")
        assert sum("━━" in row for row in rows) == 1
        await person.press("left", "left")
        await person.sees("Nothing was measured in this stretch.")
        await person.press("n", "up", "up")
        await person.sees("a day, by hour", "readings, average 146")
        await person.press("escape")
        await person.sees("2 people: 1 live")


async def test_many_people_scroll_and_the_chosen_one_stays(scene: Scene) -> None:
    for number in range(12):
        await scene.server.admin.add_user(f"u{number:02}", f"Person {number:02}")
    async with screen(scene, (80, 24)) as person:
        rows = await person.sees("▌ Ana", "Ben")
        assert len(rows) == 24
        assert "Person 04" not in "\n".join(rows)
        await person.press(*["down"] * 9)
        rows = await person.sees("▌ Person 07")
        assert rows[0].startswith(" ──●  Strapline")
        assert rows[-1].endswith("quit")
        # A wheel looks elsewhere, and what is drawn again does not bring it back.
        person.app.query_one("#people").scroll_to(y=0, animate=False, immediate=True)
        for _ in range(3):
            rows = await person.sees("  Ana")
        assert "▌ Person 07" not in "\n".join(rows)
        assert "Not measured yet" in rows[3]
        await person.press("down")
        await person.sees("▌ Person 08")


@pytest.mark.parametrize("size", [(60, 24), (40, 20), (20, 10)], ids=str)
async def test_small_terminals_are_filled_and_nothing_is_broken(
    scene: Scene, size: tuple[int, int]
) -> None:
    await scene.beats(*range(30, -1, -1))
    async with screen(scene, size) as person:
        rows = await person.sees("╶╮ ╷ ╷╭─╴")
        assert len(rows) == size[1]
        assert max(map(len, rows)) <= size[0]
        await person.pilot.resize_terminal(100, 32)
        rows = await person.sees("1 live")
        assert len(rows) == 32


async def test_a_hole_from_before_it_was_opened_has_the_cause_that_the_bridge_noticed(
    scene: Scene,
) -> None:
    await scene.beats(*range(200, 120, -1))
    begin = scene.now() - 121_000
    noticed = scene.run.series(
        [None],
        [begin],
        metric="gap",
        device="strap-ana",
        durationMs=[61_000],
        cause=["notWorn"],
        evidence=["contact"],
    )
    await scene.run.publish(scene.bridge, noticed)
    await scene.beats(*range(60, -1, -1))
    async with screen(scene) as person:
        await person.sees("Gap of 1 min 1 s at ", ": not worn.")
        await person.press("enter")
        rows = await person.sees("Last 24 hours: 1 min ", " without a reading")
        assert any(row.endswith("1 min 1 s           not worn") for row in rows)
        await person.press("h")
        await person.sees("Without a reading 1 min ", "not worn 1 min 1 s")
