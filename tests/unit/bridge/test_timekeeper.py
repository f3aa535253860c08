"""The best wall time there is: the system's own when synchronised, else a server's."""

from __future__ import annotations

from strapline_bridge.clock import ClockState, TimeSource
from strapline_bridge.timekeeper import Timekeeper
from strapline_protocol.opening import ClockState as ServerClockState
from strapline_protocol.opening import Hello
from strapline_protocol.publishing import ClockSource

_S = 1_000_000_000


class _Clocks:
    def __init__(self) -> None:
        self.boot_ns = 100 * _S
        self.wall_ms = 5_000
        self.state = ClockState(TimeSource.ESTIMATE, 86_400_000)

    def now_ns(self) -> int:
        return self.boot_ns

    def now_ms(self) -> int:
        return self.wall_ms


def _keeper() -> tuple[Timekeeper, _Clocks]:
    clocks = _Clocks()
    return Timekeeper(clocks, clocks, lambda: clocks.state), clocks


def _hello(server_ms: int, state: ServerClockState = ServerClockState.SYNCHRONISED) -> Hello:
    return Hello(store="s", epoch="e", server_time=server_ms, clock_state=state)


def test_alone_it_says_what_the_system_says_and_how_far_to_trust_it() -> None:
    keeper, clocks = _keeper()
    moment = keeper.moment()
    assert (moment.boot_ns, moment.wall_ms) == (100 * _S, 5_000)
    assert (moment.source, moment.uncertainty_ms) == (ClockSource.ESTIMATE, 86_400_000)
    clocks.state = ClockState(TimeSource.SYSTEM, 12)
    assert keeper.status().source is ClockSource.SYSTEM
    assert keeper.status().uncertainty_ms == 12


def test_a_synchronised_server_is_better_than_an_estimate_and_carried_on_by_the_boot_clock() -> (
    None
):
    keeper, clocks = _keeper()
    told = keeper.greeted(_hello(1_700_000_000_000), 100 * _S, 102 * _S)
    assert (told.boot_ns, told.source) == (101 * _S, ClockSource.SERVER)
    assert 1_000 <= told.uncertainty_ms <= 1_001
    clocks.boot_ns = 111 * _S
    clocks.wall_ms = 0
    moment = keeper.moment()
    assert moment.wall_ms == 1_700_000_010_000
    assert moment.source is ClockSource.SERVER


def test_what_a_server_said_long_ago_is_less_certain() -> None:
    keeper, clocks = _keeper()
    told = keeper.greeted(_hello(1_700_000_000_000), 100 * _S, 100 * _S)
    clocks.boot_ns += 10 * 24 * 3_600 * _S
    # 100 ppm of ten days.
    assert keeper.moment().uncertainty_ms == told.uncertainty_ms + 86_400


def test_beside_a_clock_that_is_given_nothing_is_a_suspend() -> None:
    keeper, clocks = _keeper()
    assert keeper.suspensions.slept_ns() == 0
    clocks.boot_ns += 3_600 * _S
    assert keeper.suspensions.slept_ns() == 0


def test_a_synchronised_system_needs_no_server() -> None:
    keeper, clocks = _keeper()
    clocks.state = ClockState(TimeSource.SYSTEM, 12)
    keeper.greeted(_hello(1_700_000_000_000), 100 * _S, 100 * _S)
    assert keeper.moment().wall_ms == 5_000


def test_a_server_unsure_of_its_clock_is_vague_and_does_not_replace_a_sure_one() -> None:
    keeper, _ = _keeper()
    unsure = _hello(1_600_000_000_000, ServerClockState.UNSYNCHRONISED)
    keeper.greeted(unsure, 100 * _S, 100 * _S)
    assert keeper.moment().source is ClockSource.SERVER_UNSYNCHRONISED
    assert keeper.moment().uncertainty_ms >= 3_600_000
    keeper.greeted(_hello(1_700_000_000_000), 100 * _S, 100 * _S)
    keeper.greeted(unsure, 100 * _S, 100 * _S)
    assert keeper.moment().source is ClockSource.SERVER


def test_without_clocks_of_a_test_it_reads_the_real_ones() -> None:
    keeper = Timekeeper()
    assert keeper.moment().wall_ms > 1_600_000_000_000
