"""What a service is told: whom to watch, where, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from strapline_protocol.metrics import METRICS
from strapline_protocol.opening import Client

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _this_program() -> Client:
    return Client(name="strapline-client", version="1", metrics=sorted(METRICS))


@dataclass(frozen=True, slots=True)
class Options:
    """Checked when made.

    Attributes:
        url: ``wss://…``; ``ws://…`` on this machine.
        client: how this program calls itself to the server.
        plain_text: allow ``ws://`` beyond this machine.
        auto_reconnect: whether a lost connection is tried again.
        users: whom to watch; None: all that are granted.
        metrics: which; None: all that are granted.
        min_interval_ms: at most one update a metric in so long; 0: each.

    Raises:
        ValueError: ``url`` is not one, carries a token, or would send it unencrypted.
    """

    url: str
    client: Client = field(default_factory=_this_program)
    plain_text: bool = False
    auto_reconnect: bool = True
    users: Sequence[str] | None = None
    metrics: Sequence[str] | None = None
    min_interval_ms: int = 0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ValueError(f"not a WebSocket address: {parts.scheme}://…; give wss://HOST/ws")
        if parts.query or parts.fragment or parts.username or parts.password:
            raise ValueError(
                "a WebSocket address carries no token and no user: give the token apart"
            )
        if parts.scheme == "ws" and not self.local and not self.plain_text:
            raise ValueError(
                "ws:// beyond this machine sends token and readings unencrypted: use wss://, "
                "or allow it with plain_text=True"
            )

    @property
    def local(self) -> bool:
        """Whether the server is on this machine."""
        return urlsplit(self.url).hostname in _LOOPBACK
