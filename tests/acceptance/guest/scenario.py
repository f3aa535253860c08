"""Played in the guest: a strap, bluetoothd, `strapline bridge run` and `strapline server run`.

Run as ``python -m tests.acceptance.guest.scenario OUT``; what was seen is in ``OUT/outcome.json``.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from strapline_bridge.wearables import WearablesFile
from strapline_client import WebSocketService
from strapline_server import load_config, open_admin
from strapline_simulator import Pace, chest_strap, uuids
from strapline_simulator.air import Air
from strapline_simulator.pace import paced
from strapline_simulator.recording import rest_recording
from strapline_simulator.strap import VirtualStrap
from tests.acceptance.guest.bus_witness import BusWitness
from tests.acceptance.guest.kernel_side import adapter_on
from tests.acceptance.guest.outcome import Outcome
from tests.acceptance.guest.programs import PATIENCE_S, STRAPLINE, running, stopped, until
from tests.acceptance.guest.viewer import Viewer

BLUETOOTHD: Final = "/usr/libexec/bluetooth/bluetoothd"
STATE: Final = Path("/var/lib/scenario")
ADDRESS: Final = "F0:F1:F2:F3:F4:F5"
USER: Final = "ilse"
HEART_RATE: Final = uuids.HEART_RATE_MEASUREMENT
BATTERY_FIRST: Final = 64
BATTERY_LATER: Final = 57
#: So many on each link: more than its beginning, and quick.
READINGS_A_LINK: Final = 20
PACE: Final = Pace(rate_hz=5.0)
PORT: Final = 8420

SERVER: Final = f"""
[server]
state_folder = "{STATE}/server"
port = {PORT}
"""
BRIDGE: Final = f"""
state_dir = "{STATE}/bridge"
[server]
url = "ws://127.0.0.1:{PORT}"
token_file = "{STATE}/bridge.token"
"""


class Sent:
    """What the strap sent, link by link."""

    def __init__(self, strap: VirtualStrap) -> None:
        self._strap = strap
        self._begins: list[int] = []

    async def watch(self) -> None:
        """Mark where each link begins in the ledger."""
        while True:
            await self._strap.wait_connected()
            self._begins.append(self._strap.ledger.total)
            await self._strap.wait_disconnected()

    @property
    def links(self) -> list[list[bytes]]:
        """The heart rate measurements of each link that the kernel's adapter took."""
        entries = self._strap.ledger.entries
        return [
            [one.value for one in entries[begin:end] if one.characteristic == HEART_RATE]
            for begin, end in zip(self._begins, [*self._begins[1:], len(entries)], strict=True)
        ]


async def set_up() -> str:
    """What an owner does once: people, wearables, tokens, configurations. The viewer's token."""
    STATE.mkdir(mode=0o700, parents=True)
    (STATE / "server.toml").write_text(SERVER)
    (STATE / "bridge.toml").write_text(BRIDGE)
    WearablesFile(STATE / "bridge").change(
        lambda known: known.add(address=ADDRESS, user=USER, name="Strap", added_at=0)[0]
    )
    async with open_admin(load_config(STATE / "server.toml")) as admin:
        await admin.add_user(USER, "Ilse", "Europe/Berlin")
        token = STATE / "bridge.token"
        token.touch(0o600)
        token.write_text(await admin.issue_token("bridge-pi", "bridge", [USER]))
        return await admin.issue_token("viewer-coach", "viewer", "all")


async def serves() -> bool:
    """Whether the server takes connections."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", PORT)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@asynccontextmanager
async def at_work(work: asyncio.Task[None]) -> AsyncIterator[None]:
    """A task that goes on until the context ends; its error ends the context."""
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])
        if not work.cancelled():
            work.result()


async def play(out: Path) -> Outcome:
    """The whole of it."""
    viewer_token = await set_up()
    async with AsyncExitStack() as stack:
        serve = (STRAPLINE, "server", "run", "--config", str(STATE / "server.toml"))
        server = await stack.enter_async_context(running(out / "server.log", *serve))
        strap, sent, bus = await bluetooth(stack, out)
        await until(serves, "the server takes connections")
        service = WebSocketService(f"ws://127.0.0.1:{PORT}/ws", viewer_token)
        viewer = Viewer(await stack.enter_async_context(service))
        await stack.enter_async_context(at_work(asyncio.create_task(viewer.watch())))
        async with asyncio.timeout(PATIENCE_S):
            await viewer.subscribed.wait()
        run = (STRAPLINE, "bridge", "run", "--config", str(STATE / "bridge.toml"))
        bridge = await stack.enter_async_context(running(out / "bridge.log", *run))
        async with paced([strap], PACE):
            await wear(strap, viewer)

        async def all_came() -> bool:
            handed_over = sum(map(len, bus.links))
            return bus.links[-1] == sent.links[-1] and viewer.heart_rates >= handed_over

        # What has not come by then, the host finds when it compares.
        with suppress(AssertionError):
            await until(all_came, "the viewer has what the strap sent on its last link")
        stored = await viewer.history(USER)
        bridge_status = await stopped(bridge)
        async with asyncio.timeout(PATIENCE_S):
            await strap.wait_disconnected()
        return Outcome(
            sent=sent.links,
            handed_over=bus.links,
            stored=stored,
            watched=viewer.watched,
            bridge_status=bridge_status,
            server_status=await stopped(server),
        )


async def wear(strap: VirtualStrap, viewer: Viewer) -> None:
    """What happens to the strap: its link ends twice, each time in mid-flow."""
    await viewer.heart_rates_come(READINGS_A_LINK)
    # As by interference: both ends see a timeout.
    await strap.drop_link()
    await viewer.heart_rates_come(READINGS_A_LINK)
    await strap.set_battery(BATTERY_LATER)
    # The strap itself disconnects, and advertises no more until it wakes.
    await strap.sleep()
    await strap.wake()
    await viewer.heart_rates_come(READINGS_A_LINK)


async def bluetooth(stack: AsyncExitStack, out: Path) -> tuple[VirtualStrap, Sent, BusWitness]:
    """A strap near, a kernel with an adapter, and bluetoothd, until the stack is closed."""
    air = Air()
    stack.callback(air.close)
    profile = replace(chest_strap("Strap Juniper"), battery_percent=BATTERY_FIRST)
    strap = VirtualStrap(air, profile, address=ADDRESS, recording=rest_recording())
    sent = Sent(strap)
    await stack.enter_async_context(at_work(asyncio.create_task(sent.watch())))
    await stack.enter_async_context(adapter_on(air))
    stack.push_async_callback(strap.close)
    await strap.start()
    bus = BusWitness(HEART_RATE)
    await bus.start()
    await stack.enter_async_context(running(out / "bluetoothd.log", BLUETOOTHD, "--nodetach"))
    await until(bus.is_powered, "bluetoothd has switched the adapter on")
    return strap, sent, bus


async def main(out: Path) -> None:
    outcome = await play(out)
    (out / "outcome.json").write_text(outcome.model_dump_json())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
