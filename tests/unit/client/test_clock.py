"""The clocks that ages are counted by; the rule itself is in the shared vectors."""

import time

from strapline_client.clock import ServerClock, monotonic_ms


def test_the_own_clock_counts_sleep_where_the_system_can() -> None:
    expected = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    assert 0 <= monotonic_ms() - expected < 1_000


def test_the_largest_offset_is_the_nearest_to_the_truth() -> None:
    clock = ServerClock()
    clock.heard(1_000, 10)
    clock.heard(1_100, 150)
    assert clock.now_ms(150) == 1_140
