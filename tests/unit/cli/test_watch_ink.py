"""Rows, their widths, and how a tone looks on which terminal."""

import pytest
from rich.cells import cell_len

from strapline.watch.ink import (
    Look,
    Row,
    Tone,
    between,
    cut,
    ends,
    fitted,
    joined,
    padded,
    plain,
    width,
    wrapped,
)

ROW: Row = [("──", Tone.INK), ("●", Tone.NOW), (" Live", Tone.STRONG)]


def test_orange_is_the_present_and_nothing_else_has_a_colour() -> None:
    look = Look()
    for tone in Tone:
        colour = look.style(tone).color
        assert (colour is not None) == (tone is Tone.NOW)


def test_sixteen_colours_and_none() -> None:
    sixteen = Look(colours=16).style(Tone.NOW).color
    assert sixteen is not None
    assert sixteen.name == "yellow"
    none = Look(colours=0).style(Tone.NOW)
    assert (none.color, none.bold) == (None, True)


@pytest.mark.parametrize("name", ["[red]Ana[/red]", "[link=x]", "Ana:smile:"])
def test_a_name_is_text_and_never_markup(name: str) -> None:
    row: Row = [(name, Tone.INK)]
    assert Look().text(row).plain == name
    assert "".join(segment.text for segment in Look().segments(row)) == name


def test_a_name_that_would_steer_the_terminal_does_not() -> None:
    words = Look().words("A\x1b[2Jb\u202ec\u200d")
    assert words == "A�[2Jb�c�"


def test_without_utf8_everything_has_a_sign_of_ascii() -> None:
    row: Row = [("╭─╮│├┤╰╯╶┴╴╷╵ ━╌ ░▁▂▃▄▅▆▇█ ●○◐✓ ↗↘→ ⏎↑↓ ═╎ —…", Tone.INK)]
    text = Look(ascii=True).text(row).plain
    assert text.isascii()
    assert "?" not in text
    assert len(text) == len(row[0][0])
    assert Look(ascii=True).words("Tomás Reyes") == "Tomas Reyes"
    assert Look(ascii=True).words("王") == "??"


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "Ana\u200d\u200d\u200d\u200d\u200d\u200d",
        "A\u202e\u202e\u202eb",
        "\x1b[2J[bold]x[/]",
        "ok\u2028x\u2029\ud83d",
        "👨\u200d👩\u200d👧 Familie",
        "\ufdfa\ufdfa Ana",
        "❤\ufe0f Ana",
        "王芳王芳王芳王芳王芳王芳",
        "Toma\u0301s",
    ],
)
def test_a_row_is_drawn_in_the_room_that_it_was_fitted_to(name: str, *, ascii_only: bool) -> None:
    look = Look(ascii=ascii_only)
    rows: list[Row] = [
        fitted([(name, Tone.INK)], 20),
        [(padded(name, 20), Tone.INK)],
        ends([(name, Tone.INK)], [("right", Tone.INK)], 20),
    ]
    for row in rows:
        drawn = "".join(segment.text for segment in look.segments(row))
        assert cell_len(drawn) == width(row) == 20
    assert cell_len(look.words(cut(name, 9))) <= 9
    assert width([(name, Tone.INK)]) == cell_len(look.words(name))


def test_widths_are_cells_and_not_characters() -> None:
    assert width([("王芳", Tone.INK)]) == 4
    assert cut("王芳王芳", 5) == "王芳…"
    assert cut("Maren", 5) == "Maren"
    assert cut("Maren", 4) == "Mar…"
    assert cut("Maren", 0) == ""
    assert padded("王", 4) == "王  "


def test_a_row_is_cut_or_filled_to_its_room() -> None:
    assert plain(fitted(ROW, 5)) == "──● L"
    assert width(fitted(ROW, 20)) == 20
    assert fitted(ROW, 8) == ROW


def test_two_ends_of_a_row() -> None:
    row = ends([("left", Tone.INK)], [("right", Tone.INK)], 12)
    assert plain(row) == "left   right"
    assert plain(ends([("left", Tone.INK)], [("right", Tone.INK)], 7)) == "leright"
    assert width(ends([("left", Tone.INK)], [("right", Tone.INK)], 3)) == 3


def test_neighbours_of_one_tone_are_one_piece() -> None:
    row = joined([("a", Tone.INK), ("b", Tone.INK), ("c", Tone.FAINT)])
    assert row == [("ab", Tone.INK), ("c", Tone.FAINT)]


def test_rows_one_after_the_other_leave_out_what_is_empty() -> None:
    assert plain(between([ROW, [], ROW], (" | ", Tone.INK))) == "──● Live | ──● Live"


def test_words_break_between_words() -> None:
    lines = wrapped("The server is away. Bridges keep recording.", 20)
    assert lines == ["The server is away.", "Bridges keep", "recording."]
    assert all(cell_len(line) <= 4 for line in wrapped("incomprehensible", 4))
