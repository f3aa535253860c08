"""What `strapline up` cannot do it says in one message, with what to do instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.processes import LINK, environment, strapline

ONE_STRAP = ["--device", "Polar H10", "--user", "Maren Holt"]


def refusal(tmp_path: Path, *arguments: str, status: int = 1) -> str:
    with strapline(arguments, environment(tmp_path)) as running:
        assert running.wait() == status
        assert running.out == ""
        assert "Traceback" not in running.err
        return running.err


def test_without_a_terminal_it_needs_strap_and_wearer(tmp_path: Path) -> None:
    told = refusal(tmp_path, "up")
    assert "--device" in told
    assert "--user" in told
    assert len(told.splitlines()) == 1


def test_strap_and_wearer_go_together(tmp_path: Path) -> None:
    assert "1 --device and 0 --user" in refusal(tmp_path, "up", "--device", "Polar H10")
    assert "0 --device and 1 --user" in refusal(tmp_path, "up", "--user", "Maren Holt")


def test_without_bluetooth_it_says_what_to_do(tmp_path: Path) -> None:
    told = refusal(tmp_path, "up", *ONE_STRAP)
    assert "bluez" in told
    assert "apt-get install" in told


def test_a_simulation_takes_no_strap(tmp_path: Path) -> None:
    assert "--simulate" in refusal(tmp_path, "up", "--simulate", *ONE_STRAP)


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    with strapline(["up", "--debug"], environment(tmp_path)) as running:
        assert running.wait() == 1
        assert "Traceback" in running.err
        assert "--device" in running.err


def test_a_wrong_option_is_status_2(tmp_path: Path) -> None:
    assert "--devise" in refusal(tmp_path, "up", "--devise", "x", status=2)


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path, command: str) -> None:
    simulate = ["--simulate"] if command == "up" else []
    with strapline(["demo", "--port", "0"], environment(tmp_path)) as running:
        port = int(running.wait_for(LINK)["port"])
        other = str(tmp_path / "other")
        told = refusal(tmp_path, command, *simulate, "--port", str(port), "--data", other)
        assert f"Port {port} is in use" in told
        assert f"--port {port + 1}" in told


def test_simulated_straps_take_no_folder_of_real_ones(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "strapline.json").write_text('{"simulated": false, "port": 8420}')
    for command in (["demo", "--port", "0"], ["demo", "--headless"], ["up", "--simulate"]):
        assert "never mixed" in refusal(tmp_path, *command, "--data", str(folder))


def test_a_folder_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with strapline(["demo", "--port", "0"], environment(tmp_path)) as running:
        running.wait_for(LINK)
        told = refusal(tmp_path, "demo", "--port", "0")
        assert "in use by another strapline" in told
        assert "--data" in told
