"""Changes get their positions, are logged as they are sent, and none is left untold."""

from __future__ import annotations

from strapline_protocol.codec import encode
from strapline_protocol.watching import HistoryChange, HistoryChanged
from strapline_server.store import people
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.states import States
from strapline_server.store.telling import Past, Telling, change_of, take_untold
from tests.unit.server.store_kit import EPOCH, NOON, Bench


def telling(bench: Bench) -> tuple[Telling, people.User]:
    bench.add_user()
    user = people.find_user(bench.transaction, "ana")
    assert user is not None
    transaction = bench.transaction
    return Telling(
        transaction, EPOCH, States(transaction, Aggregates(transaction), lambda *_: None)
    ), user


def past(user: people.User, metric: str, from_ms: int = NOON - 10) -> Past:
    return Past(user, metric, HistoryChange.REBASED, from_ms, NOON, 3)


def test_positions_follow_one_another_and_name_the_one_before_of_their_metric() -> None:
    bench = Bench()
    teller, user = telling(bench)
    told = [teller.tell(past(user, metric)) for metric in ("heart_rate", "cadence", "heart_rate")]
    assert [(one.message.position, one.message.previous) for one in told] == [
        ((EPOCH, 1), (EPOCH, 0)),
        ((EPOCH, 2), (EPOCH, 0)),
        ((EPOCH, 3), (EPOCH, 1)),
    ]
    logged = bench.rows("SELECT position, metric, message FROM log ORDER BY position")
    assert logged == [(n + 1, one.metric, one.payload) for n, one in enumerate(told)]
    assert all(encode(one.message) == one.payload for one in told)
    assert change_of(told[0].payload) == told[0].message


def test_what_is_left_untold_is_handed_out_once_in_order_and_forgotten_of() -> None:
    bench = Bench()
    teller, user = telling(bench)
    teller.tell(past(user, "cadence"))
    for metric in ("heart_rate", "steps"):
        teller.leave_untold(past(user, metric))
    forgotten: list[tuple[int, str]] = []
    changes = take_untold(bench.transaction, lambda key, metric: forgotten.append((key, metric)))
    assert [(one.metric, one.message.position[1]) for one in changes] == [
        ("heart_rate", 2),
        ("steps", 3),
    ]
    assert forgotten == [(user.key, "heart_rate"), (user.key, "steps")]
    message = changes[0].message
    assert isinstance(message, HistoryChanged)
    assert (message.from_ms, message.to_ms, message.count) == (NOON - 10, NOON, 3)
    assert take_untold(bench.transaction, lambda *_: None) == []


def test_what_was_trimmed_from_the_log_is_told_to_nobody() -> None:
    bench = Bench()
    teller, user = telling(bench)
    teller.leave_untold(past(user, "heart_rate"))
    bench.rows("DELETE FROM log")
    assert take_untold(bench.transaction, lambda *_: None) == []
    teller.leave_untold(past(user, "heart_rate"))
    (change,) = take_untold(bench.transaction, lambda *_: None)
    assert change.message.position == (EPOCH, 2)
    assert bench.rows("SELECT * FROM untold") == []
