"""How words come to the screen."""

import io

import pytest

from strapline.terminal import complain, make_console, title


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_nothing_but_the_words_comes_out() -> None:
    out = io.StringIO()
    make_console(file=out, width=80).print(title("3 straps"))
    assert out.getvalue() == " ──●  Strapline   3 straps\n"


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Screen(), Screen()
    make_console(file=coloured, width=80).print(title())
    assert "38;" in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    make_console(file=plain, width=80).print(title())
    assert "38;" not in plain.getvalue()


def test_text_of_others_is_never_markup_or_a_picture() -> None:
    out = io.StringIO()
    make_console(file=out, width=80).print("[bold]:smile:[/bold]")
    assert out.getvalue() == "[bold]:smile:[/bold]\n"


def test_a_complaint_goes_to_stderr_in_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    complain("bridge.toml: `server.url`: not an address. Write wss://host.\n" + "x" * 200)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        " error  bridge.toml: `server.url`: not an address. Write wss://host.",
        "        " + "x" * 200,
    ]
