"""One wearable's silence: its cause piece by piece, and when it is told of."""

from __future__ import annotations

import pytest

from strapline_bridge.silence import FIRST_TOLD_MS, MOST_NOTICED, PRESENT_MS, TOLD_EACH_MS, Silence
from strapline_protocol.gaps import Evidence, GapCause, Spell

_MIN = 60_000


def _speaking(from_ms: int = 0, *, off_skin: bool = False) -> Silence:
    """A strap that has spoken once a second for ten seconds; the last word ``from_ms`` + 10 s."""
    silence = Silence("anna", from_ms)
    silence.linked(from_ms)
    for second in range(11):
        assert silence.counts("heart_rate", on_change=False)
        silence.spoke(from_ms + second * 1_000, off_skin=off_skin)
    return silence


def _told(silence: Silence, now_ms: int, *around: Spell) -> list[tuple[int, int, str, str]]:
    return [
        (one.spell.from_ms, one.spell.to_ms, one.spell.cause, one.spell.evidence)
        for one in silence.tell(now_ms, around)
    ]


def test_a_pause_within_the_pace_is_no_gap() -> None:
    silence = _speaking()
    assert not silence.is_gap(12_500)
    assert silence.is_gap(12_501)


def test_a_slow_wearable_may_be_slow() -> None:
    silence = Silence("anna", 0)
    silence.linked(0)
    silence.counts("heart_rate", on_change=False)
    for minute in range(10):
        silence.spoke(minute * _MIN, off_skin=False)
    assert not silence.is_gap(9 * _MIN + 150_000)
    assert not silence.is_due(9 * _MIN + 150_000)
    assert silence.is_gap(9 * _MIN + 150_001)


def test_a_linked_strap_that_says_nothing_is_silent() -> None:
    silence = _speaking()
    assert _told(silence, 40_000) == [(10_000, 40_000, GapCause.SILENT, Evidence.LINKED)]


def test_a_lost_link_cuts_the_silence() -> None:
    silence = _speaking()
    silence.lost(16_000)
    assert _told(silence, 400_000) == [
        (10_000, 16_000, GapCause.SILENT, Evidence.LINKED),
        (16_000, 400_000, GapCause.SILENT, Evidence.LINK_LOST),
    ]


def test_heard_again_soon_it_was_there_all_the_time() -> None:
    silence = _speaking()
    silence.lost(16_000)
    silence.heard(16_000 + PRESENT_MS)
    assert _told(silence, 16_000 + PRESENT_MS) == [
        (10_000, 16_000, GapCause.SILENT, Evidence.LINKED),
        (16_000, 16_000 + PRESENT_MS, GapCause.RADIO_LOST, Evidence.HEARD),
    ]


def test_heard_after_long_tells_nothing_of_the_time_before() -> None:
    silence = _speaking()
    silence.lost(16_000)
    heard_ms = 16_001 + PRESENT_MS
    silence.heard(heard_ms)
    silence.heard(heard_ms + 60_000)
    silence.linked(heard_ms + 70_000)
    assert _told(silence, heard_ms + 75_000) == [
        (10_000, 16_000, GapCause.SILENT, Evidence.LINKED),
        (16_000, heard_ms, GapCause.SILENT, Evidence.LINK_LOST),
        (heard_ms, heard_ms + 70_000, GapCause.RADIO_LOST, Evidence.HEARD),
        (heard_ms + 70_000, heard_ms + 75_000, GapCause.SILENT, Evidence.LINKED),
    ]


def test_off_the_skin_is_what_it_said_last() -> None:
    silence = _speaking(off_skin=True)
    silence.lost(55_000)
    assert _told(silence, 200_000) == [(10_000, 200_000, GapCause.NOT_WORN, Evidence.CONTACT)]


@pytest.mark.parametrize(
    ("percent", "cause"), [(3, GapCause.OFF), (4, GapCause.SILENT), (None, GapCause.SILENT)]
)
def test_an_empty_battery_explains_a_link_that_went(percent: int | None, cause: str) -> None:
    silence = _speaking()
    silence.battery(percent, 10_000)
    silence.lost(16_000)
    pieces = _told(silence, 400_000)
    assert [piece[2] for piece in pieces] == [GapCause.SILENT, cause]


