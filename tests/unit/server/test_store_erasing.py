"""A person is erased: nothing is left, nothing comes back, and nobody else loses a thing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.asking import MarkParams
from strapline_protocol.base import WireModel
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Acknowledged, Rejected, Stream
from strapline_protocol.series import Series
from strapline_server.errors import AdminError
from strapline_server.store import people
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.commit import Work
from strapline_server.store.erasing import (
    Erased,
    count_erasures,
    erase_user,
    read_holdings,
    was_erased,
)
from strapline_server.store.saying import Saying
from strapline_server.store.walking import verify_stream
from tests.unit.server.store_kit import (
    HOUR,
    NOON,
    Bench,
    published,
    series_of,
    stream_named,
    zero_at,
)

A, B = stream_named("A"), stream_named("B")


class House(Bench):
    """A bench with two people, and a bridge that may publish for both."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user("ana")
        self.add_user("ben")
        self.pi = self.grant("pi", users=["ana", "ben"])
        for stream in (A, B):
            self.declare(self.pi, stream, zero_at(NOON - 2 * HOUR))

    def say(self, stream: str, *series: Series) -> tuple[WireModel, ...]:
        """What a bridge with its rights of now is answered."""
        grant = people.find_grant(self.transaction, "pi")
        assert grant is not None
        return self.commit(published(grant, stream, *series)).answers[0]

    def erase(self, user: str = "ana") -> Erased:
        self.connection.execute("BEGIN")
        found = erase_user(self.transaction, user)
        self.connection.execute("COMMIT")
        return found

    def accounts(self, stream: str) -> Accounts:
        row = self.transaction.one("stream", id=stream)
        assert row is not None
        return Accounts(self.transaction, row["stream_key"])

    def whole(self) -> bool:
        rows = self.transaction.all("streams_of_all")
        return all(verify_stream(self.transaction, row, lambda _: None).whole for row in rows)


def readings(first: int, count: int, user: str = "ana", **more: str) -> Series:
    times = [(first + i) * 1_000 for i in range(count)]
    values = [60 + i % 50 for i in range(count)]
    return series_of(values, times, first=first, user=user, device=f"of-{user}", **more)


def numbers_of(answers: Sequence[WireModel], code: str) -> IntervalSet:
    found = IntervalSet()
    for one in answers:
        told = one.code if isinstance(one, Rejected) else ""
        if isinstance(one, Rejected | Acknowledged) and told == code:
            found.update(one.ranges)
    return found


def test_every_table_that_knows_of_people_is_emptied() -> None:
    """A table that is added later and is not erased makes this red."""
    bench = House()
    bench.say(A, readings(0, 10), readings(10, 3, metric="steps"), readings(13, 5, "ben"))
    bench.say(
        A,
        series_of(
            [None],
            [30_000],
            first=18,
            metric="gap",
            device="of-ana",
            durationMs=[5_000],
            cause=["radioLost"],
            evidence=["heard"],
        ),
    )
    coach = bench.grant("coach", Role.VIEWER, may_mark=True, users=["ana"])
    bench.commit(Saying(coach, MarkParams(user="ana", label="Sprint")))
    key = bench.rows("SELECT user_key FROM users WHERE id = 'ana'")[0][0]
    tables = [
        table
        for (table,) in bench.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        if any(row[1] == "user_key" for row in bench.rows(f"PRAGMA table_info({table})"))
    ]
    assert {"blocks", "minutes", "said", "log", "spells", "grants"} <= set(tables)
    assert bench.erase() == Erased(15)
    for table in set(tables) - {"erased"}:
        left = bench.rows(f"SELECT count(*) FROM {table} WHERE user_key = {key}")  # noqa: S608  # names of tables
        assert left == [(0,)], table
    assert bench.rows("PRAGMA foreign_key_check") == []
    assert bench.whole()


def test_names_of_what_measured_nobody_else_are_forgotten() -> None:
    bench = House()
    bench.say(A, readings(0, 1), readings(1, 1, "ben"))
    bench.connection.execute("UPDATE devices SET name = 'Strap of ' || id")
    bench.erase()
    assert bench.rows("SELECT id, name FROM devices ORDER BY id") == [
        ("of-ana", ""),
        ("of-ben", "Strap of of-ben"),
    ]


def test_what_comes_again_or_for_the_first_time_is_refused_as_erased() -> None:
    bench = House()
    bench.say(A, readings(0, 10), readings(10, 5, "ben"))
    bench.erase()
    assert bench.accounts(A).of(Kind.ERASED) == [(0, 9)]
    (again,) = bench.say(A, readings(0, 10))
    assert isinstance(again, Rejected)
    assert (again.code, again.ranges) == ("erased", [(0, 9)])
    (first,) = bench.say(B, readings(7, 3))
    assert isinstance(first, Rejected)
    assert (first.code, first.ranges) == ("erased", [(7, 9)])
    assert bench.accounts(B).of(Kind.ERASED) == [(7, 9)]
    assert bench.rows("SELECT count(*) FROM blocks") == [(1,)]


def test_a_stream_no_longer_holds_them_so_that_bridges_ask() -> None:
    bench = House()
    bench.say(A, readings(0, 10), readings(10, 5, "ben"), readings(15, 5))
    bench.erase()
    declared = Stream(stream=A, next_seq=20, zero=zero_at(NOON - 2 * HOUR))
    (answer,) = bench.commit(Work(bench.pi, declared)).answers[0]
    assert isinstance(answer, Acknowledged)
    assert answer.ranges == [(10, 14)]


