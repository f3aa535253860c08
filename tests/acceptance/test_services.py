"""Bridge and server as systemd starts them: they say when they are ready, live, and stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from strapline_bridge.wearables import Wearable, Wearables, WearablesFile
from tests.acceptance.processes import PATIENCE_S, Program, environment, strapline


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE_S)
        self.heard: list[str] = []

    def wait_for(self, message: str) -> None:
        while message not in self.heard:
            self.heard.append(self._socket.recv(4_096).decode())

    def wait_for_text(self, part: str) -> None:
        while not any(part in message for message in self.heard):
            self.heard.append(self._socket.recv(4_096).decode())

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(tmp_path / "notify")
    yield found
    found.close()


def started_by(manager: Manager, tmp_path: Path, watchdog_s: float) -> dict[str, str]:
    watchdog = str(int(watchdog_s * 1_000_000))
    return environment(tmp_path, NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC=watchdog)


def stops(running: Program) -> None:
    status, took_s = running.stop(signal.SIGTERM)
    assert status == 0, running.err
    assert took_s < 5


def test_a_server_is_ready_once_it_serves_and_feeds_its_watchdog(
    tmp_path: Path, manager: Manager
) -> None:
    settings = tmp_path / "server.toml"
    settings.write_text(f'[server]\nstate_folder = "{tmp_path}/state"\nport = 0\n')
    env = started_by(manager, tmp_path, 0.3)
    with strapline(["server", "run", "--config", settings], env) as running:
        manager.wait_for("READY=1")
        running.wait_for("serving on port")
        assert "0 bridges, 0 viewers connected" in manager.heard[0]
        manager.wait_for("WATCHDOG=1")
        stops(running)
        manager.wait_for("STOPPING=1")


def test_a_bridge_is_ready_without_bluetooth_and_says_what_is_wrong(
    tmp_path: Path, manager: Manager
) -> None:
    settings = tmp_path / "bridge.toml"
    settings.write_text(f'state_dir = "{tmp_path}/state"\n')
    env = started_by(manager, tmp_path, 0.3)
    with strapline(["bridge", "run", "--config", settings], env) as running:
        manager.wait_for("READY=1")
        assert "no wearable chosen" in manager.heard[0]
        manager.wait_for("WATCHDOG=1")
        stops(running)
        manager.wait_for("STOPPING=1")


def test_a_server_reads_its_settings_again_and_says_what_needs_a_restart(
    tmp_path: Path, manager: Manager
) -> None:
    settings = tmp_path / "server.toml"
    heading = f'[server]\nstate_folder = "{tmp_path}/state"\nport = 0\n'
    settings.write_text(heading)
    env = started_by(manager, tmp_path, 30)
    with strapline(["server", "run", "--config", settings], env) as running:
        manager.wait_for("READY=1")
        settings.write_text(f"{heading}unknown = 1\n")
        running.send(signal.SIGHUP)
        running.wait_for("nothing was changed: .*server.toml.*unknown")
        settings.write_text(f'{heading}host = "::1"\n[limits]\nconnections = 7\n')
        running.send(signal.SIGHUP)
        running.wait_for("server.toml: host: only a restart changes that")
        stops(running)


def test_a_bridge_takes_up_the_wearables_that_stand_there_now(
    tmp_path: Path, manager: Manager
) -> None:
    settings = tmp_path / "bridge.toml"
    settings.write_text(f'state_dir = "{tmp_path}/state"\n')
    env = started_by(manager, tmp_path, 0.3)
    with strapline(["bridge", "run", "--config", settings], env) as running:
        manager.wait_for("READY=1")
        strap = Wearable(
            device="strap", addresses=("AA:BB:CC:DD:EE:FF",), user="anna", name="H10", added_at=1
        )
        WearablesFile(tmp_path / "state").change(lambda _: Wearables(wearables=(strap,)))
        settings.write_text(
            f'state_dir = "{tmp_path}/state"\nlog_level = "info"\n[outbox]\nmax_mib = 64\n'
        )
        running.send(signal.SIGHUP)
        running.wait_for("bridge.toml: outbox: only a restart changes that")
        manager.wait_for_text("0 of 1 wearables connected")
        stops(running)
