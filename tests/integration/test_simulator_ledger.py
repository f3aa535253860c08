"""Whatever happens on the air, the ledger and the callback tell the same story."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bleak import BleakClient
from bleak.exc import BleakError
from hypothesis import given, settings
from hypothesis import strategies as st

from strapline_simulator import Conditions, simulation, straps, uuids
from strapline_simulator.assembly import Simulation
from strapline_simulator.strap import VirtualStrap
from tests.integration.simulator_kit import Heard, find, sent

RATE = uuids.HEART_RATE_MEASUREMENT

ACTIONS = (
    "notify",
    "tick",
    "settle",
    "slower",
    "faster",
    "drop_link",
    "leave",
    "come_back",
    "sleep",
    "wake",
    "connect",
    "disconnect",
    "stop_notify",
)


@dataclass
class Story:
    """One bridge, one strap, and everything that can come between them."""

    sim: Simulation
    strap: VirtualStrap
    client: BleakClient
    heard: Heard = field(default_factory=Heard)
    pending: list[asyncio.Task[bool]] = field(default_factory=list)
    bpm: int = 0

    async def act(self, action: str) -> None:
        match action:
            case "notify":
                self.bpm = (self.bpm + 1) % 256
                task = asyncio.create_task(self.strap.push(RATE, bytes([0, self.bpm])))
                self.pending.append(task)
            case "tick":
                await self.strap.tick(wait=False)
            case "settle":
                await asyncio.sleep(0.004)
            case "slower":
                self.sim.air.latency_s = 0.003
            case "faster":
                self.sim.air.latency_s = 0.0
            case "connect" | "disconnect" | "stop_notify":
                await self._use_client(action)
            case _:
                await getattr(self.strap, action)()

    async def _use_client(self, action: str) -> None:
        try:
            if action == "disconnect":
                await self.client.disconnect()
            elif action == "stop_notify":
                await self.client.stop_notify(RATE)
            elif not self.client.is_connected:
                await self.client.connect(timeout=0.1)
                await self.client.start_notify(RATE, self.heard)
        except (BleakError, TimeoutError):
            return  # away, asleep, or not subscribed: part of the story


@settings(max_examples=30)
@given(
    actions=st.lists(st.sampled_from(ACTIONS), min_size=5, max_size=25),
    supervision_timeout_s=st.sampled_from([0.0, 0.006]),
)
def test_what_was_heard_is_what_was_sent(actions: list[str], supervision_timeout_s: float) -> None:
    asyncio.run(tell(["connect", *actions], supervision_timeout_s))


async def tell(actions: list[str], supervision_timeout_s: float) -> None:
    conditions = Conditions(advertising_interval_ms=20, supervision_timeout_s=supervision_timeout_s)
    async with simulation(straps(1), pace=None, conditions=conditions) as sim:
        (strap,) = sim.straps
        client = BleakClient(await find(sim, strap), backend=sim.backend.client)
        story = Story(sim, strap, client)
        for action in actions:
            await story.act(action)
        sim.air.latency_s = 0.0
        await strap.leave()
        await strap.come_back()
        await strap.drop_link()
        outcomes = await asyncio.gather(*story.pending)
        assert sent(strap) == story.heard.values
        arrived_by_hand = [value for _, value in story.heard.values if value[0] == 0]
        assert outcomes.count(True) == len(arrived_by_hand)
        await client.disconnect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