def test_who_is_heard_again_was_not_empty_any_more() -> None:
    silence = _speaking()
    silence.battery(1, 10_000)
    silence.lost(16_000)
    silence.heard(1_000_000)
    assert _told(silence, 1_010_000) == [
        (10_000, 16_000, GapCause.SILENT, Evidence.LINKED),
        (16_000, 1_000_000, GapCause.OFF, Evidence.BATTERY),
        (1_000_000, 1_010_000, GapCause.SILENT, Evidence.LINK_LOST),
    ]


def test_what_the_bridge_lacked_comes_before_what_the_strap_lacked() -> None:
    silence = _speaking(off_skin=True)
    silence.lost(12_000)
    away = Spell(12_005, 90_000, GapCause.RADIO_LOST, Evidence.ADAPTER_AWAY)
    assert _told(silence, 100_000, away) == [
        (10_000, 12_005, GapCause.NOT_WORN, Evidence.CONTACT),
        (12_005, 90_000, GapCause.RADIO_LOST, Evidence.ADAPTER_AWAY),
        (90_000, 100_000, GapCause.NOT_WORN, Evidence.CONTACT),
    ]


def test_a_sliver_goes_with_the_next_piece_and_the_last_with_the_one_before() -> None:
    silence = _speaking()
    silence.lost(15_000)
    away = Spell(15_004, 20_000, GapCause.RADIO_LOST, Evidence.ADAPTER_AWAY)
    assert _told(silence, 20_600, away) == [
        (10_000, 15_000, GapCause.SILENT, Evidence.LINKED),
        (15_000, 20_600, GapCause.RADIO_LOST, Evidence.ADAPTER_AWAY),
    ]


def test_it_is_told_after_a_minute_and_then_each_ten() -> None:
    silence = _speaking()
    assert not silence.is_due(10_000 + FIRST_TOLD_MS - 1)
    now_ms = 10_000 + FIRST_TOLD_MS
    assert silence.is_due(now_ms)
    assert len(_told(silence, now_ms)) == 1
    assert not silence.is_due(now_ms + TOLD_EACH_MS - 1)
    assert silence.is_due(now_ms + TOLD_EACH_MS)
    assert _told(silence, now_ms + TOLD_EACH_MS)[0][:2] == (now_ms, now_ms + TOLD_EACH_MS)


def test_a_link_that_flaps_is_told_of_before_it_is_forgotten() -> None:
    silence = _speaking()
    now_ms = 10_000
    while not silence.is_due(now_ms):
        now_ms += 200
        (silence.lost if now_ms % 400 else silence.linked)(now_ms)
        assert now_ms <= 10_000 + 2 * MOST_NOTICED * 200
    assert now_ms < 10_000 + FIRST_TOLD_MS


def test_each_stretch_is_of_who_wore_it_then() -> None:
    silence = _speaking()
    silence.worn_by("bo", 11_000)
    silence.worn_by("bo", 11_500)
    told = silence.tell(30_000, ())
    assert [(one.user, one.spell.from_ms, one.spell.to_ms) for one in told] == [
        ("anna", 10_000, 11_000),
        ("bo", 11_000, 30_000),
    ]
    assert [one.user for one in silence.tell(40_000, ())] == ["bo"]


def test_one_that_speaks_on_change_is_silent_only_without_a_link() -> None:
    silence = Silence("anna", 0)
    assert silence.is_gap(6_000)
    silence.linked(6_000)
    assert not silence.counts("steps", on_change=True)
    assert not silence.is_gap(10_000_000)
    silence.lost(10_000_000)
    assert silence.is_gap(10_006_000)
    assert _told(silence, 10_006_000) == [
        (10_000_000, 10_006_000, GapCause.SILENT, Evidence.LINK_LOST)
    ]


def test_of_several_words_the_hearts_counts() -> None:
    silence = Silence("anna", 0)
    assert silence.counts("cadence", on_change=False)
    assert not silence.counts("speed", on_change=False)
    assert silence.counts("heart_rate", on_change=False)
    assert not silence.counts("cadence", on_change=False)
    # A word that counts does so however it came.
    assert silence.counts("heart_rate", on_change=True)
