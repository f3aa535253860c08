"""Where logs go and how they look."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from strapline.logs import set_debug, set_up


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.setLevel(logging.WARNING)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def said(stream: io.StringIO) -> str:
    logging.getLogger("strapline_bridge.uplink").warning("the server cannot be reached")
    logging.getLogger("strapline_bridge.uplink").info("a note")
    return stream.getvalue()


def test_in_a_terminal_a_line_is_short() -> None:
    screen = Screen()
    set_up(logging.WARNING, screen)
    line = r"\d\d:\d\d:\d\d WARNING the server cannot be reached\n"
    assert re.fullmatch(line, said(screen))


def test_elsewhere_it_is_dated_and_says_from_where() -> None:
    file = io.StringIO()
    set_up(logging.WARNING, file)
    line = r"\d{4}-\d\d-\d\dT[\d:.]+ WARNING strapline_bridge\.uplink: the server .*\n"
    assert re.fullmatch(line, said(file))


def test_journald_gets_priorities_on_every_line_and_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:123")
    file = io.StringIO()
    set_up(logging.INFO, file)
    try:
        int("boom")
    except ValueError:
        logging.getLogger("strapline_server").exception("it failed")
    assert said(file).startswith("<3>strapline_server: it failed\n<3>Traceback")
    assert all(re.match(r"<[3-7]>", line) for line in file.getvalue().splitlines())
    assert "<6>strapline_bridge.uplink: a note" in file.getvalue()


def test_libraries_keep_their_notes_to_themselves() -> None:
    file = io.StringIO()
    set_up(logging.INFO, file)
    logging.getLogger("websockets.server").info("connection open")
    assert file.getvalue() == ""


def test_what_is_logged_in_nobodys_name_is_kept_out_unless_it_warns() -> None:
    file = io.StringIO()
    set_up(logging.DEBUG, file)
    logging.debug("a packet")  # noqa: LOG015  # as a library does
    logging.warning("a fault")  # noqa: LOG015
    assert "a packet" not in file.getvalue()
    assert "a fault" in file.getvalue()


def test_debug_stays_whatever_the_command_sets_later() -> None:
    set_debug()
    set_up(logging.WARNING)
    assert logging.getLogger("strapline_bridge").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("bumble.host").isEnabledFor(logging.DEBUG)
