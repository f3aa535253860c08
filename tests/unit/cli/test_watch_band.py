"""A person's band, character by character."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.band import HEIGHT, Frame, band, missing_words, strap
from strapline.watch.causes import Spell, Why
from strapline.watch.ink import Tone, plain, width
from strapline.watch.person import Person
from strapline.watch.rate import Freshness, Rate
from strapline.watch.trace import Levels
from strapline_protocol.watching import Gap
from tests.unit.cli.watch_kit import NOW_MS, a_rate, a_status, at, ilse, maren, points, tomas, zone

FRAME = Frame(NOW_MS, 100, connected=True)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def rows(person: Person, frame: Frame = FRAME, *, last: bool = False) -> list[str]:
    return [plain(row) for row in band(person, frame, None, focused=False, last=last).rows]


def test_a_live_person_as_in_the_mock_up() -> None:
    title, first, second, third, below, rule = rows(maren())
    assert title == (
        "  Maren Holt  Endurance ride 1:12:05                            "
        "4,127 steps so far   battery 82 % │"
    )
    assert first.startswith("  ╶╮ ╷ ╷╭─╴  ↗ 9 in a minute      150 ")
    assert second.startswith("   │ ╰─┤╰─╮  average 141 today    140 ")
    assert second.endswith("▅▄●")
    assert third.startswith("  ╶┴╴  ╵╶─╯  97 to 152            130 ▆")
    assert below.startswith("  ━━━━━━━━╌  1 s ago                  ──")
    assert rule == "─" * 98 + "┼─"
    assert rows(maren(), last=True)[-1] == "─" * 98 + "┴─"


def test_a_stale_person_as_in_the_mock_up() -> None:
    title, first, second, third, below, _ = rows(ilse())
    assert title.endswith("1,038 steps so far   battery 31 % at 14:02 ╎")
    assert first.startswith("             72 at 14:03          80 ")
    assert second.startswith("    ╶───╴    strap out of range   70 ")
    assert third.startswith("             for 2 min 31 s       60 ")
    assert below.startswith("  ╌╌╌╌╌╌╌╌╌  ")
    assert "●" not in f"{title}{first}{second}{third}{below}"


def test_a_rate_becomes_the_past_without_any_message() -> None:
    person = maren()
    after = Frame(NOW_MS + 4_001, 100, connected=True)
    assert "╶───╴" in rows(person, after)[2]
    assert "145 at 14:05" in rows(person, after)[1]
    assert "no reading" in rows(person, after)[2]


def test_an_ageing_rate_is_fainter_and_its_age_is_not() -> None:
    person = maren()
    late = band(person, Frame(NOW_MS + 3_000, 100, connected=True), None, focused=False, last=True)
    assert late.rows[1][1][1] is Tone.SECOND
    age = next(piece for piece in late.rows[4] if "s ago" in piece[0])
    assert (age[0].strip(), age[1]) == ("4 s ago", Tone.STRONG)


def test_nothing_measured_yet() -> None:
    told = rows(Person("ana", "Ana", status=a_status()))
    assert told[1].split("  ")[-1] != ""
    assert "Not measured yet" in told[1]
    assert "battery" not in told[0]


def test_only_the_present_is_orange() -> None:
    def orange(person: Person, frame: Frame = FRAME) -> str:
        drawn = band(person, frame, None, focused=True, last=False).rows
        return "".join(text for row in drawn for text, tone in row if tone is Tone.NOW)

    assert set(orange(maren())) == {"│", "●", "━", "┼"}
    assert orange(ilse()) == ""
    assert orange(maren(), Frame(NOW_MS + 60_000, 100, connected=True)) == ""


def test_the_chosen_one_has_a_bar() -> None:
    drawn = band(maren(), FRAME, None, focused=True, last=False).rows
    assert [plain(row)[0] for row in drawn] == ["▌"] * 5 + ["─"]


@pytest.mark.parametrize("cells", [20, 34, 40, 47, 60, 71, 72, 80, 100, 133, 240])
def test_every_width_has_six_rows_of_it(cells: int) -> None:
    long = replace(maren(), name="Maximiliane-Theodora von und zu Hohenlohe-Schillingsfürst 王芳")
    for person in (maren(), tomas(), ilse(), long):
        drawn = band(person, Frame(NOW_MS, cells, connected=True), None, focused=True, last=False)
        assert len(drawn.rows) == HEIGHT
        assert {width(row) for row in drawn.rows} == {cells}


def test_sixty_columns_shrink_the_trace_and_forty_leave_it_out() -> None:
    sixty = rows(maren(), Frame(NOW_MS, 60, connected=True))
    assert sixty[1].endswith("│")
    assert "150" in sixty[1]
    forty = rows(maren(), Frame(NOW_MS, 40, connected=True))
    assert forty[2] == "   │ ╰─┤╰─╮  average 141 today"
    assert forty[0] == "  Maren Holt       4,127 steps so far"


def test_levels_are_kept_for_the_next_time() -> None:
    first = band(maren(), FRAME, None, focused=False, last=False)
    assert first.levels == Levels(130, 10)
    low = replace(maren(), line=points(NOW_MS - 60_000, NOW_MS - 1_000, lambda _: 141))
    assert band(low, FRAME, first.levels, focused=False, last=False).levels == Levels(130, 10)
    assert band(low, FRAME, None, focused=False, last=False).levels == Levels(140, 10)


def test_the_strap_runs_out() -> None:
    def left(share: float) -> str:
        return plain(strap(Rate(Freshness.FRESH, 60, 0, share)))

    assert [left(share) for share in (1.0, 0.8, 0.5, 0.01, 0.0)] == [
        "━━━━━━━━━",
        "━━━━━━━━╌",
        "━━━━━╌╌╌╌",
        "━╌╌╌╌╌╌╌╌",
        "╌╌╌╌╌╌╌╌╌",
    ]
    assert plain(strap(Rate(Freshness.STALE))) == "╌" * 9


def test_the_same_in_words() -> None:
    assert missing_words(maren(), FRAME) == ""
    assert missing_words(ilse(), FRAME) == "72 at 14:03, strap out of range for 2 min 31 s"
    assert missing_words(Person("ana", "Ana"), FRAME) == "not measured yet"


def test_a_refused_value_has_its_reason_and_the_last_good_one() -> None:
    line = points(NOW_MS - 30_000, NOW_MS - 10_000, lambda _: 64)
    refused = points(NOW_MS - 9_000, NOW_MS, lambda _: 240, quality=("implausible",))
    rate = a_rate(None, NOW_MS - 10_000, average=64, min=60, max=70)
    told = rows(Person("ana", "Ana", {"heart_rate": rate}, a_status(), (*line, *refused)))
    assert "64 at 14:05" in told[1]
    assert "readings not " in told[2]
    assert "plausible" in told[3]


def test_a_lost_server_is_the_cause_for_everyone() -> None:
    away = replace(maren(), spells=(Spell(Why.SERVER_AWAY, at("14:05:41")),))
    told = rows(away, Frame(NOW_MS + 30_000, 100, connected=False))
    assert "server away" in told[2]
    assert "for 29 s" in told[3]


def test_a_long_cause_has_two_lines_and_keeps_off_the_trace() -> None:
    gap = Gap(from_ms=at("14:03:08"), to_ms=NOW_MS, cause="radioLost", evidence="adapterAway")
    person = replace(ilse(), spells=(), gaps=(gap,))
    told = rows(person)
    assert [row[13:34].rstrip() for row in told[1:5]] == [
        "72 at 14:03",
        "bridge\u2019s Bluetooth",
        "off",
        "for 2 min 32 s",
    ]
    assert all(row[33:34] in {"", " "} for row in told[1:5])
