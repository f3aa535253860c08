"""A picture in a terminal, and the same after the terminal has changed its size."""

from __future__ import annotations

import asyncio
import io
import os
import signal

import pytest
from rich.text import Text

from strapline.picture import Picture, told_of_resizes
from strapline.terminal import make_console

CLEAR = "\x1b[2J"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True

    def since(self) -> str:
        """What came since it was last asked."""
        told = self.getvalue()
        self.seek(0)
        self.truncate()
        return told


def test_after_a_resize_everything_is_drawn_again_and_nothing_old_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Screen()
    console = make_console(file=out)
    console.size = (100, 30)
    with Picture(console, lambda: console.print("the link")) as picture:
        picture.draw(Text("first"))
        assert out.since().count("the link") == 1
        picture.draw(Text("second"))
        told = out.since()
        assert CLEAR not in told
        assert "the link" not in told
        console.size = (60, 30)
        picture.draw(Text("third"))
        _, cleared, after = out.since().rpartition(CLEAR)
        assert cleared
        assert after.index("the link") < after.index("third")
        assert "second" not in after
        picture.draw(Text("fourth"))
        assert CLEAR not in out.since()


async def test_a_resize_is_told_at_once_and_only_meanwhile() -> None:
    told = asyncio.Event()
    with told_of_resizes(told.set):
        os.kill(os.getpid(), signal.SIGWINCH)
        async with asyncio.timeout(10):
            await told.wait()
    assert signal.getsignal(signal.SIGWINCH) is signal.SIG_DFL
