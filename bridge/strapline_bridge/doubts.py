"""What is doubtful about a heart rate that no single notification tells.

====================  ======================================================================
filler                every RR interval is 500 ms, and the rate is not the 120 bpm of that
frozen, off the body  the rate stands still for 10 s while the wearable feels no skin
frozen, against RR    it stands still for 30 s while the RR intervals beside it say another
frozen, repeated      it stands still for 30 s, and so does every RR interval
frozen, alone         it stands still for 15 minutes of notifications without RR intervals
====================  ======================================================================

A rate that stands still while its RR intervals differ and agree with it is a calm heart.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from strapline_bridge.readings import Quality, Reading

_NS_PER_S: Final = 1_000_000_000
#: RR intervals come in 1/1024 s.
_RR_PER_MINUTE: Final = 60 * 1_024
#: 500 ms: what WHOOP sends in place of intervals that it did not measure.
_FILLER_RR: Final = 512
_FILLER_BPM: Final = 120
_FILLER_SLACK_BPM: Final = 6

_OFF_BODY_NS: Final = 10 * _NS_PER_S
_AGAINST_RR_NS: Final = 30 * _NS_PER_S
_ALONE_NS: Final = 15 * 60 * _NS_PER_S
#: After so long without a word it is not the same standing still.
_PAUSE_NS: Final = 30 * _NS_PER_S
#: So many intervals are held against the rate.
_BEATS: Final = 16
#: Wearables smooth: rate and intervals agree within the larger of the two.
_SLACK_BPM: Final = 6.0
_SLACK_SHARE: Final = 0.1

_FROZEN: Final = (str(Quality.FROZEN),)
_FILLER: Final = (str(Quality.FILLER),)
_NOTHING: Final[tuple[str, ...]] = ()


@dataclass(slots=True)
class _Still:
    """A rate that has been the same since a moment."""

    bpm: int | float
    since_ns: int
    heard_ns: int
    beats: deque[int] = field(default_factory=lambda: deque(maxlen=_BEATS))


class HeartDoubts:
    """Remembers how long each wearable's rate has stood still, and judges each reading by it."""

    def __init__(self) -> None:
        # One entry a chosen wearable; the link that ends takes it out.
        self._still: dict[str, _Still] = {}

    def forget(self, device: str) -> None:
        """The wearable's link ended."""
        self._still.pop(device, None)

    def marks(self, device: str, reading: Reading, boot_ns: int) -> tuple[str, ...]:
        """The marks that a heart rate earns; to be asked once for each, in order of arrival."""
        bpm = reading.value
        columns = reading.columns
        rr = columns.get("rr")
        still = self._still.get(device)
        if bpm is None:
            return _NOTHING
        if still is None or still.bpm != bpm or boot_ns - still.heard_ns > _PAUSE_NS:
            still = self._still[device] = _Still(bpm, boot_ns, boot_ns)
        still.heard_ns = boot_ns
        filler = isinstance(rr, list) and _is_filler(bpm, rr)
        if isinstance(rr, list) and not filler:
            still.beats.extend(rr)
        frozen = bpm != 0 and _is_frozen(still, boot_ns, off_body=columns.get("contact") is False)
        marks = _FROZEN if frozen else _NOTHING
        return marks + _FILLER if filler else marks


def _is_filler(bpm: float, rr: list[int]) -> bool:
    return abs(bpm - _FILLER_BPM) > _FILLER_SLACK_BPM and all(one == _FILLER_RR for one in rr)


def _is_frozen(still: _Still, now_ns: int, *, off_body: bool) -> bool:
    held_ns = now_ns - still.since_ns
    if held_ns < _OFF_BODY_NS:
        return False
    if off_body:
        return True
    beats = still.beats
    if not beats:
        return held_ns >= _ALONE_NS
    if held_ns < _AGAINST_RR_NS or len(beats) < _BEATS:
        return False
    if min(beats) == max(beats):
        return True
    told_bpm = _RR_PER_MINUTE * len(beats) / sum(beats)
    return abs(told_bpm - still.bpm) > max(_SLACK_BPM, _SLACK_SHARE * still.bpm)
