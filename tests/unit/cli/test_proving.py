"""Which halves are verified, and the one status of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.marker import Marker, mark
from strapline.proving import halves, verdict, verify_all, verify_bridge


@pytest.mark.parametrize(
    ("statuses", "status"),
    [([0, 0], 0), ([0, 1], 1), ([2, 1], 1), ([0, 2], 2), ([1, 2], 1), ([0], 0), ([2], 2)],
)
def test_what_is_wrong_counts_more_than_what_was_not_looked_at(
    statuses: list[int], status: int
) -> None:
    assert verdict(statuses) == status


def test_the_services_go_before_the_folder_unless_that_is_named(tmp_path: Path) -> None:
    home, nowhere = tmp_path / "home", tmp_path / "nowhere"
    home.mkdir()
    mark(DataFolder(home), Marker(simulated=True, port=1))
    service = tmp_path / "bridge.toml"
    service.write_text(f'state_dir = "{tmp_path / "state"}"\n')
    bridge, server = halves(None, bridge_service=service, server_service=nowhere, home=home)
    assert bridge is not None
    assert (bridge.config.state_dir, server) == (tmp_path / "state", None)
    for data in (None, home):
        services = nowhere if data is None else service
        bridge, server = halves(data, bridge_service=services, server_service=nowhere, home=home)
        assert bridge is not None
        assert server is not None
        assert (bridge.config.state_dir, server.state_folder) == (home / "bridge", home / "server")
    with pytest.raises(CommandError, match="nothing to verify"):
        halves(None, bridge_service=nowhere, server_service=nowhere, home=nowhere)


def test_what_cannot_be_verified_leaves_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_all(tmp_path, as_json=False) == 2
    assert verify_bridge(tmp_path / "none.toml", None, offline=False, as_json=True) == 2
    said = capsys.readouterr()
    assert not said.out
    assert "nothing to verify" in said.err
    assert "Name another with --config" in said.err
