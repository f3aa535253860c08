"""Attacks on a connection: handshake, framing, sizes, deadlines, floods and crowds."""

from __future__ import annotations

import asyncio
import logging
import resource
import secrets
import zlib
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Close, Frame, Opcode
from websockets.typing import Subprotocol

from strapline_protocol.closing import retry_after_ms
from strapline_protocol.codec import encode
from strapline_protocol.opening import Authenticate, Authenticated, Client, Error, Heartbeat
from strapline_protocol.server_session import Deadlines
from strapline_protocol.watching import HealthDataUpdate, Subscribe
from strapline_server import Server
from strapline_server import connection as connection_module
from strapline_server.clock import wall_ms
from strapline_server.config import Bounds
from tests.integration.server_kit import Raw, Run, connected, joined, raw, serving, until


def masked(opcode: Opcode, data: bytes, **bits: bool) -> bytes:
    return Frame(opcode, data, **bits).serialize(mask=True)


def authentication(token: str) -> bytes:
    return encode(Authenticate(token=token, client=Client(name="test", version="0")))


async def viewer_token(server: Server) -> str:
    await server.admin.add_user("ana")
    return await server.admin.issue_token("coach", "viewer", ["ana"], 600)


# The handshake


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("pi.local:8420", "http://pi.local:8420", 101),
        ("pi.local", "https://pi.local", 101),
        ("pi.local", "http://pi.local", 101),
        ("PI.local:8420", "http://pi.local:8420", 101),
        ("[::1]:8420", "http://[::1]:8420", 101),
        ("pi.local:8420", "https://coach.example.org", 101),
        ("pi.local:8420", "null", 403),
        ("pi.local:8420", "http://evil.example", 403),
        ("pi.local:8420", "http://pi.local:8421", 403),
        ("pi.local:8420", "http://pi.local:8420.evil.example", 403),
        ("pi.local:8420", "http://pi.local:8420@evil.example", 403),
        ("pi.local:8420", "http://evil.example/pi.local:8420", 403),
        ("pi.local:8420", "http://xpi.local:8420", 403),
        ("pi.local:8420", "file://pi.local:8420", 403),
        ("pi.local:8420", "http://pi.local:99999", 403),
        ("pi.local:8420", "https://coach.example.org.evil.example", 403),
        ("pi.local:x", "http://pi.local", 403),
        ("[", "http://pi.local", 403),
        ("pi.local:8420", "", 403),
    ],
)
async def test_a_page_of_another_host_gets_no_socket(
    tmp_path: Path, host: str, origin: str, status: int
) -> None:
    async with (
        serving(tmp_path, allowed_origins=["https://coach.example.org"]) as server,
        raw(server) as peer,
    ):
        answer = await peer.upgrade(host=host, Origin=origin)
        assert answer.status == status
        if status == 403:
            assert b"HELLO" not in await peer.read_all()


async def test_two_origins_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        answer = await peer.upgrade(Origin="http://localhost", origin="http://localhost")
        assert answer.status == 400


async def test_a_good_origin_without_a_token_gets_no_data(tmp_path: Path) -> None:
    deadlines = Deadlines(authentication_ms=300)
    async with (
        serving(tmp_path, deadlines=deadlines) as server,
        connected(server, origin=f"http://127.0.0.1:{server.port}") as peer,
    ):
        assert await peer.ended() == (4408, "no authentication in time")
        assert peer.heard == []


