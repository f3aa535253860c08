"""Rights that come, go and end while a connection stands."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from strapline_protocol.opening import (
    Authenticated,
    Error,
    Refresh,
    Refreshed,
    TokenExpiring,
)
from strapline_protocol.watching import (
    HealthDataUpdate,
    Subscribe,
    Subscribed,
    SubscriptionChanged,
)
from strapline_server.clock import wall_ms
from strapline_server.secret import load_secret
from strapline_server.store import Grant, View
from strapline_server.watching import Viewer
from tests.integration.rights_kit import people, refusal
from tests.integration.server_kit import Run, joined, serving, until
from tests.unit.server.key_kit import sign

#: Tasks of a server that nobody is asking anything.
_CHORES = 5


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


async def test_the_right_to_mark_comes_and_goes_in_an_open_connection(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        grant = server.admin.grant
        async with joined(server, tokens["eye-ana"]) as eye, joined(server, tokens["eye-ben"]) as b:
            assert [one.may_mark for one in eye.heard if isinstance(one, Authenticated)] == [False]
            await eye.subscribe()
            await grant("eye-ana", "viewer", ["ana"], may_mark=True)
            told = await eye.expect(SubscriptionChanged)
            assert told == SubscriptionChanged(added=[], removed=[], may_mark=True)
            # One that subscribes before the server has looked hears of it too; and of what did not
            # change nothing is said.
            await grant("eye-ana", "viewer", ["ana"])
            await eye.subscribe()
            assert (await eye.expect(SubscriptionChanged)).may_mark is False
            await grant("eye-ana", "viewer", "all")
            told = await eye.expect(SubscriptionChanged)
            assert (told.added, told.may_mark) == (["ben"], None)
            # At a renewal at once.
            await grant("eye-ana", "viewer", "all", may_mark=True)
            await eye.say(Refresh(token=tokens["eye-ana"]))
            await eye.expect(Refreshed)
            assert SubscriptionChanged(added=[], removed=[], may_mark=True) in eye.heard
            await b.subscribe()
            assert not any(isinstance(one, SubscriptionChanged) for one in b.heard)


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
        token = await server.admin.issue_token("eye-ana", "viewer", ["ana"], metrics=["steps"])
        async with joined(server, token) as eye:
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


async def test_a_token_that_was_revoked_lets_nobody_in_under_the_same_name_again(
    tmp_path: Path,
) -> None:
    now = [wall_ms()]
    async with serving(tmp_path, clock=lambda: now[0]) as server:
        tokens = await people(server)
        fresh = ""
        for sub, role in (("pi-ana", "bridge"), ("eye-ana", "viewer")):
            async with joined(server, tokens[sub]) as open_before:
                # Before the server has looked, and in the same second.
                await server.admin.revoke(sub)
                fresh = await server.admin.issue_token(sub, role, ["ana"], 600)
                code, reason = await open_before.ended()
            assert (code, "strapline server token" in reason) == (4403, True)
            code, reason = await refusal(server, tokens[sub])
            assert (code, "strapline server token" in reason) == (4403, True)
            async with joined(server, fresh) as peer:
                await peer.say(Refresh(token=tokens[sub]))
                assert (await peer.ended())[0] == 4403
            # A clock that was set back locks nobody out.
            now[0] -= 300_000
            later = await server.admin.issue_token(sub, role, ["ana"], 600)
            for good in (fresh, later):
                async with joined(server, good):
                    pass
    # Nor does a restart of the server let it in.
    async with serving(tmp_path) as server:
        assert (await refusal(server, tokens["eye-ana"]))[0] == 4403
        async with joined(server, fresh):
            pass


async def test_what_an_application_signed_lives_until_it_expires(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await people(server)
        claims = {"sub": "eye-ana", "role": "viewer", "aud": "strapline"}
        payload = json.dumps({**claims, "exp": wall_ms() // 1_000 + 600}).encode()
        token = sign(payload, {"alg": "HS256"}, load_secret(server.config.secret_path))
        await server.admin.revoke("eye-ana")
        assert (await refusal(server, token))[0] == 4403
        await server.admin.grant("eye-ana", "viewer", ["ana"])
        async with joined(server, token) as eye:
            await eye.subscribe()


async def test_the_next_token_is_of_the_same_generation(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana")
        await server.admin.issue_token("eye", "viewer", ["ana"], 3)
        await server.admin.revoke("eye")
        token = await server.admin.issue_token("eye", "viewer", ["ana"], 3)
        async with joined(server, token) as eye:
            renewed = (await eye.expect(TokenExpiring)).token
            assert renewed is not None
            await eye.say(Refresh(token=renewed))
            await eye.expect(Refreshed)


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
