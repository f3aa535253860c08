"""`strapline demo --headless`: a measured run of the whole line, and the account of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

from strapline import __version__
from strapline.account import Account, draw_up
from strapline.errors import CommandError
from strapline.evidence import Witness
from strapline.joined import Place, bridge_beside, remember, serving
from strapline.simulated import choices_of, profiles
from strapline_bridge.decoders import heart_rate
from strapline_client import Updates, WebSocketEventType, WebSocketService
from strapline_protocol.metrics import METRICS
from strapline_protocol.opening import Client
from strapline_server import Server
from strapline_simulator import Pace, simulation
from strapline_simulator.assembly import Simulation
from strapline_simulator.pace import paced

#: How long straps, bridge and viewer may take to find one another.
_READY_WITHIN_S: Final = 30.0
#: How long what is under way may take once the straps are silent.
_REST_WITHIN_S: Final = 15.0
_LOOK_EVERY_S: Final = 0.1
#: A strap sends its rate and its steps each second, and now and then its battery.
_MOST_A_SECOND: Final = 4
_LIFE: Final = Pace()
_TOKEN_S: Final = 86_400


async def measure(place: Place, seconds: float, pace: Pace = _LIFE) -> Account:
    """Let three straps send for so long, and hold what came against what they sent.

    Raises:
        CommandError: straps, bridge and viewer did not find one another.
        DemoExtraMissingError: bumble is missing.
    """
    size = int(seconds * pace.rate_hz * pace.speed * _MOST_A_SECOND) + 1_000
    witness = Witness()
    async with AsyncExitStack() as stack:
        air = await stack.enter_async_context(simulation(profiles(), pace=None, ledger_size=size))
        server = await stack.enter_async_context(serving(place))
        wearables = await remember(server.admin, place.folder, choices_of(air.straps))
        viewer = await stack.enter_async_context(await _viewer(place, server))
        updates = viewer.updates(bound=size * len(air.straps))
        watching = asyncio.create_task(witness.watch(updates))
        stack.callback(watching.cancel)
        await stack.enter_async_context(witness.counting(air.straps))
        bridge = await bridge_beside(server, place, air.backend, [witness])
        await _within(_subscribed(viewer.updates()), "the viewer found the server")
        await stack.enter_async_context(bridge)
        await _within(_listening(air), "the bridge found the straps")
        async with paced(air.straps, pace):
            await asyncio.sleep(seconds)

        def account() -> Account:
            zeros = {record.id: record.zero_ns for record in bridge.outbox.records()}
            return draw_up(witness.evidence(air.straps, wearables, zeros))

        found = await _at_rest(bridge.outbox.flush, account)
        if watching.done():
            watching.result()
        return found


async def _viewer(place: Place, server: Server) -> WebSocketService:
    token = await server.admin.issue_link_token("all", name="headless demo", lifetime_s=_TOKEN_S)
    client = Client(name="strapline-demo", version=__version__, metrics=sorted(METRICS))
    return WebSocketService(place.socket_url(server), token, client=client)


async def _subscribed(updates: Updates) -> None:
    async for update in updates:
        if update.type is WebSocketEventType.SUBSCRIBED:
            return


async def _listening(air: Simulation) -> None:
    for strap in air.straps:
        await strap.wait_subscribed(heart_rate.CHARACTERISTIC)


async def _within(waiting: Coroutine[Any, Any, None], what: str) -> None:
    try:
        async with asyncio.timeout(_READY_WITHIN_S):
            await waiting
    except TimeoutError:
        raise CommandError(
            f"It took over {_READY_WITHIN_S:.0f} s until {what}. Start again with --debug."
        ) from None


async def _at_rest(flush: Callable[[], Awaitable[None]], account: Callable[[], Account]) -> Account:
    """The account once nothing is under way: whole, and the same twice; or after the bound."""
    await flush()
    found = account()
    for _ in range(int(_REST_WITHIN_S / _LOOK_EVERY_S)):
        await asyncio.sleep(_LOOK_EVERY_S)
        before, found = found, account()
        if found == before and found.lost == 0 and found.acknowledged == found.stored:
            break
    return found
