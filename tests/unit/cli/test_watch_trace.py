"""The trace: which character stands where, to the column."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.ink import Tone, plain
from strapline.watch.person import Person
from strapline.watch.sheet import sheet_of
from strapline.watch.trace import Axis, Levels, levels_for, now_row, trace_rows
from tests.unit.cli.watch_kit import NOW_MS, a_point, a_rate, at, ilse, maren, points, tomas, zone

AXIS = Axis(NOW_MS, 60)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def drawn(person: Person, axis: Axis = AXIS, rows: int = 3) -> list[str]:
    sheet = sheet_of(person, axis.now_ms)
    return [plain(row) for row in trace_rows(sheet, axis, levels_for(sheet.bounds, rows), rows)]


def test_a_gap_is_hatched_never_bridged_and_open_in_the_ledger() -> None:
    assert drawn(tomas()) == [
        "              ░░░░░░░▄▃▃▂▂▁▁",
        "▂▂▃▃▄▄▄▅▅▅▆▆▆▆░░░░░░░█████████▇▇▆▆▄▃▃▂▂▂▁        ▁▁▂▃▃▄▅▅▆▇▇",
        "██████████████░░░░░░░██████████████████████▇▇▆▇▇████████████",
        "──────────────╎     ╎─────────────════════════──────────────",
    ]
    gap = drawn(tomas())[1].index("░"), drawn(tomas())[1].rindex("░")
    assert gap == (AXIS.column(at("14:01:48")) + 1, AXIS.column(at("14:02:26")) - 1)


def test_a_long_gap_says_its_cause_on_a_plate_and_its_length_where_that_fits() -> None:
    assert "░ strap out of range ░" in drawn(ilse())[1]
    wide = drawn(ilse(), Axis(NOW_MS, 120))
    assert "░ strap out of range, 2 min 32 s ░" in wide[1]
    tones = [tone for row in trace_rows(sheet_of(ilse(), NOW_MS), AXIS, None, 3) for _, tone in row]
    assert Tone.NOW not in tones


def test_every_row_has_every_column() -> None:
    for person in (maren(), tomas(), ilse(), Person("ana", "Ana")):
        for columns in (12, 60, 187, 400):
            sheet = sheet_of(person, NOW_MS)
            rows = trace_rows(sheet, Axis(NOW_MS, columns), levels_for(sheet.bounds, 3), 3)
            assert {sum(len(text) for text, _ in row) for row in rows} == {columns}


def test_on_many_columns_a_value_stands_until_the_next_of_its_run() -> None:
    person = replace(maren(), line=points(NOW_MS - 200_000, NOW_MS, lambda _: 141)[::2])
    low, *_ = drawn(person, Axis(NOW_MS, 300))[2:]
    assert " " not in low.strip()


def test_nothing_is_drawn_where_nothing_was_measured() -> None:
    assert drawn(Person("ana", "Ana")) == ["", "", "", ""]
    only = replace(maren(), line=points(NOW_MS - 20_000, NOW_MS, lambda _: 141))
    assert drawn(only)[2].startswith(" " * 50)


def test_the_trace_moves_by_whole_columns_and_keeps_its_shape() -> None:
    before = [row.ljust(60) for row in drawn(maren())]
    later = [row.ljust(60) for row in drawn(maren(), Axis(NOW_MS + AXIS.column_ms, 60))]
    assert [row[1:57] for row in before] == [row[:56] for row in later]
    still = Axis(NOW_MS + 500, 60)
    assert still.from_ms == AXIS.from_ms


def test_a_gap_too_short_for_a_column_breaks_the_ledger() -> None:
    line = (*points(NOW_MS - 60_000, NOW_MS - 24_000), *points(NOW_MS - 19_500, NOW_MS))
    rows = drawn(replace(maren(), line=line))
    assert "░" not in rows[2]
    assert rows[3].count("╎") == 1


def test_estimated_times_are_dashed_in_the_ledger() -> None:
    rows = drawn(replace(maren(), line=points(NOW_MS - 30_000, NOW_MS, estimated=True)))
    assert set(rows[3].strip()) == {"╌"}


@pytest.mark.parametrize(
    ("least", "most", "rows", "levels"),
    [
        (133, 147, 3, Levels(130, 10)),
        (60, 90, 3, Levels(60, 10)),
        (60, 91, 3, Levels(60, 20)),
        (40, 201, 3, Levels(0, 80)),
        (20, 999, 3, Levels(0, 333)),
        (133, 147, 8, Levels(132, 2)),
    ],
    ids=str,
)
def test_levels_are_round_and_hold_all(least: int, most: int, rows: int, levels: Levels) -> None:
    assert levels_for((least, most), rows) == levels
    assert levels.base <= least
    assert most <= levels.base + levels.step * rows


def test_levels_stay_while_all_fits() -> None:
    before = Levels(130, 10)
    assert levels_for((141, 149), 3, before) == before
    assert levels_for((141, 165), 3, before) == Levels(140, 10)
    assert levels_for(None, 3, before) == before
    assert levels_for(None, 3) is None


def test_what_was_measured_is_never_nothing_and_never_beyond() -> None:
    levels = Levels(130, 10)
    assert [levels.eighths(bpm, 3) for bpm in (130, 131, 135, 160, 400, 20)] == [1, 1, 4, 24, 24, 1]
    assert [levels.label(row, 3) for row in range(3)] == ["150", "140", "130"]


def test_the_live_edge_stands_at_the_height_of_the_rate() -> None:
    levels = Levels(130, 10)
    assert [now_row(bpm, levels, 3) for bpm in (131, 140, 141, 155)] == [2, 2, 1, 0]
    assert now_row(None, levels, 3) is None
    assert now_row(60, None, 3) is None


def test_each_whole_minute_has_its_time() -> None:
    assert AXIS.labels().split() == ["14:01", "14:02", "14:03", "14:04", "14:05"]
    assert AXIS.labels().index("14:03") + 2 == AXIS.column(at("14:03:00"))
    narrow = Axis(NOW_MS, 14).labels()
    assert len(narrow) == 14
    assert narrow.split() == ["14:02"]


def test_a_reading_of_the_future_is_on_no_column() -> None:
    person = Person(
        "ana",
        "Ana",
        {"heart_rate": a_rate(60, NOW_MS)},
        line=(a_point(NOW_MS, 60), a_point(NOW_MS + 600_000, 90)),
    )
    assert [len(row) <= 60 for row in drawn(person)] == [True] * 4
