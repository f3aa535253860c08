"""A server that loses, cuts, delays and forgets by a seed; in the end all is there or explained."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from strapline_bridge.outbox import Limits
from strapline_protocol.base import WireModel
from strapline_protocol.publishing import Acknowledged, Dropped, Readings, Status, Stream, Sync
from tests.integration.bridge_kit import (
    Committed,
    Receiver,
    a_reading,
    an_outbox,
    an_uplink,
    drained,
    running,
)


@dataclass
class _Fickle(Receiver):
    """Commits what it gets, and then answers it, or part of it, or nothing, or cuts."""

    dice: random.Random = field(default_factory=random.Random)
    fickle: bool = True
    forgetful: bool = False

    def _answers(self, message: WireModel) -> Iterable[WireModel]:
        answers = list(super()._answers(message))
        if not self.fickle or not isinstance(message, (Readings, Dropped, Stream)):
            return answers
        fate = self.dice.random()
        if fate < 0.03:
            self.sockets[-1].transport.abort()
            return []
        if fate < 0.06 and self.forgetful and self.held:
            self._forget()
        if fate < 0.25 and isinstance(message, (Readings, Dropped)):
            return []
        if fate < 0.5 and isinstance(message, Readings):
            return list(self._in_parts(answers))
        return answers

    def _in_parts(self, answers: list[WireModel]) -> Iterable[WireModel]:
        for answer in answers:
            assert isinstance(answer, Acknowledged)
            for first, last in answer.ranges:
                middle = self.dice.randint(first, last)
                yield Acknowledged(stream=answer.stream, ranges=[(first, middle)])
                if self.dice.random() < 0.7 and middle < last:
                    yield Acknowledged(stream=answer.stream, ranges=[(middle + 1, last)])

    def _forget(self) -> None:
        """The server comes back from a backup without its latest readings."""
        stream = self.dice.choice(sorted(self.accounted))
        numbers = self.accounted[stream]
        if not numbers:
            return
        last = numbers.ranges()[-1][1]
        first = self.dice.randint(max(0, last - 30), last)
        numbers.remove(first, last)
        for number in range(first, last + 1):
            self.held.pop((stream, number), None)
        self.epoch = f"epoch-{self.dice.random()}"
        self.sockets[-1].transport.abort()


@pytest.mark.parametrize("seed", range(6))
async def test_in_the_end_all_is_there_or_explained(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(seed)  # noqa: S311  # no secret, but a seed
    stored = Committed()
    roomy = seed % 2 == 0
    limits = Limits(most_bytes=10**7 if roomy else 20_000, kept_bytes=10**6)
    # What a small outbox keeps of acknowledged readings is not enough for a server that forgets.
    server = _Fickle(window=dice.choice([8, 64, 2_000]), dice=dice, forgetful=roomy)
    async with server.serving():
        for _ in range(3):
            async with an_outbox(tmp_path / "o.db", stored, limits=limits) as outbox:
                async with running(an_uplink(outbox, server.url)):
                    for step in range(120):
                        for _ in range(dice.randint(1, 4)):
                            outbox.put(a_reading(dice.randint(40, 200)))
                        if step % 5 == 0:
                            await outbox.flush()
                        await asyncio.sleep(dice.choice([0, 0, 0.001, 0.003]))
                    await outbox.flush()
        server.fickle = False
        async with an_outbox(tmp_path / "o.db", stored, limits=limits) as outbox:
            streams = {record.id for record in outbox.records()}
            before = len(server.of(Stream))
            async with running(an_uplink(outbox, server.url)) as uplink:
                await server.until(
                    lambda: streams <= {message.stream for message in server.of(Stream)[before:]}
                )
                # Its answer follows those to the STREAMs.
                await server.say(Sync(request="end"))
                await server.until(lambda: server.of(Status)[-1].request == "end")
                await outbox.flush()
                await drained(uplink, 30)
            assert outbox.status().pending == 0
            assert outbox.status().dead_letters == 0
    dropped = {
        (message.stream, number)
        for message in server.of(Dropped)
        for first, last in message.ranges
        for number in range(first, last + 1)
    }
    assert not stored.content.keys() - server.held.keys() - dropped
    assert not server.held.keys() - stored.content.keys()
    assert {key: stored.content[key] for key in server.held} == server.held
    assert not server.differing
    assert "a fault in this bridge" not in caplog.text
    assert server.most_unacknowledged <= server.window
