"""Dead letters, as a person asks for them: listed page by page, sent again, thrown away."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from strapline_bridge.control import Command
from strapline_bridge.errors import BridgeError
from strapline_bridge.outbox import DeadLetter, Outbox, Place
from strapline_protocol.base import (
    Count,
    DeviceId,
    MetricName,
    StreamId,
    UserId,
    WallMs,
    WireModel,
    absent,
)

#: As :attr:`DeadLetter.id`.
LetterId = Annotated[str, Field(pattern=r"^[0-9]{1,18}/[0-9]{1,18}$")]
StreamStart = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,22}$")]
_MOST: Final = 1_000
_LIST: Final = "List them with `strapline bridge dead-letters`"


class LettersParams(WireModel):
    """Which page of them."""

    limit: Annotated[int, Field(ge=1, le=_MOST)] = 200
    after: LetterId | None = absent()
    stream: StreamStart | None = absent()


class Letter(WireModel):
    """Readings with adjoining numbers, of one wearer, device and metric, and why none took them."""

    id: LetterId
    stream: StreamId
    first: Count
    last: Count
    readings: Count
    user: UserId
    device: DeviceId
    metric: MetricName
    from_ms: WallMs
    to_ms: WallMs
    code: str
    message: str


class LettersPage(WireModel):
    """``readings`` are in all letters; ``next`` is null on the last page."""

    letters: list[Letter]
    readings: Count
    next: LetterId | None = absent()


class HandleParams(WireModel):
    """What becomes of them: of these, of one run's, or, where neither is named, of all."""

    discard: bool
    ids: Annotated[list[LetterId], Field(max_length=_MOST)] = []
    stream: StreamStart | None = absent()


class Handled(WireModel):
    """How many readings it was done with."""

    readings: Count


LIST: Final = Command("deadLetters", LettersParams, LettersPage)
HANDLE: Final = Command("handleDeadLetters", HandleParams, Handled)


async def page_of(outbox: Outbox, params: LettersParams) -> LettersPage:
    """One page, oldest first.

    Raises:
        BridgeError: no run, or several, are called so.
        OutboxReadError: the disk does not answer.
    """
    stream = None if params.stream is None else _stream(outbox, params.stream)
    after = Place() if params.after is None else _place(params.after)
    found: list[Letter] = []
    while letters := await outbox.dead_letters(params.limit, after):
        for letter in letters:
            if len(found) == params.limit:
                return _page(outbox, found, letter.id)
            if stream in {None, letter.stream}:
                found.append(_shown(outbox, letter))
        after = Place(letters[-1].place.key, letters[-1].place.seq + 1)
    return _page(outbox, found, None)


async def handle(outbox: Outbox, params: HandleParams) -> Handled:
    """Send them again or throw them away.

    Raises:
        BridgeError: there is no such letter or run; nothing was done.
        OutboxReadError: the disk does not answer.
    """
    stream = None if params.stream is None else _stream(outbox, params.stream)
    ids = set(params.ids)
    for name in params.ids:
        (letter,) = await outbox.dead_letters(1, _place(name)) or (None,)
        if letter is None or letter.id != name:
            raise BridgeError(f"there is no dead letter {name}", _LIST)

    def chosen(letter: DeadLetter) -> bool:
        return (not ids or letter.id in ids) and stream in {None, letter.stream}

    return Handled(readings=await outbox.settle_letters(chosen, discard=params.discard))


def _stream(outbox: Outbox, start: str) -> str:
    """The run whose id begins so."""
    found = [record.id for record in outbox.records() if record.id.startswith(start)]
    if len(found) == 1:
        return found[0]
    count = "no run's id begins" if not found else f"the ids of {len(found)} runs begin"
    raise BridgeError(f"{count} with {start}", _LIST)


def _place(name: str) -> Place:
    key, _, seq = name.partition("/")
    return Place(int(key), int(seq))


def _page(outbox: Outbox, letters: list[Letter], following: str | None) -> LettersPage:
    return LettersPage(letters=letters, readings=outbox.status().dead_letters, next=following)


def _shown(outbox: Outbox, letter: DeadLetter) -> Letter:
    record = outbox.record(letter.stream)
    assert record is not None, "a run is forgotten only when the outbox is opened"
    times = letter.series.elapsed()
    first, last = letter.numbers
    return Letter(
        id=letter.id,
        stream=letter.stream,
        first=first,
        last=last,
        readings=len(letter.series),
        user=letter.series.user,
        device=letter.series.device,
        metric=letter.series.metric,
        from_ms=record.zero.wall_ms(min(times)),
        to_ms=record.zero.wall_ms(max(times)),
        code=letter.code,
        message=letter.message,
    )
