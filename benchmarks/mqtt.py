"""As much of MQTT 3.1.1 as it takes to publish at QoS 1 and to count what arrives (OASIS, 2014)."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.native import BenchmarkError

_PATIENCE_S: Final = 60.0
_CHUNK: Final = 1 << 20
_IN_FLIGHT: Final = 4_000
_AT_ONCE: Final = 500
#: Control packets by their first byte (2.2).
_CONNECT: Final = 0x10
_PUBLISH_QOS_0: Final = 0x30
_PUBLISH_QOS_1: Final = 0x32
_SUBSCRIBE: Final = 0x82
#: A CONNACK or PUBACK (3.2, 3.4).
_ACK_SIZE: Final = 4


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    """With its remaining length, 7 bits a byte (2.2.3)."""
    left, size = len(body), bytearray()
    while True:
        left, part = divmod(left, 128)
        size.append(part | (0x80 if left else 0))
        if not left:
            return bytes([kind]) + size + body


class Mqtt:
    """One connection to a broker on this machine."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._rest = 0

    def greet(self, client: str) -> None:
        """Begin a session that ends with the connection."""
        body = _text("MQTT") + bytes([4, 2]) + struct.pack("!H", 0) + _text(client)
        self._link.sendall(_packet(_CONNECT, body))
        if self._exactly(_ACK_SIZE)[-1]:
            raise BenchmarkError("the broker refuses the connection")

    def publish(self, topic: str, payloads: Iterable[bytes]) -> None:
        """QoS 1; return when the broker has acknowledged all."""
        waiting, batch, number = 0, [], 0
        for payload in payloads:
            number = number % 65_535 + 1
            body = _text(topic) + struct.pack("!H", number) + payload
            batch.append(_packet(_PUBLISH_QOS_1, body))
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

    def subscribe(self, topic: str) -> None:
        """At QoS 0: nothing is to be answered, so that counting costs next to nothing."""
        self._link.sendall(_packet(_SUBSCRIBE, struct.pack("!H", 1) + _text(topic) + b"\0"))
        self._exactly(5)

    def arrive(self, count: int, topic: str, payload_bytes: int) -> None:
        """Return when so many messages of this size have come.

        Raises:
            BenchmarkError: what comes is not of this size, or nothing comes any more.
        """
        one = len(_packet(_PUBLISH_QOS_0, _text(topic) + bytes(payload_bytes)))
        left = count * one
        while left:
            more = self._link.recv(min(left, _CHUNK))
            if not more:
                raise BenchmarkError("the broker has closed the connection")
            left -= len(more)

    def _acknowledged(self) -> int:
        """PUBACKs that have come, at least one."""
        more = self._link.recv(_CHUNK)
        if not more:
            raise BenchmarkError("the broker has closed the connection")
        count, self._rest = divmod(len(more) + self._rest, _ACK_SIZE)
        return count

    def _exactly(self, size: int) -> bytes:
        heard = b""
        while len(heard) < size:
            more = self._link.recv(size - len(heard))
            if not more:
                raise BenchmarkError("the broker has closed the connection")
            heard += more
        return heard


@contextmanager
def connected(port: int, client: str) -> Iterator[Mqtt]:
    """A connection with a session that ends with it."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), _PATIENCE_S)) as link:
        found = Mqtt(link)
        found.greet(client)
        yield found
