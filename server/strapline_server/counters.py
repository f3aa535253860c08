"""All that the server counts, in one place, with the words that a person reads for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Topic(StrEnum):
    """What a count is about, as a heading."""

    CONNECTIONS = "Connections"
    REFUSALS = "Turned away or cut off"
    STORING = "Storing"
    TELLING = "Telling viewers"


def _count(topic: Topic, words: str) -> Any:
    return field(default=0, metadata={"topic": topic, "words": words})


@dataclass(slots=True)
class Counters:
    """Since the start of this process; those of :data:`PRESENT` are of the moment."""

    connections: int = _count(Topic.CONNECTIONS, "open now")
    unauthenticated: int = _count(Topic.CONNECTIONS, "open now that have not said who they are")
    connections_opened: int = _count(Topic.CONNECTIONS, "came")
    http_responses: int = _count(Topic.CONNECTIONS, "plain requests answered")
    messages_received: int = _count(Topic.CONNECTIONS, "messages received")
    taken_over: int = _count(Topic.CONNECTIONS, "of a bridge that a newer one of it replaced")
    connections_refused: int = _count(Topic.REFUSALS, "came when there was no room")
    handshakes_refused: int = _count(Topic.REFUSALS, "handshakes of another page or form")
    authentications_refused: int = _count(Topic.REFUSALS, "tokens that were not good")
    requests_denied: int = _count(Topic.REFUSALS, "messages and questions denied")
    protocol_violations: int = _count(Topic.REFUSALS, "closed for breaking the protocol")
    rate_limited: int = _count(Topic.REFUSALS, "closed for sending too much")
    rights_taken: int = _count(Topic.REFUSALS, "closed when their rights or key were taken away")
    tokens_expired: int = _count(Topic.REFUSALS, "closed when their token was over")
    silent_closed: int = _count(Topic.REFUSALS, "cut after too long a silence")
    stuck_closed: int = _count(Topic.REFUSALS, "cut for taking nothing for too long")
    commits: int = _count(Topic.STORING, "commits")
    commit_failures: int = _count(Topic.STORING, "commits that failed and were tried again")
    readings_stored: int = _count(Topic.STORING, "readings stored")
    readings_rejected: int = _count(Topic.STORING, "readings refused for good")
    works_waiting: int = _count(Topic.STORING, "messages that wait to be stored now")
    works_waiting_most: int = _count(Topic.STORING, "most messages that waited at a time")
    bridges_held_back: int = _count(Topic.STORING, "times that a bridge was not read from")
    sayings_refused: int = _count(Topic.STORING, "sessions, marks and notes that were refused")
    changes: int = _count(Topic.TELLING, "changes of somebody's data")
    deliveries: int = _count(Topic.TELLING, "changes handed to a viewer")
    conflated: int = _count(Topic.TELLING, "updates left out for a viewer that was slow or asked")


#: What goes down again.
PRESENT = frozenset({"connections", "unauthenticated", "works_waiting"})
