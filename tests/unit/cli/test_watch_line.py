"""The last minutes of readings: repeats, order, bounds, and history that replaces."""

from strapline.watch.line import KEPT_MS, LINE_BOUND, merged, points_of, replaced
from strapline_protocol.series import TimedSeries
from tests.unit.cli.watch_kit import EPOCH, NOW_MS, a_point, points


def test_a_series_is_read_by_column() -> None:
    series = TimedSeries(
        user="ana",
        device="strap",
        metric="heart_rate",
        seq=[7, 1, 1],
        at_ms=[NOW_MS, 1_000, 1_000],
        value=[60, None, 62],
        contact=[True, None, False],
        quality=[None, ["zero"], None],
        received_ms=NOW_MS + 2_100,
        time_source="estimate",
    )
    found = points_of(series, (EPOCH, 4))
    assert [point.at_ms for point in found] == [NOW_MS, NOW_MS + 1_000, NOW_MS + 2_000]
    assert [point.value for point in found] == [60, None, 62]
    assert [point.contact for point in found] == [True, None, False]
    assert [point.quality for point in found] == [(), ("zero",), ()]
    assert {(one.estimated, one.received_ms, one.position) for one in found} == {
        (True, NOW_MS + 2_100, (EPOCH, 4))
    }


def test_a_repeat_replaces_and_what_is_late_finds_its_place() -> None:
    line = points(NOW_MS, NOW_MS + 4_000)
    again = merged(line, [a_point(NOW_MS + 2_000, 99), a_point(NOW_MS + 2_500, 98)])
    assert [point.value for point in again] == [60, 60, 99, 98, 60, 60]
    assert merged(line, []) is line


def test_two_devices_may_speak_at_one_moment() -> None:
    line = merged((), [a_point(NOW_MS, None, device="b"), a_point(NOW_MS, 61, device="a")])
    assert [point.device for point in line] == ["a", "b"]


def test_what_is_older_than_the_screen_goes_but_for_one() -> None:
    line = merged((), points(NOW_MS - KEPT_MS - 60_000, NOW_MS))
    assert line[0].at_ms == NOW_MS - KEPT_MS
    assert line[1].at_ms > NOW_MS - KEPT_MS


def test_a_fast_strap_keeps_its_newest() -> None:
    fast = [a_point(NOW_MS + at, 60 + at % 9) for at in range(LINE_BOUND + 500)]
    assert len(merged((), fast)) == LINE_BOUND
    assert merged((), fast)[-1] == fast[-1]


def test_history_replaces_its_stretch_but_nothing_that_came_later() -> None:
    old = points(NOW_MS, NOW_MS + 5_000, position=(EPOCH, 3))
    later = a_point(NOW_MS + 6_000, 77, position=(EPOCH, 9))
    read = [a_point(NOW_MS + 1_000, 50, position=(EPOCH, 5))]
    line = replaced((*old, later), NOW_MS, NOW_MS + 10_000, read, (EPOCH, 5))
    assert [(point.at_ms - NOW_MS, point.value) for point in line] == [(1_000, 50), (6_000, 77)]


def test_what_was_erased_is_gone() -> None:
    old = points(NOW_MS, NOW_MS + 5_000)
    assert replaced(old, NOW_MS, NOW_MS + 3_000, [], (EPOCH, 5)) == old[3:]
