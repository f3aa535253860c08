"""A metric's state within one transaction: measured or said, and read once."""

from __future__ import annotations

from strapline_protocol.watching import HeartRateData, MarkData
from strapline_server.state import Source
from strapline_server.store import people
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.people import User
from strapline_server.store.states import States
from tests.unit.server.store_kit import NOON, Bench, series_of, stream_named, zero_at

A = stream_named("A")


def test_a_state_is_read_once_and_by_the_hops_that_are_given() -> None:
    bench = Bench()
    bench.add_user()
    pi = bench.grant("pi")
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, series_of([50], [0], on_change=True))
    bench.now_ms += 3_600_000
    user = people.find_user(bench.transaction, "ana")
    assert user is not None
    asked: list[list[str]] = []

    def connected(who: User, sources: list[Source]) -> set[str]:
        assert who == user
        asked.append([source.device for source in sources])
        return {"strap-1"}

    transaction = bench.transaction
    states = States(transaction, Aggregates(transaction), connected)
    data = states.data(user, "heart_rate")
    assert isinstance(data, HeartRateData)
    assert data.current == 50
    assert states.data(user, "heart_rate") is data
    source = states.measured(user, "heart_rate").shown(bench.now_ms)
    assert source is not None
    assert source.device == "strap-1"
    assert asked == [["strap-1"]]
    assert states.data(user, "mark") == MarkData(mark=None)
    assert asked == [["strap-1"]], "what is said has no source"
