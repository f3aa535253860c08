"""The ledger keeps the newest entries and counts all."""

from __future__ import annotations

from strapline_simulator.ledger import Ledger, Sent


def entry(number: int) -> Sent:
    return Sent("2a37", bytes([number]), number)


def test_entries_are_in_order() -> None:
    ledger = Ledger()
    for number in range(3):
        ledger.enter(entry(number))
    assert ledger.entries == [entry(0), entry(1), entry(2)]
    assert (ledger.total, ledger.forgotten, ledger.lost) == (3, 0, 0)


def test_it_forgets_the_oldest_but_not_that_it_was() -> None:
    ledger = Ledger(size=2)
    for number in range(5):
        ledger.enter(entry(number))
    assert ledger.entries == [entry(3), entry(4)]
    assert (ledger.total, ledger.forgotten) == (5, 3)


def test_a_list_of_entries_is_a_copy() -> None:
    ledger = Ledger()
    ledger.entries.append(entry(1))
    assert ledger.entries == []
