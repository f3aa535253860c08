"""As much of NATS' client protocol as it takes to fill a stream and to ask for its state.

https://docs.nats.io/reference/reference-protocols/nats-protocol; JetStream's own requests are
https://docs.nats.io/reference/reference-protocols/nats_api_reference.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks.native import BenchmarkError

_PATIENCE_S: Final = 60.0
_CHUNK: Final = 1 << 20
_IN_FLIGHT: Final = 4_000
_AT_ONCE: Final = 500


class Nats:
    """One connection to a server on this machine."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._heard = b""
        # Of this client alone: what is subscribed to is heard over a leaf's link too.
        self._inbox = f"answers-{secrets.token_hex(8)}".encode()

    def greet(self) -> None:
        """Say hello, and where answers are to go."""
        self._link.sendall(
            b'CONNECT {"verbose":false,"pedantic":false,"lang":"benchmark","version":"1"}\r\n'
            b"SUB %b 1\r\nPING\r\n" % self._inbox
        )
        self._until(rb"PONG\r\n")

    def ask(self, subject: str, question: dict[str, Any] | None = None) -> dict[str, Any]:
        """JetStream's answer to a request.

        Raises:
            BenchmarkError: it is an error.
        """
        body = b"" if question is None else json.dumps(question).encode()
        self._link.sendall(self._said(subject, body))
        head = self._until(rb"MSG \S+ 1 (\d+)\r\n")
        size = int(head[1])
        while len(self._heard) < size + 2:
            self._hear()
        answer: dict[str, Any] = json.loads(self._heard[:size])
        self._heard = self._heard[size + 2 :]
        if "error" in answer:
            raise BenchmarkError(f"NATS refuses {subject}: {answer['error']}")
        return answer

    def publish(self, subject: str, payloads: Iterable[bytes]) -> None:
        """Store these in the stream of the subject; return when it has acknowledged all."""
        waiting, batch = 0, []
        for payload in payloads:
            batch.append(self._said(subject, payload))
            if len(batch) == _AT_ONCE:
                self._link.sendall(b"".join(batch))
                waiting += len(batch)
                batch.clear()
            while waiting > _IN_FLIGHT:
                waiting -= self._acknowledged()
        self._link.sendall(b"".join(batch))
        waiting += len(batch)
        while waiting:
            waiting -= self._acknowledged()

    def _said(self, subject: str, body: bytes) -> bytes:
        return b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), self._inbox, len(body), body)

    def _acknowledged(self) -> int:
        """Acknowledgements that have come, at least one."""
        while True:
            whole = self._heard.rfind(b"}\r\n") + 3
            if whole > 2:
                break
            self._hear()
        answers, self._heard = self._heard[:whole], self._heard[whole:]
        if b'"error"' in answers:
            raise BenchmarkError(f"NATS stores no more: {answers[-500:]!r}")
        return answers.count(b"MSG %b 1 " % self._inbox)

    def _until(self, pattern: bytes) -> re.Match[bytes]:
        while (found := re.search(pattern, self._heard)) is None:
            self._hear()
        self._heard = self._heard[found.end() :]
        return found

    def _hear(self) -> None:
        more = self._link.recv(_CHUNK)
        if not more:
            raise BenchmarkError("the NATS server has closed the connection")
        self._heard += more
        if b"PING\r\n" in more:
            self._link.sendall(b"PONG\r\n")


@contextmanager
def connected(port: int) -> Iterator[Nats]:
    """A connection that gets the answers to what it says."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), _PATIENCE_S)) as link:
        client = Nats(link)
        client.greet()
        yield client
