"""The socket in the folder: its mode, its path, what was there before."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from strapline_bridge.control.place import NAME, bind, reachable, remove


def test_it_is_its_owners_alone_from_its_first_moment(tmp_path: Path) -> None:
    with bind(tmp_path):
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    remove(tmp_path)
    assert not (tmp_path / NAME).exists()
    remove(tmp_path)


def test_one_that_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    bind(tmp_path).close()
    with bind(tmp_path) as listener:
        listener.listen()
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.connect(str(tmp_path / NAME))


def test_a_folder_with_a_long_path_is_reached_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    with bind(folder) as listener:
        listener.listen()
        with reachable(folder) as path, socket.socket(socket.AF_UNIX) as visitor:
            assert len(path) < 108
            visitor.connect(path)
