"""Who may what: roles, grants, streams, and that nothing tells who there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from strapline_protocol.opening import (
    Authenticate,
    Client,
    Error,
    Refresh,
    Refreshed,
    Request,
    Result,
    TokenExpiring,
)
from strapline_protocol.publishing import (
    Acknowledged,
    ClockSource,
    ClockStatus,
    DeviceState,
    DeviceStatus,
    Dropped,
    Rejected,
    Status,
    Sync,
)
from strapline_protocol.watching import (
    HealthDataUpdate,
    Subscribe,
    Subscribed,
    SubscriptionChanged,
    SyncAsked,
    SyncStatusUpdate,
)
from strapline_server import Server
from strapline_server.clock import wall_ms
from strapline_server.store import Grant, View
from strapline_server.watching import Viewer
from tests.integration.server_kit import Run, connected, joined, serving, until

#: Tasks of a server that nobody is asking anything.
_CHORES = 4


async def people(server: Server) -> dict[str, str]:
    """Two wearers, a bridge and a viewer of each, and one of both; their tokens."""
    for user in ("ana", "ben"):
        await server.admin.add_user(user, user.title(), "UTC")
    issue = server.admin.issue_token
    return {
        "pi-ana": await issue("pi-ana", "bridge", ["ana"], 600),
        "pi-ben": await issue("pi-ben", "bridge", ["ben"], 600),
        "eye-ana": await issue("eye-ana", "viewer", ["ana"], 600),
        "eye-ben": await issue("eye-ben", "viewer", ["ben"], 600),
        "eye-all": await issue("eye-all", "viewer", "all", 600),
    }


def history(user: str, metric: str = "heart_rate") -> dict[str, JsonValue]:
    return {"user": user, "metric": metric, "fromMs": 0, "toMs": wall_ms() + 10_000}


async def refusal(server: Server, token: str) -> tuple[int, str]:
    async with connected(server) as peer:
        await peer.say(Authenticate(token=token, client=Client(name="test", version="0")))
        return await peer.ended()


async def test_tokens_that_are_not_good_here_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path / "one") as server, serving(tmp_path / "two") as other:
        tokens = await people(server)
        assert (await refusal(other, tokens["eye-ana"]))[0] == 4401
        await server.admin.revoke("eye-ana")
        code, reason = await refusal(server, tokens["eye-ana"])
        assert code == 4403
        await server.admin.issue_token("eye-ben", "bridge", ["ben"], 600)
        # The old token says viewer, the grant says bridge.
        assert await refusal(server, tokens["eye-ben"]) == (code, reason)
        assert server.counters.authentications_refused == 2


async def test_each_viewer_gets_what_it_was_granted_and_no_more(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as pi_ana,
            joined(server, tokens["pi-ben"]) as pi_ben,
            joined(server, tokens["eye-ana"]) as eye_ana,
            joined(server, tokens["eye-ben"]) as eye_ben,
            joined(server, tokens["eye-all"]) as eye_all,
        ):
            assert set((await eye_ana.subscribe()).snapshot) == {"ana"}
            assert set((await eye_ben.subscribe()).snapshot) == {"ben"}
            assert set((await eye_all.subscribe()).snapshot) == {"ana", "ben"}
            for user, bridge, value in (("ana", pi_ana, 71), ("ben", pi_ben, 82)):
                run = Run(wall_ms() - 1_000, user, f"strap-of-{user}")
                await run.declare(bridge)
                await run.publish(bridge, run.series([value], [500]))
            assert (await eye_ana.expect(HealthDataUpdate)).series.value == [71]
            assert (await eye_ben.expect(HealthDataUpdate)).series.value == [82]
            assert [
                (await eye_all.expect(HealthDataUpdate)).user,
                (await eye_all.expect(HealthDataUpdate)).user,
            ] == ["ana", "ben"]
            for eye, other in ((eye_ana, "ben"), (eye_ben, "ana")):
                await eye.say(Request(request="h", method="history", params=history("none")))
                await eye.expect(Error)
                assert other not in repr(eye.heard)


@pytest.mark.parametrize("user", ["ben", "nobody-of-this-name"])
async def test_a_user_that_is_not_granted_looks_like_one_that_is_not_there(
    tmp_path: Path, user: str
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["eye-ana"]) as eye:
            await eye.say(Subscribe(request="r", users=[user]))
            subscribed = await eye.expect(Error)
            await eye.say(Request(request="r", method="history", params=history(user)))
            asked = await eye.expect(Error)
            await eye.say(Request(request="r", method="sync", params={"users": [user]}))
            synced = await eye.expect(Error)
            expected = Error(request="r", code="notGranted", message="not granted")
            assert [subscribed, asked, synced] == [expected] * 3
            # A refused subscription changes nothing of the one that stands.
            assert set((await eye.subscribe(users=["ana"])).snapshot) == {"ana"}


async def test_a_grant_by_metric_hides_the_others(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        narrow = await server.admin.issue_token(
            "eye-steps", "viewer", ["ana"], 600, metrics=["steps"]
        )
        async with joined(server, tokens["pi-ana"]) as bridge, joined(server, narrow) as eye:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
            steps = run.series([12], [10], "steps", counter=("c", 0))
            await run.publish(bridge, steps)
            snapshot = (await eye.subscribe()).snapshot["ana"]
            assert snapshot.state is not None
            assert set(snapshot.state) == {"steps"}
            await run.publish(bridge, run.series([71], [20]))
            steps = run.series([13], [30], "steps", counter=("c", 0))
            await run.publish(bridge, steps)
            assert (await eye.expect(HealthDataUpdate)).metric == "steps"
            await eye.say(Request(request="h", method="history", params=history("ana")))
            assert (await eye.expect(Error)).code == "notGranted"
            replayed = await eye.subscribe(since={"ana": (eye.hello.epoch, 0)})
            assert not replayed.snapshot["ana"].reset
            assert (await eye.expect(HealthDataUpdate)).metric == "steps"
            assert (await eye.expect(HealthDataUpdate)).metric == "steps"
            await eye.say(Request(request="h", method="history", params=history("ana", "steps")))
            await eye.expect(Result)
            assert "heart_rate" not in repr(eye.heard)


async def test_a_message_of_the_other_role_is_denied_and_changes_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-ana"]) as eye,
        ):
            run = Run(wall_ms())
            await eye.say(run.declaration())
            assert (await eye.expect(Error)).code == "notAllowed"
            await eye.say(run.readings(run.series([1], [0])))
            assert (await eye.expect(Error)).code == "notAllowed"
            await bridge.say(Subscribe(request="1"))
            assert (await bridge.expect(Error)).code == "notAllowed"
            await bridge.say(Request(request="h", method="history", params=history("ana")))
            assert (await bridge.expect(Error)).code == "notAllowed"
            assert (await run.declare(bridge)).ranges == []


async def test_a_bridge_publishes_for_its_users_only(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["pi-ana"]) as bridge:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            good = run.series([70, 71], [0, 10])
            of_ben = run.series([80], [20], user="ben")
            of_none = run.series([90], [30], user="nobody")
            await bridge.say(run.readings(of_ben, good, of_none))
            assert (await bridge.expect(Acknowledged)).ranges == [(0, 1)]
            rejected = await bridge.expect(Rejected)
            assert (rejected.ranges, rejected.code) == ([(2, 3)], "denied")
            # The grant comes: what was rejected is received when it is sent again.
            await server.admin.grant("pi-ana", "bridge", ["ana", "ben"])
        async with joined(server, tokens["pi-ana"]) as bridge:
            assert (await run.declare(bridge)).ranges == [(0, 1)]
            await bridge.say(run.readings(of_ben, of_none))
            assert (await bridge.expect(Acknowledged)).ranges == [(2, 2)]
            assert (await bridge.expect(Rejected)).ranges == [(3, 3)]


async def test_a_stream_belongs_to_the_bridge_that_declared_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        await server.admin.grant("pi-ben", "bridge", ["ana", "ben"])
        run = Run(wall_ms() - 1_000)
        async with joined(server, tokens["pi-ana"]) as owner:
            await run.declare(owner)
            await run.publish(owner, run.series([70], [0]))
            async with joined(server, tokens["pi-ben"]) as thief:
                await thief.say(run.declaration())
                assert (await thief.expect(Rejected)).code == "denied"
                await thief.say(run.readings(run.series([1], [10])))
                denied = await thief.expect(Rejected)
                assert (denied.ranges, denied.code) == ([(1, 1)], "denied")
                await thief.say(Dropped(stream=run.id, ranges=[(0, 5)], reason="bound"))
                assert (await thief.expect(Rejected)).code == "denied"
                # Not even a newer idea of its time.
                await thief.say(run.declaration(version=9, began_ms=0))
                assert (await thief.expect(Rejected)).code == "denied"
            answer = await run.declare(owner)
            assert (answer.ranges, answer.zero_version) == ([(0, 0)], 1)


async def test_readings_before_their_stream_close(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["pi-ana"]) as bridge:
            run = Run(wall_ms())
            await bridge.say(run.readings(run.series([1], [0])))
            assert await bridge.ended() == (4400, "READINGS before STREAM")


async def test_a_bridge_may_have_more_streams_than_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strapline_server.publishing._MOST_STREAMS", 2)
    async with serving(tmp_path) as server:
        tokens = await people(server)
        runs = [Run(wall_ms() - 1_000) for _ in range(5)]
        async with joined(server, tokens["pi-ana"]) as bridge:
            for run in runs:
                await run.declare(bridge)
            for run in runs:
                series = run.series([70], [0])
                assert (await run.publish(bridge, series)).ranges == [(0, 0)]
            # One that was never declared is refused series by series, since who knows.
            unknown = Run(wall_ms())
            await bridge.say(unknown.readings(unknown.series([1], [0])))
            rejected = await bridge.expect(Rejected)
            assert (rejected.stream, rejected.code) == (unknown.id, "denied")
            await runs[0].publish(bridge, runs[0].series([71], [10]))


async def test_one_bad_series_spoils_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["pi-ana"]) as bridge:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            good, bad = run.series([70], [0]), run.series([71], [10])
            text = run.readings(good, bad).model_dump_json(by_alias=True)
            await bridge.socket.send(text.replace("[71]", '["71"]'))
            first, second = await bridge.hear(), await bridge.hear()
            assert {type(first), type(second)} == {Acknowledged, Rejected}
            rejected = first if isinstance(first, Rejected) else second
            assert isinstance(rejected, Rejected)
            assert (rejected.ranges, rejected.code) == ([(1, 1)], "malformed")
            assert (await run.declare(bridge)).ranges == [(0, 0)]


def status_of(run: Run, **fields: object) -> Status:
    device = DeviceStatus(
        device=run.device, user=run.user, name="chest", state=DeviceState.CONNECTED, state_age_ms=0
    )
    clock = ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=5)
    told: dict[str, object] = {"devices": [device], "pending": 0, "oldest_pending_ms": 0}
    return Status(clock=clock, **{**told, **fields})  # type: ignore[arg-type]  # a test's shorthand


async def test_a_sync_reaches_the_bridges_of_that_user_only(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as pi_ana,
            joined(server, tokens["pi-ben"]) as pi_ben,
            joined(server, tokens["eye-ana"]) as eye,
        ):
            await eye.subscribe()
            await eye.say(Request(request="s", method="sync"))
            assert (await eye.expect(Result)).result == {"asked": 1}
            sync = await pi_ana.expect(Sync)
            await pi_ana.say(status_of(Run(0), request=sync.request))
            while (await eye.expect(SyncStatusUpdate)).status == "syncing":
                pass
            await eye.say(SyncAsked(status="syncing"))
            await pi_ana.expect(Sync)
            # In order of sending, nothing else came to the other bridge.
            run = Run(wall_ms(), "ben")
            await run.declare(pi_ben)
            assert not [message for message in pi_ben.heard if isinstance(message, Sync)]


async def test_straps_of_others_in_a_status_are_left_out(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-all"]) as eye,
        ):
            await eye.subscribe()
            mine, foreign = Run(0, "ana", "mine"), Run(0, "ben", "foreign")
            told = status_of(mine)
            devices = [*told.devices, *status_of(foreign).devices]
            text = told.model_copy(update={"devices": devices}).model_dump_json(by_alias=True)
            # What a bridge may not say in the first place goes no further.
            text = text.replace('"name":"chest"', '"name":"chest","address":"AA:BB:CC:DD:EE:FF"')
            await bridge.socket.send(text)
            while not (update := await eye.expect(SyncStatusUpdate)).hops.devices:
                pass
            assert [hop.device for hop in update.hops.devices] == ["mine"]
            assert "AA:BB" not in repr(eye.heard)
            assert "foreign" not in repr((await eye.subscribe()).snapshot)


# While connections stand


async def test_a_grant_that_goes_narrows_open_connections_within_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as pi_ana,
            joined(server, tokens["pi-ben"]) as pi_ben,
            joined(server, tokens["eye-all"]) as eye,
        ):
            await eye.subscribe()
            await server.admin.grant("eye-all", "viewer", ["ben"])
            changed = await eye.expect(SubscriptionChanged)
            assert (changed.added, changed.removed) == ([], ["ana"])
            for user, bridge in (("ana", pi_ana), ("ben", pi_ben)):
                run = Run(wall_ms() - 1_000, user, f"strap-of-{user}")
                await run.declare(bridge)
                await run.publish(bridge, run.series([70], [500]))
            assert (await eye.expect(HealthDataUpdate)).user == "ben"
            await eye.say(Subscribe(request="again", users=["ana"]))
            assert (await eye.expect(Error)).code == "notGranted"
            await server.admin.grant("eye-all", "viewer", "all")
            assert (await eye.expect(SubscriptionChanged)).added == ["ana"]
            assert set((await eye.subscribe()).snapshot) == {"ana", "ben"}


async def test_a_grant_that_goes_while_a_snapshot_is_read_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as pi_ana,
            joined(server, tokens["pi-ben"]) as pi_ben,
            joined(server, tokens["eye-all"]) as eye,
        ):
            read = server._store.view
            reads = []

            async def view_before_the_revocation(*asked: Any) -> View:
                view = await read(*asked)
                reads.append(len(view.users))
                if len(reads) == 1:
                    await server.admin.grant("eye-all", "viewer", ["ben"], metrics=["steps"])
                    await server._regrant()
                elif len(reads) == 3:
                    await server.admin.grant("eye-all", "viewer", ["ben"], metrics=["battery"])
                    await server._regrant()
                return view

            monkeypatch.setattr(server._store, "view", view_before_the_revocation)
            assert set((await eye.subscribe()).snapshot) == {"ben"}
            assert reads == [2, 1]
            await eye.subscribe()
            assert reads == [2, 1, 1, 1]
            for user, bridge in (("ana", pi_ana), ("ben", pi_ben)):
                run = Run(wall_ms() - 1_000, user, f"strap-of-{user}")
                await run.declare(bridge)
                for metric in ("heart_rate", "steps", "battery"):
                    await run.publish(bridge, run.series([70], [500], metric))
            update = await eye.expect(HealthDataUpdate)
            assert (update.user, update.metric) == ("ben", "battery")


async def test_metrics_that_go_leave_the_screen_and_those_that_come_are_shown(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-ana"]) as eye,
            joined(server, tokens["eye-all"]) as slow,
            joined(server, tokens["eye-all"]) as steps_only,
        ):
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
            steps = run.series([12], [10], "steps", counter=("c", 0))
            held = (await eye.subscribe()).snapshot["ana"].position
            await slow.subscribe(min_interval_ms=3_600_000)
            await steps_only.subscribe(metrics=["steps"])
            await run.publish(bridge, steps)
            assert (await eye.expect(HealthDataUpdate)).metric == "steps"
            assert (await slow.expect(HealthDataUpdate)).metric == "steps"
            # Kept until its interval is over, which it never is here.
            await run.publish(bridge, run.series([71], [20]))
            assert (await eye.expect(HealthDataUpdate)).metric == "heart_rate"
            (viewer,) = (one for one in server._hub._watchers["ana"] if one._interval_ms)  # type: ignore[attr-defined]  # a Viewer
            assert viewer._outlet  # type: ignore[attr-defined]  # see above
            for sub, users in (("eye-ana", ["ana"]), ("eye-all", "all")):
                await server.admin.grant(sub, "viewer", users, metrics=["steps"])  # type: ignore[arg-type]  # a list or all
            changed = await eye.expect(SubscriptionChanged)
            assert (changed.added, changed.removed) == (["ana"], ["ana"])
            changed = await slow.expect(SubscriptionChanged)
            assert (changed.added, changed.removed) == (["ana", "ben"], ["ana", "ben"])
            assert not viewer._outlet  # type: ignore[attr-defined]  # see above
            # Nothing comes of who was removed until it is asked for; then without the rest.
            await run.publish(bridge, run.series([13], [30], "steps", counter=("c", 0)))
            snapshot = (await eye.subscribe(since={"ana": held})).snapshot["ana"]
            assert eye.heard[-2] == SubscriptionChanged(added=["ana"], removed=["ana"])
            assert snapshot.reset
            assert set(snapshot.state or {}) == {"steps"}
            # Who sees no other metrics than before is told nothing.
            assert (await steps_only.expect(HealthDataUpdate)).series.value == [12]
            assert (await steps_only.expect(HealthDataUpdate)).series.value == [13]
            await server.admin.grant("eye-ana", "viewer", ["ana"])
            changed = await eye.expect(SubscriptionChanged)
            assert (changed.added, changed.removed) == (["ana"], ["ana"])
        # And the same for one that was away meanwhile.
        async with joined(server, tokens["eye-ana"]) as eye:
            back = (await eye.subscribe(since={"ana": snapshot.position})).snapshot["ana"]
            assert back.reset
            assert set(back.state or {}) == {"heart_rate", "steps"}


async def test_one_that_was_revoked_in_between_begins_anew(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["pi-ana"]) as bridge:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
        async with joined(server, tokens["eye-ana"]) as eye:
            held = (await eye.subscribe()).snapshot["ana"].position
            assert not (await eye.subscribe(since={"ana": held})).snapshot["ana"].reset
        await server.admin.revoke("eye-ana")
        await server.admin.grant("eye-ana", "viewer", ["ana"], metrics=["steps"])
        async with joined(server, tokens["eye-ana"]) as eye:
            back = (await eye.subscribe(since={"ana": held})).snapshot["ana"]
            assert (back.reset, back.state) == (True, {})


async def test_one_that_is_lost_while_its_snapshot_is_read_watches_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["eye-ana"]) as eye:
            read = server._store.view
            done = asyncio.Event()

            async def view_of_one_that_is_lost(*asked: Any) -> View:
                for connection in list(server._connections):
                    connection.abort()
                await until(lambda: not server._connections, "it is lost")
                assert server._hub._watchers == {}
                done.set()
                return await read(*asked)

            monkeypatch.setattr(server._store, "view", view_of_one_that_is_lost)
            await eye.say(Subscribe(request="1"))
            await asyncio.wait_for(done.wait(), 10)
            await until(lambda: len(server._tasks) == _CHORES, "it is over")
            assert server._hub._watchers == {}


async def test_too_much_while_a_snapshot_is_read_ends_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-ana"]) as eye,
        ):
            read = server._store.view
            go_on = asyncio.Event()

            async def slow_view(*asked: Any) -> View:
                await go_on.wait()
                return await read(*asked)

            monkeypatch.setattr(server._store, "view", slow_view)
            monkeypatch.setattr("strapline_server.watching._MOST_JOINING", 3)
            await eye.say(Subscribe(request="1"))
            await until(lambda: server._hub.is_watched("ana"), "it joined")
            (viewer,) = server._hub._watchers["ana"]
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            for number in range(5):
                await run.publish(bridge, run.series([70], [number]))
            assert len(viewer._joining) == 3  # type: ignore[attr-defined]  # a Viewer
            # It is told at once, not when the read is over.
            code, reason = await eye.ended()
            assert (code, reason.partition(";")[0]) == (1013, "too much came while subscribing")
            go_on.set()


async def test_a_principal_that_is_revoked_is_closed_within_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-ana"]) as eye,
            joined(server, tokens["eye-all"]) as other,
        ):
            await server.admin.revoke("pi-ana")
            await server.admin.revoke("eye-ana")
            assert (await bridge.ended())[0] == 4403
            assert (await eye.ended())[0] == 4403
            await other.subscribe()


async def test_rights_go_whatever_becomes_of_the_blocks_and_of_other_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)

        def fault(*_: object) -> None:
            raise ZeroDivisionError

        async with (
            joined(server, tokens["eye-ana"]) as eye,
            joined(server, tokens["eye-all"]) as other,
        ):
            await eye.subscribe()
            await other.subscribe()
            monkeypatch.setattr(server._store, "cool", fault)
            await until(lambda: "merging small blocks failed" in caplog.text, "it was tried")
            regrant = Viewer.regrant

            def regrant_or_fault(viewer: Viewer, grant: Grant) -> None:
                if grant.sub == "eye-all":
                    raise ZeroDivisionError
                regrant(viewer, grant)

            monkeypatch.setattr(Viewer, "regrant", regrant_or_fault)
            await server.admin.revoke("eye-ana")
            assert (await eye.ended())[0] == 4403
            assert (await other.ended())[0] == 1011


async def test_a_new_user_is_announced_to_those_who_may_see_all(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["eye-all"]) as eye:
            await eye.subscribe()
            await server.admin.add_user("cleo")
            assert (await eye.expect(SubscriptionChanged)).added == ["cleo"]
            assert "cleo" in (await eye.subscribe()).snapshot


async def test_rights_are_read_again_at_resume_and_at_renewal(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["eye-all"]) as eye:
            position = (await eye.subscribe()).snapshot["ana"].position
        await server.admin.grant("eye-all", "viewer", ["ben"])
        async with joined(server, tokens["eye-all"]) as eye:
            await eye.say(Subscribe(request="r", since={"ana": position}))
            assert set((await eye.expect(Subscribed)).snapshot) == {"ben"}
            await server.admin.revoke("eye-all")
            await eye.say(Refresh(token=tokens["eye-all"]))
            assert (await eye.ended())[0] == 4403


async def test_a_refresh_is_of_the_same_principal(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        newer = await server.admin.issue_token("eye-ana", "viewer", ["ana"], 900)
        async with joined(server, tokens["eye-ana"]) as eye:
            await eye.say(Refresh(token=newer))
            refreshed = await eye.expect(Refreshed)
            assert refreshed.expires_at > wall_ms() + 890_000
            await eye.say(Refresh(token=tokens["eye-ben"]))
            assert (await eye.ended())[0] == 4403
        async with joined(server, tokens["eye-ana"]) as eye:
            await eye.say(Refresh(token="x.y.z"))
            assert (await eye.ended())[0] == 4401


async def test_a_token_is_renewed_at_half_its_life_and_its_end_closes(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana")
        token = await server.admin.issue_token("eye", "viewer", ["ana"], 3)
        async with joined(server, token) as renewing, joined(server, token) as idle:
            expiring = await renewing.expect(TokenExpiring)
            assert expiring.token is not None
            assert expiring.token != token
            await renewing.say(Refresh(token=expiring.token))
            assert (await renewing.expect(Refreshed)).expires_at > expiring.expires_at
            assert await idle.ended() == (4401, "the token expired")
            await renewing.subscribe()
        assert (await refusal(server, token))[0] == 4401


async def test_a_second_connection_of_a_bridge_takes_over(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["eye-ana"]) as eye:
            await eye.subscribe()
            async with joined(server, tokens["pi-ana"]) as older:
                async with joined(server, tokens["pi-ana"]) as newer:
                    assert (await older.ended())[0] == 4409
                    run = Run(wall_ms() - 500)
                    await run.declare(newer)
                    await run.publish(newer, run.series([70], [0]))
                    snapshot = (await eye.subscribe()).snapshot["ana"]
                    assert [hop.state for hop in snapshot.status.hops.bridges] == ["online"]
