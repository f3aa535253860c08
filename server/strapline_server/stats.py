"""What `strapline server stats` tells: all counters and the present, as one model.

No token, address or reading is in it; people and wearables are numbers, bridges have the names
that they were given.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

from pydantic import Field
from pydantic.alias_generators import to_camel

from strapline_protocol.base import Count, DurationMs, Label, WireModel, absent
from strapline_protocol.watching import HopState
from strapline_server.config import Bounds
from strapline_server.counters import Counters
from strapline_server.ingest import (
    MOST_READINGS_WAITING,
    MOST_SAYINGS_WAITING,
    MOST_WORKS_WAITING,
    Ingest,
)
from strapline_server.status import Statuses
from strapline_server.store import Facts

_MOST_BRIDGES: Final = 1_000


class Queue(WireModel):
    """Something with a bound, and how full it is."""

    name: Label
    waiting: Count
    most: Count | None = absent()
    bound: Count


class BridgeStats(WireModel):
    """One bridge, as far as it has said. Ages are counted back from now."""

    name: Label
    state: HopState
    state_age_ms: DurationMs
    pending: Count
    oldest_pending_ms: DurationMs
    devices: Count


class StoreStats(WireModel):
    """What the database holds; see :class:`~strapline_server.store.Facts`."""

    users: Count
    bridges: Count
    viewers: Count
    streams: Count
    readings: Count
    database_bytes: Count
    log_bytes: Count

    @classmethod
    def of(cls, facts: Facts) -> StoreStats:
        """The same, for the wire."""
        return cls(**asdict(facts))


class Running(WireModel):
    """What only a server that runs can tell.

    ``slow``: viewers that get the newest only, because they read too slowly.
    """

    uptime_ms: DurationMs
    storing: bool
    storing_age_ms: DurationMs
    failing: list[Label]
    bridges_connected: Count
    viewers_connected: Count
    slow: Count
    queues: list[Queue]
    bridges: Annotated[list[BridgeStats], Field(max_length=_MOST_BRIDGES)]
    counters: dict[str, Count]


class Stats(WireModel):
    """``running`` is absent where no server runs, ``store`` where the database cannot be read."""

    version: Label
    running: Running | None = absent()
    store: StoreStats | None = absent()


def queues(counters: Counters, ingest: Ingest, limits: Bounds) -> list[Queue]:
    """All that fills up, with its bound."""
    return [
        Queue(name="connections", waiting=counters.connections, bound=limits.connections),
        Queue(
            name="connections that have not said who they are",
            waiting=counters.unauthenticated,
            bound=limits.unauthenticated,
        ),
        Queue(
            name="messages that wait to be stored",
            waiting=counters.works_waiting,
            most=counters.works_waiting_most,
            bound=MOST_WORKS_WAITING,
        ),
        Queue(
            name="readings that wait to be stored",
            waiting=ingest.readings_waiting,
            bound=MOST_READINGS_WAITING,
        ),
        Queue(
            name="sessions, marks and notes that wait to be stored",
            waiting=ingest.sayings_waiting,
            bound=MOST_SAYINGS_WAITING,
        ),
    ]


def bridge_stats(statuses: Statuses) -> list[BridgeStats]:
    """Of each bridge that there is, by name."""
    found = statuses.standings()[:_MOST_BRIDGES]
    return [BridgeStats(**standing._asdict()) for standing in found]


def counted(counters: Counters) -> dict[str, int]:
    """All counters by their names on the wire."""
    return {to_camel(name): count for name, count in asdict(counters).items()}
