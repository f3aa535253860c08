"""Each hop's own record, turned into one account's terms."""

from __future__ import annotations

import time

import pytest

from strapline.account import Content, Notified
from strapline.errors import CommandError
from strapline.evidence import Witness, content_of
from strapline_bridge.decoders import battery, heart_rate
from strapline_bridge.wearables import Wearables
from strapline_protocol.intervals import IntervalSet
from strapline_simulator import Ledger, Sent, chest_strap, simulation
from tests.unit.cli.test_board import STREAM, heart

ADDRESS = "D0:5E:00:00:00:01"


class Silent:
    """A strap with nothing but a ledger."""

    address = ADDRESS

    def __init__(self, size: int = 10) -> None:
        self.ledger = Ledger(size)

    async def wait_connected(self) -> None:
        raise NotImplementedError

    async def wait_disconnected(self) -> None:
        raise NotImplementedError


def worn() -> tuple[Wearables, str]:
    wearables, wearable = Wearables().add(address=ADDRESS, user="maren", name="Strap", added_at=0)
    return wearables, wearable.device


def test_a_ledger_is_decoded_under_the_straps_own_id() -> None:
    wearables, device = worn()
    strap = Silent()
    # 72 bpm, contact, one interval of 1000/1024 s.
    strap.ledger.enter(Sent(heart_rate.CHARACTERISTIC, bytes([0x16, 72, 0xE8, 0x03]), 5))
    strap.ledger.enter(Sent(battery.CHARACTERISTIC, bytes([81]), 6))
    found = Witness().evidence([strap], wearables, {})
    assert found.notified == [
        Notified((device, "heart_rate"), Content(72, (1000,), contact=True), 5),
        Notified((device, "battery"), Content(81), 6),
    ]


def test_committed_readings_are_put_on_the_ledgers_clock() -> None:
    wearables, _ = worn()
    witness = Witness()
    witness.committed([heart([70, 71])])
    witness.acknowledged(STREAM, IntervalSet([(0, 0)]))
    witness.acknowledged(STREAM, IntervalSet([(1, 1)]))
    zero_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    before_ns = time.monotonic_ns()
    found = witness.evidence([], wearables, {STREAM: zero_ns})
    assert [one.identity for one in found.stored] == [(STREAM, 0), (STREAM, 1)]
    assert found.stored[1].at_ns - found.stored[0].at_ns == 1_000_000_000
    assert abs(found.stored[0].at_ns - before_ns) < 100_000_000
    assert found.acknowledged == {STREAM: IntervalSet([(0, 1)])}


def test_a_ledger_that_has_forgotten_is_no_truth() -> None:
    wearables, _ = worn()
    strap = Silent(size=1)
    for _ in range(2):
        strap.ledger.enter(Sent(battery.CHARACTERISTIC, bytes([81]), 6))
    with pytest.raises(CommandError, match="too long"):
        Witness().evidence([strap], wearables, {})


def test_a_strap_that_nobody_chose_is_an_error() -> None:
    with pytest.raises(CommandError, match="not among the wearables"):
        Witness().evidence([Silent()], Wearables(), {})


async def test_connections_are_counted_and_explain_what_was_read() -> None:
    witness = Witness()
    async with simulation([chest_strap("Strap")], pace=None) as air:
        wearables, wearable = Wearables().add(
            address=air.straps[0].address, user="maren", name="Strap", added_at=0
        )
        async with witness.counting(air.straps):
            pass
        found = witness.evidence(air.straps, wearables, {})
    assert found.reads[wearable.device, "battery"] == 0
    assert (wearable.device, "heart_rate") not in found.reads


def test_the_content_of_a_reading_is_all_that_it_says() -> None:
    # u16 rate, no contact, energy 258 kJ, two intervals.
    value = bytes([0x1D, 0x2C, 0x01, 0x02, 0x01, 0x10, 0x00, 0x20, 0x00])
    assert content_of(heart_rate.decode(value)) == Content(300, (16, 32), False, 258)
