"""READINGS of which a series cannot be read: it is refused by its numbers, its neighbours pass.

Without this one bad row of an outbox would close every connection that it is sent on, and hold
back all that lies behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationError

from strapline_protocol.base import StreamId, WireModel
from strapline_protocol.codec import faults_of
from strapline_protocol.publishing import MOST_SERIES, Lane, Readings, Rejected
from strapline_protocol.series import Differences, Series, check_steps, ranges_of

#: The code of a REJECTED for a series that is not one.
MALFORMED: Final = "malformed"


class _Envelope(WireModel):
    """READINGS, whose series are looked at one by one."""

    type: Literal["READINGS"]
    stream: StreamId
    lane: Lane
    series: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_SERIES)]


def _ascending(seq: list[int]) -> list[int]:
    check_steps(seq)
    return seq


class _Numbers(WireModel):
    """All that must be right of a series for it to be refused by name."""

    seq: Annotated[Differences, AfterValidator(_ascending)]


@dataclass(frozen=True, slots=True)
class Judged:
    """What is good of a READINGS frame, and what is refused of it."""

    readings: Readings | None
    rejected: tuple[Rejected, ...]


def judged(frame: str | bytes) -> Judged | None:
    """A frame that is no valid message, series by series.

    None when it is not READINGS, or when a bad series does not even tell its numbers, so that
    nothing could be said of them to the one who sent it.
    """
    good: list[Series] = []
    rejected: list[Rejected] = []
    try:
        envelope = _Envelope.model_validate_json(frame, by_alias=True, by_name=False)
        for one in envelope.series:
            try:
                good.append(Series.model_validate(one, by_alias=True, by_name=False))
            except ValidationError as error:
                numbers = _Numbers.model_validate(one)
                rejected.append(
                    Rejected(
                        stream=envelope.stream,
                        ranges=ranges_of(numbers.seq),
                        code=MALFORMED,
                        message=faults_of(error)[:1_000],
                    )
                )
    except ValidationError:
        return None
    readings = Readings(stream=envelope.stream, lane=envelope.lane, series=good) if good else None
    return Judged(readings, tuple(rejected))
