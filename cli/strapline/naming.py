"""Finds the straps that were named on the command line by name or address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from strapline.choosing import Choice
from strapline.errors import CommandError
from strapline.names import cleaned
from strapline_bridge.radio import RadioBackend
from strapline_bridge.radio.scan import Sighting, scan

_ADDRESS: Final = re.compile(
    r"([0-9A-F]{2}(:[0-9A-F]{2}){5})|([0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12})"
)
#: Straps call once or twice a second; one that nobody wears does not.
SEARCH_S: Final = 30.0


def paired(devices: Sequence[str], people: Sequence[str]) -> list[tuple[str, str]]:
    """Each --device with the --user that stands at the same place.

    Raises:
        CommandError: they are not as many, or one is named twice.
    """
    if len(devices) != len(people):
        raise CommandError(
            f"{len(devices)} --device and {len(people)} --user were given. Give one --user for "
            "each --device, in the same order: --device 'Polar H10' --user 'Maren Holt'."
        )
    if len({device.casefold() for device in devices}) != len(devices):
        raise CommandError("A --device was given twice. Name each strap once.")
    return [(device, cleaned(person)) for device, person in zip(devices, people, strict=True)]


async def find_named(
    backend: RadioBackend, wanted: Sequence[tuple[str, str]], search_s: float = SEARCH_S
) -> list[Choice]:
    """The straps named, by address as they are, by name once they are heard.

    Raises:
        RadioError: Bluetooth cannot be used; NoAdapterError where there is none.
        CommandError: a name was not heard, or belongs to two devices.
    """
    by_name = {name.casefold() for name, _ in wanted if not _ADDRESS.fullmatch(name.upper())}
    heard = await _heard(backend, by_name, search_s) if by_name else {}
    choices = []
    for name, person in wanted:
        if name.casefold() in by_name:
            choices.append(Choice(_only(name, heard, search_s).address, person))
        else:
            choices.append(Choice(name.upper(), person))
    return choices


async def _heard(backend: RadioBackend, names: set[str], search_s: float) -> dict[str, Sighting]:
    """By address, all that was heard until every name was among them, or the time was over."""
    heard: dict[str, Sighting] = {}
    async with aclosing(scan(backend, search_s)) as sightings:
        async for seen in sightings:
            heard[seen.address] = seen
            if names <= {one.name.casefold() for one in heard.values()}:
                break
    return heard


def _only(name: str, heard: dict[str, Sighting], search_s: float) -> Sighting:
    found = [seen for seen in heard.values() if seen.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(
            f"{len(found)} devices near are called {name!r}. Give the address instead: "
            "`strapline bridge scan` shows it."
        )
    near = sorted({repr(seen.name) for seen in heard.values() if seen.name and seen.offers})
    raise CommandError(
        f"No device called {name!r} was heard within {search_s:g} s. "
        f"Near and understood: {', '.join(near) or 'none'}. "
        "Put the strap on, moistened, close other apps that use it, and start again."
    )
