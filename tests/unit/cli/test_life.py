"""What happens to the demo's straps."""

from __future__ import annotations

import asyncio

import pytest

from strapline.life import SCENES, Act, Scene, live


class Recorder:
    def __init__(self) -> None:
        self.calls: list[str] = []

    async def leave(self) -> None:
        self.calls.append("leave")

    async def come_back(self) -> None:
        self.calls.append("come back")

    async def take_off(self) -> None:
        self.calls.append("take off")

    async def put_on(self) -> None:
        self.calls.append("put on")


async def test_scenes_are_played_in_order_told_and_begun_anew() -> None:
    straps = [Recorder(), Recorder()]
    told: list[tuple[int, Act]] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 6:
            raise asyncio.CancelledError

    scenes = (
        Scene(1, 0, Act.LEAVE),
        Scene(2, 0, Act.COME_BACK),
        Scene(3, 1, Act.TAKE_OFF),
        Scene(4, 1, Act.PUT_ON),
    )
    with pytest.raises(asyncio.CancelledError):
        await live(straps, lambda place, act: told.append((place, act)), scenes=scenes, sleep=sleep)
    assert waits == [1, 2, 3, 4, 1, 2]
    assert straps[0].calls == ["leave", "come back", "leave"]
    assert straps[1].calls == ["take off", "put on"]
    assert told[:2] == [(0, Act.LEAVE), (0, Act.COME_BACK)]


def test_whatever_goes_away_comes_back_within_a_round() -> None:
    undone = {Act.LEAVE: Act.COME_BACK, Act.TAKE_OFF: Act.PUT_ON}
    away: dict[int, Act] = {}
    for scene in SCENES:
        if scene.act in undone:
            assert scene.place not in away
            away[scene.place] = undone[scene.act]
        else:
            assert away.pop(scene.place) is scene.act
    assert away == {}
