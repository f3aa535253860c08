"""Plain requests on the server's port."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from strapline_server import ConfigError, SecretError, Server, ServerConfig, StoreError
from tests.integration.server_kit import Answer, raw, serving, until


async def test_health_is_json_that_nobody_keeps(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        answer = await peer.request("/healthz")
        assert answer.status == 200
        assert json.loads(answer.body) == {
            "status": "ok",
            "version": "0.1.0",
            "connections": 1,
        }
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"


async def test_the_page_is_served_with_its_headers(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        async with raw(server) as peer:
            page = await peer.request("/")
        assert page.status == 200
        assert b"<html" in page.body
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert len(page.body) == int(page.headers["content-length"])
        async with raw(server) as peer:
            again = await peer.request("/", If_None_Match=page.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        async with raw(server) as peer:
            head = await peer.request("/index.html", "HEAD")
        assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/none", "GET", 404),
        ("/../../etc/passwd", "GET", 404),
        ("/", "DELETE", 405),
        ("/healthz", "PUT", 405),
        ("/ws", "GET", 426),
        ("/ws", "POST", 405),
    ],
)
async def test_what_is_not_there_is_said_so(
    tmp_path: Path, path: str, method: str, status: int
) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        answer = await peer.request(path, method)
        assert answer.status == status


async def test_a_request_in_two_parts_and_a_client_that_ends_its_half(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, raw(server) as peer:
        await peer.send(b"GET /healthz HT")
        await peer.send(b"TP/1.1\r\nHost: x\r\n\r\n")
        peer.writer.write_eof()
        assert (await peer.read_all()).startswith(b"HTTP/1.1 200 OK")


async def test_several_addresses_share_one_port(tmp_path: Path) -> None:
    async with serving(tmp_path, host=("127.0.0.1", "127.0.0.2")) as server:
        ports = {listener.sockets[0].getsockname()[1] for listener in server._listeners}
        assert ports == {server.port}


async def test_a_port_that_is_taken_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    async with serving(tmp_path / "one") as server:
        config = ServerConfig(state_folder=tmp_path / "two", port=server.port)
        with pytest.raises(ConfigError, match=f"port {server.port}.*set another port"):
            async with Server(config):
                pass


async def test_a_second_server_on_one_folder_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path):
        with pytest.raises(StoreError, match="another server"):
            async with serving(tmp_path):
                pass
    async with serving(tmp_path):
        pass


async def test_nothing_starts_with_a_weak_or_open_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("your-jwt-secret")
    secret.chmod(0o600)
    for said in ("has 15 bytes", "chmod 600"):
        with pytest.raises(SecretError, match=said):
            async with serving(tmp_path):
                pass
        secret.chmod(0o644)
    assert not (tmp_path / "server.db").exists()


@pytest.mark.parametrize("path", ["/", "/ws", "/healthz", "/x"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
async def test_another_method_is_refused_with_those_that_there_are(
    tmp_path: Path, path: str, method: str
) -> None:
    async with serving(tmp_path) as server:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
        for more in (
            b"\r\n",
            b"Content-Length: 5\r\n\r\nhello",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ):
            async with raw(server) as peer:
                await peer.send(head + more)
                answer = Answer.parse(await peer.read_all())
                assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        async with raw(server) as peer:
            for byte in head[:20]:
                await peer.send(bytes([byte]))
            assert Answer.parse(await peer.read_all()).status == 405
        assert server.counters.http_responses == 4
        assert server.counters.protocol_violations == 0


async def test_a_chore_that_keeps_failing_is_no_health(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        monkeypatch.setattr("strapline_server.chores._MANY", 1)

        async def broken() -> int:
            raise ZeroDivisionError

        monkeypatch.setattr(server._store, "rights_version", broken)
        await until(lambda: bool(server._chores.failing), "it failed")
        async with raw(server) as peer:
            answer = await peer.request("/healthz")
        assert answer.status == 503
        told = json.loads(answer.body)
        assert (told["status"], told["failing"]) == ("failing", ["looking at rights"])
        monkeypatch.undo()
        await until(lambda: not server._chores.failing, "it is well again")
        async with raw(server) as peer:
            answer = await peer.request("/healthz")
        assert (answer.status, "failing" in json.loads(answer.body)) == (200, False)
