"""What happens to the straps of the demo, so that gaps and their causes are seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol


class Strap(Protocol):
    """What may happen to a strap."""

    async def leave(self) -> None: ...
    async def come_back(self) -> None: ...
    async def take_off(self) -> None: ...
    async def put_on(self) -> None: ...


class Act(Enum):
    """One thing that happens; its value is how it is told."""

    LEAVE = "has gone out of range"
    COME_BACK = "is back in range"
    TAKE_OFF = "has taken the strap off"
    PUT_ON = "wears the strap again"


@dataclass(frozen=True, slots=True)
class Scene:
    """``wait_s`` after the scene before it, this happens to the strap at ``place``."""

    wait_s: float
    place: int
    act: Act


#: Two minutes and a half, again and again. The first gap comes early enough to be seen.
SCENES: Final = (
    Scene(35.0, 2, Act.LEAVE),
    Scene(20.0, 2, Act.COME_BACK),
    Scene(45.0, 0, Act.TAKE_OFF),
    Scene(15.0, 0, Act.PUT_ON),
    Scene(35.0, 1, Act.LEAVE),
    Scene(12.0, 1, Act.COME_BACK),
)


async def live(
    straps: Sequence[Strap],
    tell: Callable[[int, Act], None],
    *,
    scenes: Sequence[Scene] = SCENES,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Play the scenes for ever; ``tell`` hears of each, with the strap's place."""
    while True:
        for scene in scenes:
            await sleep(scene.wait_s)
            await _play(straps[scene.place], scene.act)
            tell(scene.place, scene.act)


async def _play(strap: Strap, act: Act) -> None:
    match act:
        case Act.LEAVE:
            await strap.leave()
        case Act.COME_BACK:
            await strap.come_back()
        case Act.TAKE_OFF:
            await strap.take_off()
        case Act.PUT_ON:
            await strap.put_on()