@pytest.mark.parametrize(
    "path",
    [
        "/ws?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
        "/ws?Access_Token=abc",
        "/ws?x=1",
        "/ws/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
        "/?jwt=abc",
        "/index.html?t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
    ],
)
async def test_a_token_in_the_address_is_refused_and_not_logged(
    tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(tmp_path) as server, raw(server) as peer:
            assert (await peer.upgrade(path)).status == 400
    assert "eyJ" not in caplog.text
    assert "token=" not in caplog.text.lower()


async def test_no_log_holds_a_token_even_when_everything_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(tmp_path) as server:
            good = await viewer_token(server)
            async with joined(server, good):
                pass
            bad = good[:-8] + "AAAAAAAA"
            async with connected(server) as peer:
                await peer.socket.send(authentication(bad).decode())
                code, reason = await peer.ended()
                assert code == 4401
                assert "eyJ" not in reason
    ours = [record for record in caplog.records if record.name.startswith("strapline")]
    assert ours
    # The client's own library logs what it sends.
    said = "".join(record.getMessage() for record in ours)
    assert good[:12] not in said
    assert bad[-16:] not in said
    assert not [record for record in caplog.records if record.name == "websockets.server"]


async def test_a_version_that_will_be_refused_is_accepted_first(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        address = f"ws://127.0.0.1:{server.port}/ws"
        async with connect(address, subprotocols=[Subprotocol("strapline.v9")]) as socket:
            assert socket.subprotocol == "strapline.v9"
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (
                4426,
                "this server speaks strapline.v1",
            )
        async with connect(address) as socket:
            await socket.wait_closed()
            assert socket.close_code == 4426
        async with connect(
            address, subprotocols=[Subprotocol("other"), Subprotocol("strapline.v1")]
        ) as socket:
            assert socket.subprotocol == "strapline.v1"
            assert "HELLO" in await socket.recv()


async def test_compression_is_never_negotiated(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        answer = await peer.upgrade(Sec_WebSocket_Extensions="permessage-deflate")
        assert answer.status == 101
        assert "sec-websocket-extensions" not in answer.headers


async def test_a_handshake_that_dribbles_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "HANDSHAKE_MS", 400)
    async with serving(tmp_path) as server, raw(server) as peer:
        for byte in b"GET /ws HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 500:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(peer.reader.readexactly(1), 10)
        await until(lambda: server.counters.connections == 0, "it is gone")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 9_000,
        b"GET /ws HTTP/1.1\r\n" + b"X-A: " + b"x" * 9_000,
        b"GET /ws HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 900) for n in range(40)),
        b"GET /ws HTTP/1.1\r\n" + b"X: x\r\n" * 4_000,
    ],
    ids=["line", "header", "headers", "many"],
)
async def test_a_long_request_is_refused(tmp_path: Path, head: bytes) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        await peer.send(head)
        answer = await peer.read_all()
        assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 414 "))


async def test_what_is_no_http_is_closed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        await peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert await peer.read_all() == b""


async def test_a_stop_in_mid_handshake_raises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = AsyncExitStack()
    server = await running.enter_async_context(serving(tmp_path))
    async with raw(server) as silent, raw(server) as begun, connected(server) as greeted:
        await begun.send(b"GET /ws HTTP/1.1\r\nHost:")
        await until(lambda: server.counters.connections == 3, "they came")
        await running.aclose()
        assert await silent.read_all() == b""
        assert (await greeted.ended())[0] in {1006, 1012}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# Framing (RFC 6455 sections 5 to 8)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
        (b"\xc1\x80abcd", 1002),
        (b"\xa1\x80abcd", 1002),
        (b"\x83\x80abcd", 1002),
        (b"\x8b\x80abcd", 1002),
        (b"\x89\xfe\x00\x80abcd" + b"x" * 128, 1002),
        (b"\x09\x80abcd", 1002),
        (masked(Opcode.CONT, b"x"), 1002),
        (masked(Opcode.TEXT, b'{"type":"\xff"}'), 1007),
        (masked(Opcode.TEXT, b"\xed\xa0\x80"), 1007),
        (masked(Opcode.BINARY, b"x"), 4400),
        (masked(Opcode.CLOSE, b"\x03"), 1002),
        (masked(Opcode.CLOSE, (1005).to_bytes(2, "big")), 1002),
        (masked(Opcode.CLOSE, (999).to_bytes(2, "big")), 1002),
        (masked(Opcode.CLOSE, Close(1000, "").serialize()), 1000),
        (masked(Opcode.TEXT, b"x" * 20_000), 1009),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xffabcd", 1009),
        (masked(Opcode.TEXT, b"{}"), 4400),
        (masked(Opcode.TEXT, b"[" * 10_000), 4400),
        (masked(Opcode.TEXT, b'{"type":"SUBSCRIBE","request":"1"}'), 4400),
    ],
    ids=range(20),
)
async def test_a_bad_frame_closes_with_the_code_that_says_so(
    tmp_path: Path, data: bytes, code: int
) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        await peer.upgrade()
        await peer.send(data)
        assert await peer.close_code() == code


