"""Files for their owner alone: real files, real modes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from strapline_bridge.errors import BridgeError
from strapline_bridge.private_file import read_private


class _Error(BridgeError):
    pass


def _read(path: Path) -> bytes:
    return read_private(path, "thing", 4, "Make one", _Error)


def test_reads_one_byte_more_than_may_be_there(tmp_path: Path) -> None:
    path = tmp_path / "thing"
    path.touch(0o600)
    for content, read in ((b"", b""), (b"abcd", b"abcd"), (b"abcdefgh", b"abcde")):
        path.write_bytes(content)
        assert _read(path) == read


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o610])
def test_refuses_what_others_can_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "thing"
    path.write_bytes(b"abcd")
    path.chmod(mode)
    with pytest.raises(_Error, match=f"chmod 600 {path}"):
        _read(path)


def test_names_the_thing_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(_Error, match=f"there is no thing {tmp_path}/a. Make one"):
        _read(tmp_path / "a")
    (tmp_path / "b").symlink_to(tmp_path / "b")
    with pytest.raises(_Error, match="cannot be read: Too many levels"):
        _read(tmp_path / "b")


def test_waits_for_no_pipe_and_reads_no_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(_Error, match="is not a file"):
            _read(path)
