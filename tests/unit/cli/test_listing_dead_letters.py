"""Dead letters as they are printed, and what must be said to handle some."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from strapline.dead_letters import settle, tell
from strapline.errors import CommandError
from strapline.reaching import Reached
from strapline.terminal import make_console
from strapline_bridge.config import BridgeConfig
from strapline_bridge.dead_letters import Letter
from strapline_bridge.wearables import Wearables

AT_MS = 1_795_521_600_000


def _letter(message: str = "nobody of that name", to_ms: int = AT_MS) -> Letter:
    return Letter(
        id="3/7",
        stream="abcdefgh" + "x" * 14,
        first=7,
        last=8,
        readings=2,
        user="anna",
        device="kP3xqv0bQmKXyYyA0nqT9w",
        metric="heart_rate",
        from_ms=AT_MS,
        to_ms=to_ms,
        code="noSuchUser",
        message=message,
    )


def _told(*letters: Letter) -> str:
    out = io.StringIO()
    tell(make_console(file=out, width=240), letters, Wearables())
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_each_has_a_line_that_says_whose_when_and_why() -> None:
    told = _told(_letter(), _letter("", AT_MS + 61_000), _letter("", AT_MS + 86_400_000))
    assert "2   anna    kP3xqv0b   heart_rate   2026-11-24 12:00:00 " in told
    assert "nobody of that name (noSuchUser)" in told
    assert "2026-11-24 12:00:00 to 12:01:01" in told
    assert "2026-11-24 12:00:00 to 2026-11-25 12:00:00" in told
    assert "6 readings that the server refused." in told
    assert "strapline bridge dead-letters resend --all" in told


def test_none_is_said_too() -> None:
    assert "None: nothing that a server refused is kept here." in _told()


@pytest.mark.parametrize(
    ("ids", "stream", "everything"), [([], None, False), (["1/2"], None, True)]
)
async def test_which_are_meant_must_be_clear(
    tmp_path: Path, ids: list[str], stream: str | None, *, everything: bool
) -> None:
    reached = Reached(BridgeConfig(state_dir=tmp_path))
    with pytest.raises(CommandError, match=r"Which dead letters\?.*--all"):
        await settle(reached, ids, stream, everything=everything, discard=True)
