"""The lock is exclusive, names its holder, and lets go."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from strapline_bridge.outbox import OutboxHeldError, OutboxUnreadableError
from strapline_bridge.outbox.lock import ProcessLock


def test_a_second_holder_is_refused_by_name_and_may_follow(tmp_path: Path) -> None:
    database = tmp_path / "outbox.db"
    lock = ProcessLock.acquire(database)
    with pytest.raises(OutboxHeldError) as refused:
        ProcessLock.acquire(database)
    assert refused.value.holder == f"pid {os.getpid()} on {socket.gethostname()}"
    assert str(database) in str(refused.value)
    lock.release()
    lock.release()
    following = ProcessLock.acquire(database)
    following.release()


def test_the_file_is_for_its_owner_and_says_nothing_once_released(tmp_path: Path) -> None:
    database = tmp_path / "outbox.db"
    lock = ProcessLock.acquire(database)
    file = tmp_path / "outbox.db.lock"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lock.release()
    assert file.read_text() == ""


def test_a_holder_that_has_not_said_who_it_is(tmp_path: Path) -> None:
    database = tmp_path / "outbox.db"
    lock = ProcessLock.acquire(database)
    (tmp_path / "outbox.db.lock").write_text("")
    with pytest.raises(OutboxHeldError, match="has not said who it is"):
        ProcessLock.acquire(database)
    lock.release()


def test_a_folder_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "missing" / "state"
    ProcessLock.acquire(folder / "outbox.db").release()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    for folder in (tmp_path / "state", tmp_path / "state" / "below"):
        with pytest.raises(OutboxUnreadableError, match=r"Not a directory.*state_dir") as refused:
            ProcessLock.acquire(folder / "outbox.db")
        assert "mv " not in str(refused.value)
