"""Watches over the silences of all wearables, and states what is evident of each as readings.

A gap is never stored: it is what is left between readings. What stands here is evidence of its
cause (:mod:`strapline_protocol.gaps`): readings of metric ``gap``, each a finished statement about
a stretch that is past. Nothing here reads a clock or waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from strapline_bridge.intake import Arrived
from strapline_bridge.radio import AdapterChange, Heard, LinkChange, LinkState
from strapline_bridge.readings import Quality, Reading
from strapline_bridge.silence import Silence, Stretch
from strapline_protocol.gaps import SHORTEST_GAP_MS, Evidence, GapCause, Spell
from strapline_protocol.metrics import BATTERY, GAP

_NS_PER_MS: Final = 1_000_000
#: An adapter that comes and goes more often than this between two statements is forgotten in part.
_MOST_SURROUNDINGS: Final = 64
_NOTHING: Final[tuple[Arrived, ...]] = ()


class GapWatch:
    """Takes what the bridge hears and notices; gives back what is to be stored of silences.

    Moments are boot clock. Each method returns readings to be stored before whatever caused
    them: seldom any.
    """

    def __init__(self, zero_ns: int, slept_ns: Callable[[], int] = lambda: 0) -> None:
        """Set up.

        Args:
            zero_ns: boot clock at ``elapsedMs`` 0 of this run's stream.
            slept_ns: for how long the machine was suspended since this was asked last.
        """
        self._zero_ns = zero_ns
        self._slept_ns = slept_ns
        self._silences: dict[str, Silence] = {}
        self._surroundings: deque[Spell] = deque(maxlen=_MOST_SURROUNDINGS)
        self._away_ms: int | None = None
        self._awake_ms = 0
        self._now_ms = 0

    # ---------------------------------------------------------------------- who is watched

    def worn(self, device: str, user: str, boot_ns: int) -> Sequence[Arrived]:
        """A chosen wearable and its wearer; to be said again when somebody else wears it."""
        now_ms = self._at(boot_ns)
        silence = self._silences.get(device)
        if silence is None:
            self._silences[device] = Silence(user, now_ms)
            return _NOTHING
        silence.worn_by(user, now_ms)
        return _NOTHING

    def forget(self, device: str, boot_ns: int) -> Sequence[Arrived]:
        """The wearable is no longer one of this bridge's."""
        told = self._tell_gap(device, self._at(boot_ns))
        self._silences.pop(device, None)
        return told

    # --------------------------------------------------------------------- what is noticed

    def arrived(self, arrived: Arrived) -> Sequence[Arrived]:
        """A reading came."""
        silence = self._silences.get(arrived.device)
        if silence is None:
            return _NOTHING
        reading = arrived.reading
        now_ms = self._at(arrived.boot_ns)
        if not silence.counts(reading.metric, on_change=arrived.on_change):
            if reading.metric == BATTERY.name:
                silence.battery(_percent(reading), now_ms)
            return _NOTHING
        told: Sequence[Arrived] = _NOTHING
        if silence.lasts_ms(now_ms) > SHORTEST_GAP_MS:
            self._look(now_ms)
            told = self._tell_gap(arrived.device, now_ms)
        silence.spoke(now_ms, off_skin=_off_skin(reading))
        self._awake_ms = now_ms
        return told

    def link_changed(self, change: LinkChange) -> Sequence[Arrived]:
        """A wearable's link came or went."""
        silence = self._silences.get(change.device_id)
        if silence is None:
            return _NOTHING
        now_ms = self._at(change.boot_ns)
        self._look(now_ms)
        if change.state is not LinkState.CONNECTED:
            silence.lost(now_ms)
            return _NOTHING
        self._adapter_is_back(now_ms)
        over = silence.is_gap(now_ms)
        silence.linked(now_ms)
        if silence.lasts_ms(now_ms) or not over:
            return _NOTHING
        return self._tell(change.device_id, silence, now_ms)

    def noticed(self, notice: Heard | AdapterChange) -> Sequence[Arrived]:
        """The radio heard a wearable without a link, or its adapter went or came."""
        now_ms = self._at(notice.boot_ns)
        if isinstance(notice, Heard):
            self._adapter_is_back(now_ms)
            silence = self._silences.get(notice.device_id)
            if silence is not None:
                silence.heard(now_ms)
        elif not notice.away:
            self._adapter_is_back(now_ms)
        elif self._away_ms is None:
            self._away_ms = now_ms
        return _NOTHING

    def look(self, boot_ns: int) -> Sequence[Arrived]:
        """To be called every few seconds: tells of silences that go on."""
        now_ms = self._at(boot_ns)
        self._look(now_ms)
        told: list[Arrived] = []
        for device, silence in self._silences.items():
            if silence.is_due(now_ms):
                told += self._tell(device, silence, now_ms)
        return told

    def finish(self, boot_ns: int) -> Sequence[Arrived]:
        """The run stops: all that is untold."""
        now_ms = self._at(boot_ns)
        self._look(now_ms)
        return [one for device in self._silences for one in self._tell_gap(device, now_ms)]

    # ------------------------------------------------------------------------------- inside

    def _at(self, boot_ns: int) -> int:
        """The stream's clock; no moment is before one that was dealt with already."""
        at_ms = (boot_ns - self._zero_ns) // _NS_PER_MS
        if at_ms < self._now_ms:
            return self._now_ms
        self._now_ms = at_ms
        return at_ms

    def _look(self, now_ms: int) -> None:
        """Note whether the machine was suspended since it was surely awake."""
        slept_ms = self._slept_ns() // _NS_PER_MS
        begin_ms, self._awake_ms = self._awake_ms, now_ms
        # A shorter one makes no gap, and may lie before what was heard last.
        if slept_ms > SHORTEST_GAP_MS:
            end_ms = min(begin_ms + slept_ms, now_ms)
            asleep = Spell(begin_ms, end_ms, GapCause.BRIDGE_ASLEEP, Evidence.SUSPENDED)
            self._surroundings.append(asleep)

    def _adapter_is_back(self, now_ms: int) -> None:
        if self._away_ms is not None:
            self._surroundings.append(_away(self._away_ms, now_ms))
            self._away_ms = None

    def _tell_gap(self, device: str, now_ms: int) -> Sequence[Arrived]:
        silence = self._silences.get(device)
        if silence is None or not silence.is_gap(now_ms):
            return _NOTHING
        return self._tell(device, silence, now_ms)

    def _tell(self, device: str, silence: Silence, now_ms: int) -> Sequence[Arrived]:
        surroundings = list(self._surroundings)
        if self._away_ms is not None:
            surroundings.append(_away(self._away_ms, now_ms))
        return [self._statement(device, one) for one in silence.tell(now_ms, surroundings)]

    def _statement(self, device: str, stretch: Stretch) -> Arrived:
        spell = stretch.spell
        columns = {
            "durationMs": spell.to_ms - spell.from_ms,
            "cause": str(spell.cause),
            "evidence": str(spell.evidence),
        }
        return Arrived(
            user=stretch.user,
            device=device,
            boot_ns=self._zero_ns + spell.from_ms * _NS_PER_MS,
            reading=Reading(GAP.name, None, columns),
        )


def _away(from_ms: int, to_ms: int) -> Spell:
    return Spell(from_ms, to_ms, GapCause.RADIO_LOST, Evidence.ADAPTER_AWAY)


def _off_skin(reading: Reading) -> bool:
    return reading.columns.get("contact") is False or Quality.NO_CONTACT in reading.quality


def _percent(reading: Reading) -> int | None:
    value = reading.value
    return value if isinstance(value, int) and 0 <= value <= 100 else None
