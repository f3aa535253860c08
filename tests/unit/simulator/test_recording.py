"""The recording is played beat by beat, as it was recorded or honestly scaled."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strapline_simulator
from strapline_simulator.recording import REST_FILE, BeatPlayer, Recording, rest_recording

FEW = Recording((800, 900, 1000, 1100, 700) * 2, "made up")


def test_the_packaged_hour_at_rest() -> None:
    recording = rest_recording()
    assert len(recording.intervals_ms) == 4684
    assert (min(recording.intervals_ms), max(recording.intervals_ms)) == (562, 1188)
    assert 3590 < recording.duration_s < 3610
    assert "MIT-BIH Normal Sinus Rhythm" in recording.source


def test_the_recording_is_the_file_and_is_attributed() -> None:
    folder = Path(strapline_simulator.__file__).parent / "data"
    with (folder / REST_FILE).open() as file:
        rows = [int(row["rr_ms"]) for row in csv.DictReader(file)]
    assert rest_recording().intervals_ms == tuple(rows)
    attribution = (folder / "ATTRIBUTION.md").read_text()
    assert REST_FILE in attribution
    assert "ODC-By" in attribution


def test_beats_come_in_the_second_in_which_they_fall() -> None:
    player = BeatPlayer(FEW)
    # Beats at 0.8, 1.7, 2.7, 3.8, 4.5 s, and over again.
    assert [player.advance(1).rr_ms for _ in range(6)] == [
        (800,),
        (900,),
        (1000,),
        (1100,),
        (700,),
        (800,),
    ]


def test_a_second_may_have_no_beat_or_several() -> None:
    slow = BeatPlayer(Recording((1600,) * 8, "made up"))
    assert [len(slow.advance(1).rr_ms) for _ in range(8)] == [0, 1, 0, 1, 1, 0, 1, 1]
    fast = BeatPlayer(Recording((400,) * 8, "made up"))
    assert [len(fast.advance(1).rr_ms) for _ in range(4)] == [2, 3, 2, 3]


@given(
    steps=st.lists(st.floats(0, 5), min_size=1, max_size=40),
    offset_s=st.floats(0, 10_000),
    scale=st.floats(0.3, 2.0),
)
def test_no_beat_is_lost_or_made_up(steps: list[float], offset_s: float, scale: float) -> None:
    recording = rest_recording()
    player = BeatPlayer(recording, offset_s=offset_s, scale=scale)
    played = [rr for seconds in steps for rr in player.advance(seconds).rr_ms]
    assert sum(played) <= sum(steps) * 1000 + 1e-6
    longest_ms = max(recording.intervals_ms) * scale
    assert sum(steps) * 1000 - sum(played) < longest_ms + 1e-6
    # What was played is a stretch of the recording, in order.
    scaled = [interval * scale for interval in recording.intervals_ms * 2]
    if played:
        starts = [i for i, value in enumerate(scaled[: len(scaled) // 2]) if value == played[0]]
        assert any(scaled[start : start + len(played)] == played for start in starts)


def test_how_time_is_cut_does_not_matter() -> None:
    whole, pieces = BeatPlayer(FEW), BeatPlayer(FEW)
    at_once = whole.advance(12)
    bit_by_bit = [rr for _ in range(120) for rr in pieces.advance(0.1).rr_ms]
    assert at_once.rr_ms == tuple(bit_by_bit)


def test_the_rate_is_that_of_the_last_eight_beats() -> None:
    player = BeatPlayer(FEW)
    before = (1000 + 1100 + 700) + (800 + 900 + 1000 + 1100 + 700)
    assert player.bpm == round(60_000 * 8 / before)  # of the beats before the start
    after = (800 + 900 + 1000 + 1100 + 700) + (800 + 900 + 1000)
    assert player.advance(7.3).bpm == round(60_000 * 8 / after)


def test_an_offset_starts_later() -> None:
    assert BeatPlayer(FEW, offset_s=1.0).advance(1).rr_ms == (900,)
    assert BeatPlayer(FEW, offset_s=FEW.duration_s + 1.0).advance(1).rr_ms == (900,)


def test_scaling_makes_the_heart_go_faster_and_says_so() -> None:
    plain, scaled = BeatPlayer(rest_recording()), BeatPlayer(rest_recording(), scale=0.5)
    assert plain.source == rest_recording().source
    assert scaled.source.endswith(", intervals scaled by 0.5")
    assert scaled.advance(60).bpm == pytest.approx(2 * plain.advance(120).bpm, abs=2)


def test_the_whole_recording_stays_in_a_human_range() -> None:
    for scale, low, high in ((1.0, 50, 110), (0.55, 90, 200)):
        player = BeatPlayer(rest_recording(), scale=scale)
        rates = [player.advance(1).bpm for _ in range(4000)]
        assert low < min(rates)
        assert max(rates) < high
        assert max(abs(b - a) for a, b in pairwise(rates)) < 45


@pytest.mark.parametrize("scale", [0.29, 2.01, -1.0])
def test_a_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale is"):
        BeatPlayer(FEW, scale=scale)


def test_too_short_a_recording_and_time_backwards_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 8 intervals"):
        BeatPlayer(Recording((800, 900), "made up"))
    with pytest.raises(ValueError, match="time cannot pass by -1"):
        BeatPlayer(FEW).advance(-1)
