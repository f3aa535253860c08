"""Who may what: roles, grants, streams, and that nothing tells who there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline_protocol.opening import (
    Error,
    Request,
    Result,
)
from strapline_protocol.publishing import (
    Acknowledged,
    Dropped,
    Rejected,
    Sync,
)
from strapline_protocol.watching import (
    HealthDataUpdate,
    Subscribe,
    SyncAsked,
    SyncStatusUpdate,
)
from strapline_server.clock import wall_ms
from tests.integration.rights_kit import history, people, refusal, status_of
from tests.integration.server_kit import Run, joined, serving


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
