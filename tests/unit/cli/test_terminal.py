"""How words come to the screen."""

import io

import pytest
from rich.text import Text

from strapline.terminal import complain, indented, make_console, say, title


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


def test_on_a_terminal_lines_break_between_words_and_stand_under_one_another() -> None:
    out = Screen()
    words = "The data folder is in use by another strapline. Stop that one. " * 3
    say(make_console(file=out, width=80), Text(words), Text(" error  "))
    first, *rest = out.getvalue().splitlines()
    assert first.startswith(" error  The data")
    assert rest
    assert all(line.startswith("        ") and line[8] != " " for line in rest)
    assert all(len(line) <= 80 for line in [first, *rest])
    assert " ".join("".join([first[8:], *(f" {line[8:]}" for line in rest)]).split()) == (
        " ".join(words.split())
    )


def test_elsewhere_a_line_stays_whole() -> None:
    out = io.StringIO()
    say(make_console(file=out, width=80), Text("word " * 40))
    assert out.getvalue() == "  " + "word " * 40 + "\n"


def test_words_of_a_picture_are_indented_in_every_line() -> None:
    out = Screen()
    make_console(file=out, width=40).print(indented(Text("word " * 20)))
    assert len(out.getvalue().splitlines()) > 1
    assert all(line.startswith("  word") for line in out.getvalue().splitlines())
