"""One server for one state folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from strapline_server.errors import StoreError
from strapline_server.lock import FILE_NAME, FolderLock


def test_a_second_one_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.acquire()
    with pytest.raises(StoreError, match=f"process {os.getpid()}.*set another state_folder"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_what_dies_gives_it_back(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from strapline_server.lock import FolderLock;"
        "FolderLock(Path(sys.argv[1])).acquire()"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    lock = FolderLock(tmp_path)
    lock.acquire()
    assert (tmp_path / FILE_NAME).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_folder_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone.*cannot be opened.*another state_folder"):
        FolderLock(tmp_path / "gone").acquire()
