"""`strapline server sources`, `link`, `unlink` beside a running server whose viewers are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.sources import link, order_sources, show_sources, unlink
from strapline_protocol.publishing import DeviceState, DeviceStatus
from strapline_protocol.watching import (
    HealthDataUpdate,
    HeartRateData,
    HistoryChange,
    HistoryChanged,
)
from strapline_server import AdminError, ServerConfig
from strapline_server.clock import wall_ms
from tests.integration.rights_kit import people, status_of
from tests.integration.server_kit import Peer, Run, joined, serving, until


async def rates(bridge: Peer, run: Run, *values: float) -> None:
    """Readings of just now, one of a millisecond."""
    elapsed = wall_ms() - run.began_ms
    await run.publish(bridge, run.series(values, [elapsed + n for n in range(len(values))]))


def wearable(run: Run, name: str) -> DeviceStatus:
    """A device of Ana's that is connected."""
    return DeviceStatus(
        device=run.device, user="ana", name=name, state=DeviceState.CONNECTED, state_age_ms=0
    )


async def test_an_order_is_shown_set_and_told_to_who_watches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ServerConfig(state_folder=tmp_path)
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-ana"]) as viewer,
        ):
            began_ms = wall_ms()
            strap, watch = (Run(began_ms, device=name) for name in ("strap-1", "watch-1"))
            for run in (strap, watch):
                await run.declare(bridge)
            await rates(bridge, strap, 60, 60)
            await rates(bridge, watch, 90, 90)
            named = [wearable(strap, "Chest"), wearable(watch, "Watch")]
            await bridge.say(status_of(strap, devices=named))
            await until(lambda: server._statuses.hop("ana", "watch-1") is True, "status arrived")
            await server._keep_names()
            await viewer.subscribe()
            await show_sources(config, "ana", "heart_rate", as_json=False)
            told = capsys.readouterr().out
            assert told.split() == ["heart_rate", "Chest", "strap-1", "Watch", "watch-1"]

            # By another process's hand; no reading need come for viewers to hear of it.
            await order_sources(config, "ana", None, ["watch"], by_rule=False)
            changed = await viewer.expect(HistoryChanged)
            assert (changed.why, changed.count) == (HistoryChange.OTHER_SOURCE, 4)
            assert isinstance(changed.data, HeartRateData)
            assert changed.data.average == 90
            await rates(bridge, watch, 96)
            update = await viewer.expect(HealthDataUpdate)
            assert update.previous == changed.position
            assert isinstance(update.data, HeartRateData)
            assert update.data.average == 92
            await show_sources(config, "ana", None, as_json=True)
            found = json.loads(capsys.readouterr().out)
            assert [(one["device"], one["preferred"]) for one in found] == [
                ("watch-1", True),
                ("strap-1", False),
            ]
            await order_sources(config, "ana", None, [], by_rule=True)
            changed = await viewer.expect(HistoryChanged)
            assert isinstance(changed.data, HeartRateData)
            assert changed.data.average == 60

            await link(config, "Watch", "strap-1")
            assert capsys.readouterr().out == "watch-1 strap-1\n"
            await show_sources(config, "ana", None, as_json=False)
            assert "one strap with strap-1" in capsys.readouterr().out
            with pytest.raises(AdminError, match="one strap already"):
                await link(config, "strap-1", "watch-1")
            await unlink(config, "watch-1")
            with pytest.raises(AdminError, match="is not linked"):
                await unlink(config, "watch-1")


async def test_what_is_not_there_is_said_with_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ServerConfig(state_folder=tmp_path)
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["pi-ana"]) as bridge:
            run = Run(wall_ms())
            await run.declare(bridge)
            await rates(bridge, run, 60)
        await show_sources(config, "ben", None, as_json=False)
        assert "Of ben nothing was measured yet." in capsys.readouterr().out
        with pytest.raises(AdminError, match="no user 'nobody'"):
            await show_sources(config, "nobody", None, as_json=False)
        with pytest.raises(CommandError, match=r"no device 'pod'\. There are: strap-1"):
            await order_sources(config, "ana", None, ["pod"], by_rule=False)
        with pytest.raises(CommandError, match="either --by-rule or --order"):
            await order_sources(config, "ana", None, ["strap-1"], by_rule=True)
        with pytest.raises(AdminError, match="each device once"):
            await order_sources(config, "ana", None, ["strap-1", "strap-1"], by_rule=False)
        with pytest.raises(AdminError, match="metric: 'Heart Rate'"):
            await order_sources(config, "ana", "Heart Rate", ["strap-1"], by_rule=False)
        with pytest.raises(CommandError, match="no device 'pod'"):
            await link(config, "strap-1", "pod")
        with pytest.raises(AdminError, match="no device 'pod' here"):
            await server.admin.link_device("strap-1", "pod")
        with pytest.raises(AdminError, match="no device 'pod' of ana"):
            await server.admin.order_sources("ana", None, ["pod"])


async def test_straps_of_two_people_are_not_made_one(tmp_path: Path) -> None:
    config = ServerConfig(state_folder=tmp_path)
    async with serving(tmp_path) as server:
        tokens = await people(server)
        for user, device in (("ana", "strap-1"), ("ben", "strap-2")):
            run = Run(wall_ms(), user=user, device=device)
            async with joined(server, tokens[f"pi-{user}"]) as bridge:
                await run.declare(bridge)
                await rates(bridge, run, 60)
        with pytest.raises(CommandError, match=r"different people.*strap-1 \(of .*strap-2 \(of "):
            await link(config, "strap-1", "strap-2")
        with pytest.raises(CommandError, match=r"There are: strap-1 \(of .*, strap-2 \(of "):
            await link(config, "strap-1", "pod")
