"""The balance of a run: each way in which it can fail is seen."""

from collections.abc import Sequence
from dataclasses import replace

from strapline.account import Content, Delivered, Evidence, Latency, Notified, Stored, draw_up
from strapline_protocol.intervals import IntervalSet

HEART = ("strap-1", "heart_rate")
STEPS = ("strap-1", "steps")
MS = 1_000_000
STREAM = "A" * 22


def run(rates: Sequence[int], source: tuple[str, str] = HEART, first_seq: int = 0) -> Evidence:
    """One notification a second, stored 1 ms and delivered 5 ms later."""
    evidence = Evidence()
    sent = []
    for index, rate in enumerate(rates):
        at_ns = index * 1_000 * MS
        content = Content(rate, rr=(900 + index,))
        identity = (STREAM, first_seq + index)
        sent.append(Notified(source, content, at_ns))
        evidence.stored.append(Stored(source, content, identity, at_ns + MS))
        evidence.acknowledged[STREAM].add(identity[1], identity[1])
        evidence.delivered.append(Delivered(source, content, identity, at_ns + 5 * MS))
    evidence.notified = sent
    return evidence


def test_a_whole_run_holds() -> None:
    account = draw_up(run([70, 71, 71, 70]))
    assert (account.notified, account.stored, account.acknowledged, account.delivered) == (4,) * 4
    assert (account.lost, account.doubled, account.read) == (0, 0, 0)
    assert account.latency == Latency(p50=5.0, p99=5.0)
    assert account.holds


def test_a_reading_that_was_never_stored_is_lost() -> None:
    evidence = run([70, 71, 72])
    del evidence.stored[1], evidence.delivered[1]
    account = draw_up(evidence)
    assert (account.notified, account.stored, account.delivered, account.lost) == (3, 2, 2, 1)
    assert not account.holds


def test_a_reading_that_was_not_delivered_is_lost() -> None:
    evidence = run([70, 71, 72])
    del evidence.delivered[0]
    account = draw_up(evidence)
    assert (account.stored, account.acknowledged, account.lost) == (3, 3, 1)


def test_a_reading_that_was_changed_on_the_way_is_lost() -> None:
    evidence = run([70, 71])
    evidence.delivered[1] = replace(evidence.delivered[1], content=Content(99))
    assert draw_up(evidence).lost == 1


def test_a_reading_that_came_as_somebody_elses_is_lost() -> None:
    evidence = run([70, 71])
    evidence.delivered[1] = replace(evidence.delivered[1], source=("strap-2", "heart_rate"))
    assert draw_up(evidence).lost == 1


def test_an_identity_that_came_twice_is_doubled() -> None:
    evidence = run([70, 71])
    evidence.delivered.append(evidence.delivered[0])
    account = draw_up(evidence)
    assert (account.doubled, account.lost) == (1, 0)
    assert not account.holds


def test_a_notification_that_was_stored_twice_is_doubled() -> None:
    evidence = run([70, 71, 72])
    twin = replace(evidence.stored[1], identity=(STREAM, 9))
    evidence.stored.insert(2, twin)
    account = draw_up(evidence)
    assert (account.stored, account.doubled) == (3, 1)


def test_equal_counts_do_not_hide_a_loss_beside_a_double() -> None:
    evidence = run([70, 71, 72])
    evidence.stored[2] = replace(evidence.stored[1], identity=(STREAM, 2))
    evidence.delivered[2] = replace(evidence.delivered[1], identity=(STREAM, 2))
    account = draw_up(evidence)
    assert (len(evidence.stored), account.lost, account.doubled) == (3, 1, 1)


def test_something_delivered_that_was_never_stored_is_doubled() -> None:
    evidence = run([70])
    evidence.delivered.append(replace(evidence.delivered[0], identity=("B" * 22, 0)))
    assert draw_up(evidence).doubled == 1


def test_a_value_read_at_connecting_is_neither_lost_nor_doubled() -> None:
    evidence = run([4_211, 4_213], STEPS, first_seq=1)
    evidence.stored.insert(0, Stored(STEPS, Content(4_210), (STREAM, 0), 0))
    evidence.reads = {STEPS: 1}
    account = draw_up(evidence)
    assert (account.stored, account.read, account.doubled, account.lost) == (2, 1, 0, 0)
    evidence.reads = {}
    assert draw_up(evidence).doubled == 1


def test_a_read_value_is_not_taken_for_the_notification_that_repeats_it() -> None:
    evidence = run([4_210], STEPS, first_seq=1)
    evidence.notified = [replace(evidence.notified[0], at_ns=500 * MS)]
    evidence.stored = [
        Stored(STEPS, evidence.notified[0].content, (STREAM, 0), 100 * MS),
        Stored(STEPS, evidence.notified[0].content, (STREAM, 1), 501 * MS),
    ]
    evidence.delivered = [
        Delivered(STEPS, evidence.notified[0].content, (STREAM, 1), 510 * MS),
    ]
    evidence.reads = {STEPS: 1}
    account = draw_up(evidence)
    assert (account.delivered, account.read, account.lost) == (1, 1, 0)
    assert account.latency == Latency(10.0, 10.0)


def test_what_is_not_acknowledged_is_seen() -> None:
    evidence = run([70, 71, 72])
    evidence.acknowledged = {STREAM: IntervalSet([(0, 1)])}
    assert draw_up(evidence).acknowledged == 2


def test_a_run_that_brought_nothing_does_not_hold() -> None:
    account = draw_up(Evidence())
    assert account.latency is None
    assert not account.holds
