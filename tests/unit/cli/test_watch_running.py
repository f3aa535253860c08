"""What a run of `strapline watch` looks at before it begins."""

import asyncio
import io
import sys

import pytest

from strapline.errors import CommandError
from strapline.watch.running import Wish, _on_screen, look_of_terminal, require_watch_extra


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool = True, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # what the test says
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal


def test_a_missing_extra_names_its_command_and_what_needs_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require_watch_extra()
    monkeypatch.setitem(sys.modules, "textual", None)
    with pytest.raises(CommandError, match=r"pip install '\.\[watch\]'") as caught:
        require_watch_extra()
    assert "strapline watch --plain" in str(caught.value)


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_screen_is_only_for_a_terminal_at_both_ends(
    monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Stream())
    monkeypatch.setattr(sys, "stdout", Stream())
    assert Wish().on_screen
    for wish in (Wish(once=True), Wish(as_json=True), Wish(plain=True)):
        assert not wish.on_screen
    monkeypatch.setattr(sys, stream, Stream(terminal=False))
    assert not Wish().on_screen


@pytest.mark.parametrize(
    ("variables", "encoding", "colours", "plain"),
    [
        ({"COLORTERM": "truecolor"}, "utf-8", 2**24, False),
        ({"TERM": "xterm-256color"}, "UTF-8", 256, False),
        ({"TERM": "linux"}, "utf8", 16, False),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, "utf-8", 0, False),
        ({"TERM": "xterm-256color"}, "ISO-8859-1", 256, True),
        ({"TERM": "xterm-256color"}, "ascii", 256, True),
        ({"TERM": "xterm-256color", "LC_ALL": "C"}, "utf-8", 256, True),
        ({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}, "utf-8", 256, False),
    ],
    ids=str,
)
def test_what_the_terminal_can_show(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    encoding: str,
    colours: int,
    plain: bool,
) -> None:
    for name in ("COLORTERM", "TERM", "NO_COLOR", "FORCE_COLOR", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Stream(encoding=encoding))
    look = look_of_terminal()
    assert (look.colours, look.ascii) == (colours, plain)


async def test_a_fault_of_ours_ends_the_screen_and_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        async def run(self) -> None:
            raise RuntimeError("a fault of ours")

    class Screen:
        def __init__(self, feed: object, look: object) -> None:
            self._left = asyncio.Event()

        def exit(self) -> None:
            self._left.set()

        async def run_async(self) -> None:
            await self._left.wait()

    monkeypatch.setattr("strapline.watch.app.WatchApp", Screen)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await _on_screen(Broken())  # type: ignore[arg-type]  # as much of a feed as it needs
