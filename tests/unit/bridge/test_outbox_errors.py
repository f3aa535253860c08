"""Each error of the outbox names the thing, the cause and what to do."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from strapline_bridge.errors import BridgeError
from strapline_bridge.outbox.errors import (
    OutboxError,
    OutboxHeldError,
    OutboxReadError,
    OutboxTooNewError,
    OutboxUnreadableError,
)

_PATH = Path("/var/lib/x/outbox.db")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OutboxHeldError(_PATH, "pid 1 on pi"), ["outbox.db", "pid 1 on pi", "Stop that one"]),
        (OutboxTooNewError(_PATH, "0009_x", "0001_y"), ["0009_x", "0001_y", "Upgrade"]),
        (OutboxUnreadableError(_PATH, "no way"), ["outbox.db", "no way", "mv "]),
        (OutboxReadError("disk I/O error"), ["disk I/O error", "Check the disk"]),
    ],
    ids=["held", "too-new", "unreadable", "read"],
)
def test_it_says_what_and_what_to_do(error: OutboxError, says: list[str]) -> None:
    assert isinstance(error, BridgeError)
    for part in says:
        assert part in str(error)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EACCES, ["Permission denied", "own /var/lib/x,", "state_dir"]),
        (errno.EROFS, ["Read-only file system", "another `state_dir`"]),
        (errno.ENOSPC, ["No space left", "Make room on the disk of /var/lib/x"]),
        (errno.EEXIST, ["Not a directory", "Choose a folder"]),
        (errno.EIO, ["Input/output error", "Check the disk"]),
    ],
)
def test_a_fault_of_the_folder_is_not_one_of_the_file(number: int, says: list[str]) -> None:
    error = OutboxUnreadableError.because(_PATH, OSError(number, "in whatever words"))
    for part in says:
        assert part in str(error)
    assert "mv " not in str(error)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_CANTOPEN, "Let the user that runs the bridge own /var/lib/x"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "Let the user that runs the bridge own /var/lib/x"),
        (sqlite3.SQLITE_FULL, "Make room"),
        (sqlite3.SQLITE_IOERR_READ, "Check the disk"),
        (sqlite3.SQLITE_BUSY, "Stop what else has it open"),
        (sqlite3.SQLITE_CORRUPT, "mv /var/lib/x/outbox.db "),
        (sqlite3.SQLITE_NOTADB, "mv /var/lib/x/outbox.db "),
    ],
)
def test_only_a_damaged_file_is_to_be_put_aside(code: int, says: str) -> None:
    fault = sqlite3.OperationalError("so it is")
    fault.sqlite_errorcode = code
    error = str(OutboxUnreadableError.because(_PATH, fault))
    assert "so it is" in error
    assert says in error
    assert ("mv " in error) == ("mv " in says)
