"""Fresh, ageing, stale, missing: by the age alone, without any message."""

from dataclasses import replace

from strapline.watch.causes import Because, Spell, Why
from strapline.watch.person import Person
from strapline.watch.rate import (
    Freshness,
    Was,
    because_none,
    last_drawn,
    late_after_ms,
    rate_of,
    trend_of,
    trend_words,
)
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import Gap, LastValue
from tests.unit.cli.watch_kit import NOW_MS, a_point, a_rate, a_status, ilse, points


def a_person(age_ms: int = 1_000, **more: object) -> Person:
    at_ms = NOW_MS - age_ms
    line = points(at_ms - 70_000, at_ms, lambda s: 100 + s)
    rate = a_rate(170, at_ms, **more)
    return Person("ana", "Ana", {"heart_rate": rate}, a_status(), line)


def test_a_rate_ages_and_goes_without_a_message() -> None:
    person = a_person(1_000)
    states = [rate_of(person, NOW_MS + later, connected=True) for later in (0, 2_001, 4_000, 4_001)]
    assert [one.freshness for one in states] == [
        Freshness.FRESH,
        Freshness.AGEING,
        Freshness.AGEING,
        Freshness.STALE,
    ]
    assert [one.bpm for one in states] == [170, 170, 170, None]
    assert [round(one.left, 1) for one in states] == [0.8, 0.4, 0.0, 0.0]
    assert states[-1].was == Was(170, NOW_MS - 1_000)


def test_what_speaks_only_on_change_holds_while_its_way_is_open() -> None:
    person = a_person(600_000, on_change=True)
    held = rate_of(person, NOW_MS, connected=True)
    assert (held.freshness, held.bpm, held.left) == (Freshness.FRESH, 170, 1.0)
    assert rate_of(person, NOW_MS, connected=False).bpm is None
    away = replace(person, status=a_status(device=DeviceState.SEARCHING))
    assert rate_of(away, NOW_MS, connected=True).bpm is None


def test_nothing_measured_is_missing_and_zero_is_no_rate() -> None:
    nobody = Person("ana", "Ana")
    assert rate_of(nobody, NOW_MS, connected=True).freshness is Freshness.MISSING
    never = replace(nobody, metrics={"heart_rate": a_rate(None, None)})
    assert rate_of(never, NOW_MS, connected=True).freshness is Freshness.MISSING
    zero = a_rate(None, None).model_copy(update={"last": LastValue(value=0, at_ms=NOW_MS)})
    stale = rate_of(
        replace(nobody, metrics={"heart_rate": zero}, line=(a_point(NOW_MS - 9_000, 64),)),
        NOW_MS,
        connected=True,
    )
    assert (stale.freshness, stale.was) == (Freshness.STALE, Was(64, NOW_MS - 9_000))


def test_a_last_value_that_was_not_worn_is_not_what_it_was() -> None:
    rate = a_rate(None, None).model_copy(
        update={"last": LastValue(value=70, at_ms=NOW_MS, quality=["noContact"])}
    )
    person = Person("ana", "Ana", {"heart_rate": rate}, None, (a_point(NOW_MS - 9_000, 64),))
    assert rate_of(person, NOW_MS, connected=True).was == Was(64, NOW_MS - 9_000)


def test_later_than_usual_is_three_intervals_of_this_device() -> None:
    slow = tuple(a_point(NOW_MS + at * 1_500) for at in range(10))
    assert late_after_ms(slow, 60_000) == 4_500
    assert late_after_ms(slow, 4_000) == 4_000
    assert late_after_ms((), 5_000) == 3_000
    assert late_after_ms(points(NOW_MS, NOW_MS + 9_000)[::1], 5_000) == 3_000


def test_a_refused_reading_is_not_the_last_one_drawn() -> None:
    line = (a_point(1, 60), a_point(2, 0))
    assert last_drawn(line) == line[0]
    assert last_drawn(()) is None


def test_the_cause_of_no_rate() -> None:
    person = ilse()
    rate = rate_of(person, NOW_MS, connected=True)
    because = because_none(person, rate, NOW_MS)
    assert because is not None
    assert because.why is Why.OUT_OF_RANGE
    live = a_person()
    assert because_none(live, rate_of(live, NOW_MS, connected=True), NOW_MS) is None
    cut = replace(person, spells=(Spell(Why.SERVER_AWAY, NOW_MS - 5), *person.spells))
    assert because_none(cut, rate, NOW_MS) == Because(Why.SERVER_AWAY, NOW_MS - 5)


def test_a_silence_that_nothing_here_explains_has_the_cause_that_the_server_tells() -> None:
    person = replace(ilse(), spells=())
    rate = rate_of(person, NOW_MS, connected=True)
    gap = Gap(from_ms=person.line[-1].at_ms, to_ms=NOW_MS - 9_000, cause="off", lasts=True)
    assert because_none(person, rate, NOW_MS) == Because(Why.NO_READING)
    told = replace(person, gaps=(gap,))
    assert because_none(told, rate, NOW_MS) == Because(Why.BATTERY_EMPTY, gap.from_ms)


def test_the_trend_is_that_of_a_minute_or_nothing() -> None:
    assert trend_of(a_person().line) == 60
    assert trend_of(points(NOW_MS, NOW_MS + 30_000)) is None
    assert trend_of(()) is None
    hole = (*points(NOW_MS - 80_000, NOW_MS - 66_000), *points(NOW_MS - 50_000, NOW_MS))
    assert trend_of(hole) is None
    assert [trend_words(change) for change in (8, -24, 1, 0)] == [
        "↗ 8 in a minute",
        "↘ 24 in a minute",
        "→ 1 in a minute",
        "→ 0 in a minute",
    ]
