"""Each error of the outbox names the thing, the cause and what to do."""

from __future__ import annotations

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
