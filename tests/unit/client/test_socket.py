"""The one place that knows the WebSocket library, on a real socket."""

import pytest

from strapline_client.socket import SocketEndedError, dial
from tests.unit.client.scripted import Peer, scripted


async def test_frames_pass_and_the_end_is_told_with_its_code() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.close(4403, "withdrawn")

    async with scripted(play) as server:
        socket = await dial(server.url, local=True)
        assert b"HELLO" in bytes(await socket.receive(10_000), "utf-8")  # type: ignore[arg-type]  # text
        opening = b'{"type":"AUTHENTICATE","token":"t","client":{"name":"n","version":"1"}}'
        await socket.send(opening)
        await socket.receive(10_000)
        with pytest.raises(SocketEndedError, match="withdrawn") as ended:
            await socket.receive(10_000)
        assert ended.value.code == 4403
        with pytest.raises(SocketEndedError):
            await socket.send(b"{}")


async def test_silence_and_a_cut_are_told_apart() -> None:
    async def play(peer: Peer) -> None:
        await peer.hear()
        await peer.lose()

    async with scripted(play) as server:
        socket = await dial(server.url, local=True)
        with pytest.raises(TimeoutError):
            await socket.receive(1)
        await socket.send(b'{"type":"SYNC_STATUS_UPDATE","status":"syncing"}')
        with pytest.raises(SocketEndedError, match="lost") as ended:
            await socket.receive(10_000)
        assert ended.value.code == 1006


async def test_who_is_not_there_is_an_end_too() -> None:
    async with scripted() as server:
        url = server.url
    with pytest.raises(SocketEndedError, match="cannot be reached"):
        await dial(url, local=True)