async def authenticated(server: Server, peer: Raw) -> None:
    await peer.upgrade()
    await peer.send(masked(Opcode.TEXT, authentication(await viewer_token(server))))
    while b"AUTHENTICATED" not in (await peer.frame())[1]:
        pass


def memory_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def test_a_compressed_bomb_is_refused_unread(tmp_path: Path) -> None:
    bomb = zlib.compress(b" " * 50_000_000)
    async with serving(tmp_path) as server, raw(server) as peer:
        await authenticated(server, peer)
        before = memory_kib()
        frame = bytearray(masked(Opcode.TEXT, bomb))
        # RSV1: "this is compressed" (RFC 7692 section 6), which nobody has agreed on.
        frame[0] |= 0x40
        await peer.send(bytes(frame))
        assert await peer.close_code() == 1002
        assert memory_kib() - before < 20_000


async def test_a_message_in_endless_fragments_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        await authenticated(server, peer)
        before = memory_kib()
        fragments = masked(Opcode.TEXT, b"x", fin=False)
        fragments += masked(Opcode.CONT, b"x", fin=False) * 60_000
        peer.writer.write(fragments)
        assert await peer.close_code() == 1009
        assert memory_kib() - before < 20_000


async def test_a_message_in_a_few_fragments_is_one_message(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        await authenticated(server, peer)
        text = encode(Subscribe(request="in-parts"))
        frames = masked(Opcode.TEXT, text[:5], fin=False)
        frames += masked(Opcode.PING, b"in between")
        frames += masked(Opcode.CONT, text[5:9], fin=False) + masked(Opcode.CONT, text[9:])
        await peer.send(frames)
        assert await peer.frame() == (10, b"in between")
        assert b"SUBSCRIBED" in (await peer.frame())[1]


async def test_a_longer_message_than_agreed_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        async with joined(server, await viewer_token(server)) as peer:
            await peer.socket.send('{"type":"SUBSCRIBE","request":"' + "x" * 262_144 + '"}')
            assert (await peer.ended())[0] in {1009, 4413}


# Who may talk when


async def test_nothing_is_heard_before_authentication_or_during_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        token = await viewer_token(server)
        async with connected(server) as peer:
            await peer.say(Subscribe(request="1"))
            assert await peer.ended() == (4400, "the first message authenticates")
        async with raw(server) as early:
            await early.upgrade()
            both = masked(Opcode.TEXT, authentication(token))
            both += masked(Opcode.TEXT, encode(Subscribe(request="1")))
            await early.send(both)
            assert await early.close_code() == 4400


async def test_an_unknown_message_is_answered_and_nothing_closes(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        async with joined(server, await viewer_token(server)) as peer:
            await peer.socket.send('{"type":"DANCE"}')
            assert (await peer.expect(Error)).code == "unknownType"
            await peer.subscribe()


# Silence, floods and crowds


async def test_a_quiet_viewer_hears_a_heartbeat(tmp_path: Path) -> None:
    async with serving(tmp_path, deadlines=Deadlines(heartbeat_ms=300)) as server:
        async with joined(server, await viewer_token(server)) as peer:
            first = await peer.expect(Heartbeat)
            second = await peer.expect(Heartbeat)
            assert 250 <= second.server_time - first.server_time <= 1_500


async def test_a_silent_peer_is_cut_and_one_that_answers_pings_is_not(tmp_path: Path) -> None:
    async with serving(tmp_path, deadlines=Deadlines(heartbeat_ms=300)) as server:
        async with joined(server, await viewer_token(server)) as alive, raw(server) as dead:
            await authenticated(server, dead)
            with pytest.raises(asyncio.IncompleteReadError):
                while True:
                    await dead.frame()
            assert server.counters.silent_closed == 1
            await alive.subscribe()


async def test_a_flood_is_cut_and_the_others_do_not_feel_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        token = await viewer_token(server)
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        async with (
            joined(server, token) as flooder,
            joined(server, token) as other,
            joined(server, bridge_token) as bridge,
        ):
            await other.subscribe()
            for _ in range(400):
                await flooder.socket.send('{"type":"DANCE"}')
            code, reason = await flooder.ended()
            assert code == 4429
            assert retry_after_ms(reason) == 10_000
            assert server.counters.rate_limited == 1
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
            assert (await other.expect(HealthDataUpdate)).series.value == [70]


async def test_a_flood_of_pings_is_cut_too(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        await authenticated(server, peer)
        await peer.send(masked(Opcode.PING, b"") * 400)
        assert await peer.close_code() == 4429


async def test_connections_are_capped_and_those_that_stand_go_on(tmp_path: Path) -> None:
    limits = Bounds(connections=3)
    async with serving(tmp_path, limits=limits) as server:
        token = await viewer_token(server)
        async with joined(server, token) as one, joined(server, token), raw(server) as third:
            assert (await third.upgrade()).status == 101
            with pytest.raises((OSError, InvalidStatus, EOFError)):
                async with raw(server) as fourth:
                    await fourth.upgrade()
            assert server.counters.connections_refused == 1
            await one.subscribe()


async def test_those_that_have_not_said_who_they_are_are_capped(tmp_path: Path) -> None:
    limits = Bounds(unauthenticated=2)
    async with serving(tmp_path, limits=limits) as server:
        token = await viewer_token(server)
        async with joined(server, token), joined(server, token), joined(server, token):
            assert server.counters.unauthenticated == 0
            async with raw(server), raw(server):
                await until(lambda: server.counters.unauthenticated == 2, "both came")
                async with raw(server) as third:
                    with pytest.raises((OSError, EOFError)):
                        await third.upgrade()
            await until(lambda: server.counters.unauthenticated == 0, "both went")
            async with joined(server, token):
                pass


async def test_one_address_has_its_share_only(tmp_path: Path) -> None:
    limits = Bounds(connections_per_address=2, unauthenticated_per_address=1)
    async with serving(tmp_path, limits=limits) as server:
        token = await viewer_token(server)
        async with joined(server, token), raw(server):
            await until(lambda: server.counters.connections == 2, "both came")
            async with raw(server) as third:
                with pytest.raises((OSError, EOFError)):
                    await third.upgrade()
    assert server.counters.connections == 0


async def test_connections_of_one_principal_are_capped(tmp_path: Path) -> None:
    limits = Bounds(connections_per_principal=2)
    async with serving(tmp_path, limits=limits) as server:
        token = await viewer_token(server)
        other = await server.admin.issue_token("other", "viewer", ["ana"], 600)
        async with joined(server, token), joined(server, token), connected(server) as third:
            await third.socket.send(authentication(token).decode())
            code, reason = await third.ended()
            assert code == 1013
            assert retry_after_ms(reason) > 0
            async with joined(server, other):
                pass
        async with joined(server, token):
            pass


async def test_a_session_has_a_name_of_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path, simulated=True) as server:
        token = await viewer_token(server)
        names = set()
        for _ in range(2):
            async with joined(server, token) as peer:
                (authenticated_,) = peer.heard
                assert isinstance(authenticated_, Authenticated)
                assert authenticated_.users == ["ana"]
                assert authenticated_.simulated
                names.add(authenticated_.session)
        assert len(names) == 2
        assert secrets.token_urlsafe(1) not in names
