"""All that the server counts, in one place: what came, what was refused, what was left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Since the start of this process. Present numbers are ``connections`` and the queues'."""

    connections: int = 0
    unauthenticated: int = 0
    connections_opened: int = 0
    connections_refused: int = 0
    handshakes_refused: int = 0
    authentications_refused: int = 0
    taken_over: int = 0
    protocol_violations: int = 0
    rate_limited: int = 0
    silent_closed: int = 0
    stuck_closed: int = 0
    messages_received: int = 0
    requests_denied: int = 0
    http_responses: int = 0
    commits: int = 0
    commit_failures: int = 0
    readings_stored: int = 0
    readings_rejected: int = 0
    works_waiting: int = 0
    works_waiting_most: int = 0
    bridges_held_back: int = 0
    sayings_refused: int = 0
    changes: int = 0
    deliveries: int = 0
    conflated: int = 0
