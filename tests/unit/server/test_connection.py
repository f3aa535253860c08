"""A connection under any bytes: nothing is raised, and what is closed is closed for good."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from strapline_protocol.closing import CloseCode
from strapline_protocol.opening import Heartbeat
from strapline_server.carrier import Carrier, Hold
from strapline_server.connection import Connection
from strapline_server.counters import Counters
from strapline_server.http import Site
from strapline_server.wheel import Wheel

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: strapline.v1\r\n\r\n"
)


class Wire(asyncio.Transport):
    """A transport that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()
        self.reading = True
        self.ended = False
        self.aborted = False

    def write(self, data: Any) -> None:
        assert not self.ended, "nothing may follow the end"
        self.sent += data

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 1_000


class Talk:
    """A dialogue that remembers."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.rooms = self.losses = 0

    def receive(self, frame: str) -> None:
        self.heard.append(frame)

    def wake(self, now_ms: int) -> int | None:
        return now_ms + 1_000

    def room(self) -> None:
        self.rooms += 1

    def lost(self) -> None:
        self.losses += 1


class House:
    """The server, as a connection sees it."""

    def __init__(self) -> None:
        self.time_ms = 1_000
        self.counters = Counters()
        self.wheel = Wheel(self.now_ms)
        self.allowed_origins: tuple[str, ...] = ()
        self.message_bytes = 1_000
        self.buffer_bytes = 1_000
        self.heartbeat_ms = 15_000
        self.talk = Talk()
        self.full = False

    def now_ms(self) -> int:
        return self.time_ms

    def opened(self, connection: Carrier) -> bool:
        return not self.full

    def admitted(self, connection: Carrier) -> None: ...

    def closed(self, connection: Carrier) -> None: ...

    def respond(self, request: Request) -> Response:
        return Site({}).respond(request)

    def converse(self, connection: Carrier) -> Talk:
        return self.talk


def made(house: House | None = None) -> tuple[Connection, Wire, House]:
    house = house or House()
    connection, wire = Connection(house), Wire()
    connection.connection_made(wire)
    return connection, wire, house


def opened() -> tuple[Connection, Wire, House]:
    connection, wire, house = made()
    connection.data_received(UPGRADE)
    assert connection.open
    wire.sent.clear()
    return connection, wire, house


def text(data: bytes) -> bytes:
    return Frame(Opcode.TEXT, data).serialize(mask=True)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
def test_any_bytes_at_any_time(chunks: list[bytes], upgraded: bool) -> None:
    connection, wire, _ = opened() if upgraded else made()
    for chunk in chunks:
        connection.data_received(chunk)
    assert connection.eof_received() is False
    connection.send(Heartbeat(server_time=1))
    connection.close(CloseCode.RESTART, "end")
    connection.connection_lost(None)
    connection.send(Heartbeat(server_time=1))
    assert not connection.open
    assert not wire.aborted


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(UPGRADE) - 1), st.binary(min_size=1, max_size=3))
def test_a_handshake_with_a_mistake(place: int, change: bytes) -> None:
    connection, wire, house = made()
    connection.data_received(UPGRADE[:place] + change + UPGRADE[place + len(change) :])
    assert house.talk.heard == []
    answered = bytes(wire.sent[:9])
    assert answered in {b"", b"HTTP/1.1 "}


def test_a_house_that_is_full_opens_for_nobody() -> None:
    house = House()
    house.full = True
    _, wire, _ = made(house)
    assert wire.aborted
    assert wire.sent == b""


def test_frames_in_one_piece_or_byte_by_byte_are_the_same() -> None:
    frames = text(b"one") + text("zwei ä".encode()) + text(b"")
    for size in (1, 2, 7, 1_000):
        connection, _, house = opened()
        for begin in range(0, len(frames), size):
            connection.data_received(frames[begin : begin + size])
        assert house.talk.heard == ["one", "zwei ä", ""]


def test_reasons_to_read_nothing_add_up() -> None:
    connection, wire, _ = opened()
    connection.hold(Hold.WORK)
    connection.hold(Hold.WINDOW)
    seen = []
    for why in (Hold.WORK, Hold.WORK, Hold.WINDOW, Hold.WINDOW):
        connection.release(why)
        seen.append(wire.reading)
    assert seen == [False, False, True, True]


def test_one_that_does_not_read_is_not_heard_either() -> None:
    connection, wire, house = opened()
    connection.pause_writing()
    assert (connection.congested, wire.reading) == (True, False)
    connection.resume_writing()
    assert (connection.congested, wire.reading) == (False, True)
    assert house.talk.rooms == 1


def test_a_ready_frame_goes_as_it_is_and_never_after_the_end() -> None:
    connection, wire, _ = opened()
    connection.write(b"\x81\x02{}", 5_000)
    assert wire.sent == b"\x81\x02{}"
    assert connection.wrote_ms == 5_000
    connection.close(CloseCode.RESTART, "end")
    before = bytes(wire.sent)
    connection.write(b"\x81\x02{}", 6_000)
    connection.send(Heartbeat(server_time=1))
    connection.close(CloseCode.RESTART, "again")
    assert wire.sent == before


def test_a_close_that_is_not_answered_is_cut() -> None:
    connection, wire, house = opened()
    connection.close(CloseCode.NOT_ALLOWED, "no")
    assert connection.wake(house.time_ms) is not None
    house.time_ms += 5_000
    assert connection.wake(house.time_ms) is None
    assert wire.aborted


def test_a_close_that_is_answered_ends_our_half() -> None:
    connection, wire, _ = opened()
    connection.close(CloseCode.NOT_ALLOWED, "no")
    connection.data_received(Frame(Opcode.CLOSE, b"\x11\x33").serialize(mask=True))
    assert wire.ended
    assert not wire.aborted


def test_a_long_reason_is_cut_to_what_a_frame_holds() -> None:
    connection, wire, _ = opened()
    connection.close(CloseCode.NOT_ALLOWED, "ä" * 200)
    assert wire.sent[1] <= 125


def test_the_rate_is_a_bucket_that_fills_again() -> None:
    connection, _, house = opened()
    connection.admit(2)
    for _ in range(20):
        connection.data_received(text(b"x"))
    house.time_ms += 1_000
    open_after = []
    for _ in range(3):
        connection.data_received(text(b"x"))
        open_after.append(connection.open)
    assert open_after == [True, True, False]
    assert (len(house.talk.heard), house.counters.rate_limited) == (22, 1)


def test_the_dialogue_is_told_once_that_all_is_over() -> None:
    connection, _, house = opened()
    connection.connection_lost(ConnectionResetError())
    assert house.talk.losses == 1
    assert connection.wake(house.time_ms) is None
