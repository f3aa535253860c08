"""A database in memory with its own clock, for tests of what runs inside one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from strapline_protocol.asking import HistoryPage, HistoryParams
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Anchor, ClockSource, Lane, Readings, Stream, Zero
from strapline_protocol.series import Series
from strapline_protocol.watching import MetricData
from strapline_server.store import cooling, people
from strapline_server.store.commit import Commit, Outcome, Run, Work
from strapline_server.store.database import Transaction
from strapline_server.store.history import read_history
from strapline_server.store.people import Grant
from strapline_server.store.queries import load_migrations, load_queries
from strapline_server.store.reading import read_state
from strapline_server.store.saying import Saying

QUERIES = load_queries()
#: Tuesday, 24 November 2026, 12:00 UTC; in Vienna 13:00.
NOON = 1_795_521_600_000
HOUR = 3_600_000
EPOCH = "epoch"
OWN = "O" * 22


def stream_named(letter: str) -> str:
    """A stream's id that is easy to tell."""
    return letter * 22


def zero_at(wall_ms: int, version: int = 1, source: ClockSource = ClockSource.SYSTEM) -> Zero:
    """A zero whose ``elapsedMs`` 0 is at this wall time."""
    anchor = Anchor(elapsed_ms=0, wall_ms=wall_ms, uncertainty_ms=10, source=source)
    return Zero(version=version, anchors=[anchor])


def series_of(
    values: Sequence[float | None],
    elapsed_ms: Sequence[int],
    *,
    first: int = 0,
    user: str = "ana",
    device: str = "strap-1",
    metric: str = "heart_rate",
    **columns: Any,
) -> Series:
    """Readings with numbers from ``first`` on, at these moments."""
    steps = [elapsed_ms[0], *(b - a for a, b in pairwise(elapsed_ms))]
    return Series(
        user=user,
        device=device,
        metric=metric,
        seq=[first] + [1] * (len(values) - 1),
        elapsed_ms=steps,
        value=list(values),
        **columns,
    )


@dataclass
class Bench:
    """A store's inside, by hand."""

    now_ms: int = NOON
    run: Run = field(default_factory=lambda: Run(OWN))
    connection: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")
        for _, _, script in load_migrations():
            self.connection.executescript(script)
        self.transaction.run("insert_meta", name="store", value="store")

    @property
    def transaction(self) -> Transaction:
        """One that begins and ends with each statement."""
        return Transaction(self.connection, QUERIES, self.now_ms)

    def add_user(self, user: str = "ana", zone: str = "Europe/Vienna") -> None:
        """A wearer."""
        assert people.add_user(self.transaction, user, user.title(), zone)

    def grant(self, sub: str = "pi", role: Role = Role.BRIDGE, **rights: Any) -> Grant:
        """What a principal may, from now on."""
        users = rights.get("users", "all")
        missing = people.put_grant(
            self.transaction,
            sub,
            role,
            sub,
            users,
            rights.get("metrics"),
            may_mark=rights.get("may_mark", False),
        )
        assert missing == rights.get("missing", [])
        found = people.find_grant(self.transaction, sub)
        assert found is not None
        return found

    def commit(self, *works: Work | Saying) -> Outcome:
        """Carry these out as one commit."""
        self.connection.execute("BEGIN")
        outcome = Commit(self.transaction, EPOCH, self.run).carry_out(works)
        self.connection.execute("COMMIT")
        return outcome

    def declare(self, grant: Grant, stream: str, zero: Zero) -> Outcome:
        """A STREAM of its own commit."""
        return self.commit(Work(grant, Stream(stream=stream, next_seq=0, zero=zero)))

    def publish(self, grant: Grant, stream: str, *series: Series) -> Outcome:
        """READINGS of its own commit."""
        return self.commit(published(grant, stream, *series))

    def cool(self) -> int:
        """Merge what there is to merge; how many hours there were."""
        hours = 0
        while (planned := cooling.plan(self.transaction)) is not None:
            assert cooling.carry_out(self.transaction, planned)
            hours += 1
        return hours

    def state(self, user: str = "ana") -> dict[str, MetricData]:
        """All metrics as a snapshot would say them now."""
        found = people.find_user(self.transaction, user)
        assert found is not None
        metrics = [row["metric"] for row in self.transaction.all("heads", user_key=found.key)]
        return read_state(self.transaction, found, metrics, ())

    def history(self, sub: str = "pi", **params: Any) -> HistoryPage:
        """One page."""
        asked = {"user": "ana", "metric": "heart_rate", "from_ms": 0, "to_ms": 2**52, **params}
        page = read_history(self.transaction, EPOCH, sub, HistoryParams(**asked))
        assert page is not None
        return page

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Whatever a test wants to look at."""
        with closing(self.connection.execute(query)) as cursor:
            return [tuple(row) for row in cursor.fetchall()]


def published(grant: Grant, stream: str, *series: Series) -> Work:
    """READINGS as a work."""
    return Work(grant, Readings(stream=stream, lane=Lane.LIVE, series=list(series)))
