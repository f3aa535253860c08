"""`strapline bridge scan`: listens for a while and prints what was heard."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from rich.text import Text

from strapline.near import Near, table
from strapline.picture import Picture
from strapline.terminal import make_console, say, title
from strapline_bridge.radio import RadioBackend
from strapline_bridge.radio.scan import Sighting, scan


async def look_around(
    seconds: float, *, adapter: str | None, simulate: bool, as_json: bool
) -> None:
    """Listen, then print a table, or one JSON array.

    Raises:
        RadioError: Bluetooth cannot be used; NoAdapterError where there is none.
        DemoExtraMissingError: to simulate, bumble is missing.
    """
    near = Near()
    console = make_console()
    async with radio_for(adapter, simulate=simulate) as backend:
        if as_json or not console.is_terminal:
            async with aclosing(scan(backend, seconds)) as sightings:
                async for seen in sightings:
                    near.heard(seen)
        else:
            await _watch(near, backend, seconds)
    if as_json:
        print(json.dumps([_as_json(listed.seen) for listed in near.straps], ensure_ascii=False))
        return
    if not console.is_terminal:
        console.print(table(near, addresses=True, numbers=False), soft_wrap=True)
    say(console, _summary(near))


async def _watch(near: Near, backend: RadioBackend, seconds: float) -> None:
    console = make_console()

    def above() -> None:
        console.print(title("Straps near", f"listening for {seconds:.0f} s"))
        console.print()

    with Picture(console, above) as picture:
        async with aclosing(scan(backend, seconds)) as sightings:
            async for seen in sightings:
                near.heard(seen)
                picture.draw(table(near, addresses=True, numbers=False))


def _summary(near: Near) -> Text:
    count = len(near.straps)
    if count == 0:
        words = (
            "Nothing heard that measures something known here. Put the strap on, moistened, and "
            "close other apps that use it: one that nobody wears, or that is taken, does not call."
        )
    else:
        words = f"{count} {'strap' if count == 1 else 'straps'} near."
    if near.others:
        noun = "device" if near.others == 1 else "devices"
        words += f" {near.others} other {noun} heard."
    return Text(words, style="second")


def _as_json(seen: Sighting) -> dict[str, object]:
    return {
        "address": seen.address,
        "name": seen.name,
        "rssiDbm": seen.rssi,
        "offers": list(seen.offers),
    }


@asynccontextmanager
async def radio_for(adapter: str | None, *, simulate: bool) -> AsyncIterator[RadioBackend]:
    """The platform's own stack, or one with straps that are not there.

    Raises:
        DemoExtraMissingError: to simulate, bumble is missing.
    """
    if not simulate:
        yield RadioBackend(adapter=adapter)
        return
    from strapline_simulator import simulation

    async with simulation() as running:
        yield running.backend
