"""What the screen knows from the outbox."""

from __future__ import annotations

from strapline.board import Board, Rate
from strapline_bridge.outbox import Row
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import Series, differences

STREAM = "A" * 22


def heart(
    rates: list[int], *, device: str = "strap-1", quality: list[list[str] | None] | None = None
) -> Row:
    count = len(rates)
    series = Series(
        user="maren-holt",
        device=device,
        metric="heart_rate",
        seq=differences(list(range(count))),
        elapsed_ms=differences([1_000 * n for n in range(count)]),
        value=list(rates),
        quality=quality,
    )
    return Row(STREAM, series)


def board() -> Board:
    return Board(lambda: 10.0, lambda: 1_000.0)


def test_the_last_rate_of_each_strap_is_kept_with_its_moment() -> None:
    one = board()
    one.committed([heart([70, 72]), heart([150], device="strap-2")])
    assert one.rates == {
        "strap-1": Rate(72, at_s=10.0, wall_s=1_000.0),
        "strap-2": Rate(150, at_s=10.0, wall_s=1_000.0),
    }


def test_a_doubted_rate_or_none_is_not_shown() -> None:
    one = board()
    one.committed([heart([72])])
    one.committed([heart([0])])
    one.committed([heart([190], quality=[["noContact"]])])
    assert one.rates["strap-1"].bpm == 72


def test_a_rate_is_the_present_for_five_seconds() -> None:
    rate = Rate(72, at_s=10.0, wall_s=0.0)
    assert rate.is_fresh(15.0)
    assert not rate.is_fresh(15.1)


def test_readings_are_counted_when_taken_and_when_delivered() -> None:
    one = board()
    one.committed([heart([70, 72, 73])])
    one.acknowledged(STREAM, IntervalSet([(0, 1)]))
    assert (one.taken, one.delivered) == (3, 2)
