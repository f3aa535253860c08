"""The proxy itself: each of its faults is felt by two real ends, and none that was not asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.fault_proxy import FaultProxy, fault_proxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """Sends back what comes, and keeps in which pieces and from whom first."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ended: list[BaseException | None] = []
        self.changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault: BaseException | None = None
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                async with self.changed:
                    self.pieces.append(data)
                    self.changed.notify_all()
        except ConnectionError as error:
            fault = error
        writer.close()
        async with self.changed:
            self.ended.append(fault)
            self.changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(condition)


@asynccontextmanager
async def _line(**options: bool) -> AsyncIterator[tuple[Echo, FaultProxy]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with fault_proxy(server.sockets[0].getsockname()[1], **options) as proxy:
        yield echo, proxy
    server.close()


async def _connect(proxy: FaultProxy) -> Streams:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def _soon(work: Awaitable[bytes], within_s: float = 10.0) -> bytes:
    async with asyncio.timeout(within_s):
        return await work


async def test_without_a_fault_all_bytes_pass_and_an_end_is_an_end() -> None:
    async with _line() as (echo, proxy):
        reader, writer = await _connect(proxy)
        sent = bytes(range(256)) * 4_000
        writer.write(sent)
        writer.write_eof()
        assert await _soon(reader.read(-1)) == sent
        assert echo.ended == [None]
        assert proxy.up.passed == proxy.down.passed == len(sent)
        writer.close()


async def test_latency_keeps_order_and_does_not_add_up() -> None:
    async with _line() as (_, proxy):
        proxy.up.latency_s = 0.2
        reader, writer = await _connect(proxy)
        began_s = asyncio.get_running_loop().time()
        for number in range(10):
            writer.write(b"%d" % number)
            await writer.drain()
        assert await _soon(reader.readexactly(10)) == b"0123456789"
        took_s = asyncio.get_running_loop().time() - began_s
        assert 0.2 <= took_s < 1.5
        writer.close()


async def test_a_narrow_link_takes_as_long_as_its_bytes_take() -> None:
    async with _line(small_buffers=True) as (_, proxy):
        proxy.down.bytes_per_s = 50_000
        reader, writer = await _connect(proxy)
        began_s = asyncio.get_running_loop().time()
        writer.write(bytes(20_000))
        await _soon(reader.readexactly(20_000))
        assert asyncio.get_running_loop().time() - began_s >= 0.39
        writer.close()


async def test_bytes_come_one_by_one_or_all_at_once() -> None:
    async with _line() as (echo, proxy):
        proxy.up.split_bytes = 1
        reader, writer = await _connect(proxy)
        writer.write(b"chopped")
        assert await _soon(reader.readexactly(7)) == b"chopped"
        assert len(echo.pieces) > 1
        echo.pieces.clear()
        proxy.up.split_bytes, proxy.up.gather_s = 0, 0.2
        for letter in (b"j", b"o", b"i", b"n"):
            writer.write(letter)
            await writer.drain()
            await asyncio.sleep(0)
        assert await _soon(reader.readexactly(4)) == b"join"
        assert echo.pieces == [b"join"]
        writer.write_eof()
        assert await _soon(reader.read(-1)) == b"", "the end is not swallowed by the gathering"
        writer.close()


async def test_a_cut_is_an_end_and_a_reset_is_none() -> None:
    async with _line() as (echo, proxy):
        for fault in (proxy.cut, proxy.reset):
            reader, writer = await _connect(proxy)
            writer.write(b"x")
            await _soon(reader.readexactly(1))
            fault()
            if fault == proxy.cut:
                assert await _soon(reader.read(-1)) == b""
            else:
                with pytest.raises(ConnectionResetError):
                    await _soon(reader.read(-1))
            writer.close()
        await echo.until(lambda: len(echo.ended) == 2)
        assert echo.ended[0] is None
        assert isinstance(echo.ended[1], ConnectionResetError)


async def test_of_a_half_open_connection_one_end_is_never_told() -> None:
    async with _line() as (echo, proxy):
        reader, writer = await _connect(proxy)
        writer.write(b"x")
        await _soon(reader.readexactly(1))
        proxy.links[0].half_open()
        await echo.until(lambda: len(echo.ended) == 1)
        writer.write(b"is anybody there")
        with pytest.raises(TimeoutError):
            await _soon(reader.read(1), within_s=0.3)
        writer.close()


async def test_a_silent_link_stands_and_says_nothing_until_it_is_heard_again() -> None:
    async with _line() as (echo, proxy):
        reader, writer = await _connect(proxy)
        writer.write(b"x")
        await _soon(reader.readexactly(1))
        proxy.up.silent = True
        writer.write(b"y")
        with pytest.raises(TimeoutError):
            await _soon(reader.readexactly(1), within_s=0.3)
        assert echo.pieces == [b"x"]
        proxy.up.silent = False
        assert await _soon(reader.readexactly(1)) == b"y"
        writer.close()


async def test_a_later_connection_overtakes_an_earlier_one() -> None:
    async with _line() as (echo, proxy):
        proxy.hold()
        first_reader, first = await _connect(proxy)
        first.write(b"first")
        await proxy.connected(1)
        proxy.pass_newcomers()
        second_reader, second = await _connect(proxy)
        second.write(b"second")
        await _soon(second_reader.readexactly(6))
        proxy.let_go()
        await _soon(first_reader.readexactly(5))
        assert echo.pieces == [b"second", b"first"]
        first.close()
        second.close()


async def test_a_slow_reader_makes_the_writer_wait() -> None:
    async with _line(small_buffers=True) as (_, proxy):
        proxy.up.bytes_per_s = 10_000
        _, writer = await _connect(proxy)
        writer.write(bytes(8 * 2**20))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await writer.drain()
        assert proxy.up.passed < 20_000
        writer.transport.abort()


async def test_where_nobody_listens_the_client_is_reset() -> None:
    async with _line() as (_, proxy):
        proxy.target_port = 1
        reader, writer = await _connect(proxy)
        with pytest.raises(ConnectionResetError):
            await _soon(reader.read(1))
        writer.close()