def test_a_message_of_several_people_is_judged_apart() -> None:
    bench = House()
    bench.erase()
    answers = bench.say(A, readings(0, 3), readings(3, 3, "ben"), readings(6, 3, "eve"))
    assert numbers_of(answers, "").ranges() == [(3, 5)]
    assert numbers_of(answers, "erased").ranges() == [(0, 2)]
    assert numbers_of(answers, "denied").ranges() == [(6, 8)]


def test_nobody_can_make_others_readings_erased() -> None:
    """A bridge that says the numbers of one person again, and calls them another's."""
    bench = House()
    bench.say(A, readings(0, 5, "ben"))
    bench.erase()
    (answer,) = bench.say(A, readings(0, 5))
    assert isinstance(answer, Rejected)
    assert answer.code == "erased"
    assert bench.accounts(A).of(Kind.RECEIVED) == [(0, 4)]
    assert bench.whole()


def test_a_damaged_block_goes_too_and_its_neighbours_stay(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = House()
    taking_turns = Series(
        user="ana",
        device="of-ana",
        metric="heart_rate",
        seq=[0, 2, 2],
        elapsed_ms=[0, 1_000, 1_000],
        value=[60, 61, 62],
    )
    bench.say(A, taking_turns, readings(1, 1, "ben"), readings(3, 1, "ben"))
    bench.connection.execute("UPDATE blocks SET data = x'00' WHERE first_seq = 0")
    bench.erase()
    assert bench.accounts(A).of(Kind.ERASED) == [(0, 0), (2, 2), (4, 4)]
    assert bench.accounts(A).of(Kind.RECEIVED) == [(1, 1), (3, 3)]
    assert "damaged" in caplog.text


def test_a_link_that_showed_nobody_else_is_revoked() -> None:
    bench = House()
    for sub, users in (("link-a", ["ana"]), ("link-b", ["ana", "ben"]), ("coach", ["ana"])):
        bench.grant(sub, Role.VIEWER, users=users)
    bench.grant("link-c", Role.VIEWER)
    holdings = read_holdings(bench.transaction, "ana")
    assert holdings is not None
    assert holdings.links == ("link-a",)
    before = people.rights_version(bench.transaction)
    bench.erase()
    assert people.rights_version(bench.transaction) > before
    assert {grant.sub: sorted(grant.ids) for grant in people.all_grants(bench.transaction)} == {
        "coach": [],
        "link-b": ["ben"],
        "link-c": ["ben"],
        "pi": ["ben"],
    }


def test_their_key_and_their_name_are_nobody_elses() -> None:
    bench = House()
    bench.add_user("zoe")
    key = bench.rows("SELECT user_key FROM users WHERE id = 'zoe'")[0][0]
    bench.erase("zoe")
    bench.add_user("yan")
    assert bench.rows("SELECT user_key FROM users WHERE id = 'yan'") == [(key + 1,)]
    assert was_erased(bench.transaction, "zoe")
    assert not was_erased(bench.transaction, "yan")
    dump = "\n".join(bench.connection.iterdump())
    assert "zoe" not in dump.lower()


def test_once_more_changes_nothing_and_who_was_never_there_is_said() -> None:
    bench = House()
    bench.say(A, readings(0, 2))
    assert bench.erase() == Erased(2)
    before = list(bench.connection.iterdump())
    assert bench.erase() == Erased(0, again=True)
    assert list(bench.connection.iterdump()) == before
    assert count_erasures(bench.transaction) == 1
    with pytest.raises(AdminError, match="no user 'eve'"):
        erase_user(bench.transaction, "eve")


#: (which stream, first number, how many, whose)
SENT = st.lists(
    st.tuples(
        st.sampled_from([A, B]),
        st.integers(0, 30),
        st.integers(1, 6),
        st.sampled_from(["ana", "ben"]),
    ),
    max_size=12,
)


@given(before=SENT, after=SENT, cools=st.booleans())
def test_nothing_that_a_bridge_sends_brings_a_reading_back(
    before: Sequence[tuple[str, int, int, str]],
    after: Sequence[tuple[str, int, int, str]],
    cools: bool,
) -> None:
    bench = House()
    for stream, first, count, user in before:
        bench.say(stream, readings(first, count, user))
    if cools:
        bench.now_ms += 2 * HOUR
        bench.cool()
    bens = bens_numbers(bench)
    bench.erase()
    assert bens_numbers(bench) == bens, "nobody else loses a reading"
    erased = {stream: IntervalSet(bench.accounts(stream).of(Kind.ERASED)) for stream in (A, B)}
    for stream, first, count, user in after:
        answers = bench.say(stream, readings(first, count, user))
        if user == "ana":
            assert numbers_of(answers, "erased").ranges() == [(first, first + count - 1)]
    assert bench.rows("SELECT id FROM users ORDER BY id") == [("ben",)]
    assert bench.rows("SELECT DISTINCT user_key FROM blocks") in ([], [(2,)])
    assert bench.whole()
    for stream in (A, B):
        now = IntervalSet(bench.accounts(stream).of(Kind.ERASED))
        assert not erased[stream].minus(now), "what is erased stays so"


def bens_numbers(bench: House) -> list[tuple[str, int]]:
    page = bench.history(user="ben", limit=10_000)
    return sorted((str(one.stream), n) for one in page.series for n in one.numbers())
