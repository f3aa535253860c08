"""One wearable's silence: since when, whose, and what was noticed meanwhile. Milliseconds only."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from strapline_protocol.gaps import (
    EMPTY_BATTERY,
    PACED_BY,
    Evidence,
    GapCause,
    Spell,
    explained,
    longest_pause_ms,
)
from strapline_protocol.metrics import HEART_RATE

#: A wearable that was there at two moments so near was there between them: the longest that
#: finding it again takes, with its pause, a failed connection and the wait after that.
PRESENT_MS: Final = 150_000
#: Shorter pieces of a silence go with the next: what was noticed of one event comes in a burst.
_SLIVER_MS: Final = 1_000
#: A silence is told of after so long, and then each time that so long has passed.
FIRST_TOLD_MS: Final = 60_000
TOLD_EACH_MS: Final = 600_000
#: A link that flaps is told of before more than this is to be remembered.
MOST_NOTICED: Final = 64
_MOST_WEARERS: Final = 8


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a silence that is past, with its cause, and who wore the wearable then."""

    user: str
    spell: Spell


class Silence:
    """What is known of the time since a wearable's last word.

    A wearable that speaks all the time is silent between two readings; of one that speaks on
    change alone nothing can be missed while its link stands, and it is silent without it.
    All moments are of one clock, in ms, and none is earlier than the one before.
    """

    def __init__(self, user: str, now_ms: int) -> None:
        """From now on, without a link."""
        self._wearers = [(now_ms, user)]
        self._metric = ""
        self._pace: deque[int] = deque(maxlen=PACED_BY)
        self._word_ms: int | None = None
        self._since_ms: int | None = now_ms
        self._told_ms = now_ms
        self._linked = False
        self._link_ms = now_ms
        self._present_ms: int | None = None
        self._off_skin = False
        self._battery: int | None = None
        self._flat_ms: int | None = None
        self._noticed: deque[Spell] = deque(maxlen=2 * MOST_NOTICED)

    # --------------------------------------------------------------------------- readings

    def counts(self, metric: str, *, on_change: bool) -> bool:
        """Whether a reading of this kind is the wearable's word, whose absence is a silence.

        Of several that come all the time the heart's counts, for it is what people watch.
        """
        if metric == self._metric:
            return True
        if on_change or (self._metric and metric != HEART_RATE.name):
            return False
        self._metric, self._word_ms = metric, None
        self._pace.clear()
        return True

    def lasts_ms(self, now_ms: int) -> int:
        """For how long it has been silent."""
        return 0 if self._since_ms is None else now_ms - self._since_ms

    def is_gap(self, now_ms: int) -> bool:
        """Whether this silence is longer than a pause of this wearable's."""
        return self.lasts_ms(now_ms) > longest_pause_ms(self._pace)

    def spoke(self, now_ms: int, *, off_skin: bool) -> None:
        """A reading came that counts; what there was to tell of the silence before is told."""
        word_ms, self._word_ms = self._word_ms, now_ms
        if word_ms is not None and now_ms > word_ms:
            self._pace.append(now_ms - word_ms)
        self._since_ms = self._told_ms = self._present_ms = now_ms
        self._off_skin = off_skin
        self._flat_ms = None
        if self._noticed:
            self._noticed.clear()
        if len(self._wearers) > 1:
            del self._wearers[:-1]

    def battery(self, percent: int | None, now_ms: int) -> None:
        """The wearable told of its battery."""
        self._battery, self._present_ms = percent, now_ms

    # ----------------------------------------------------------------------------- its link

    def linked(self, now_ms: int) -> None:
        """Its link stands. Of a wearable that speaks on change the silence is over."""
        if self._linked:
            return
        self.heard(now_ms)
        self._change_link(now_ms)
        if not self._metric:
            self._since_ms = None

    def lost(self, now_ms: int) -> None:
        """Its link stands no more."""
        if not self._linked:
            return
        self._change_link(now_ms)
        # A link does not stand for long without an answer.
        self._present_ms = now_ms
        if self._battery is not None and self._battery <= EMPTY_BATTERY:
            self._flat_ms = now_ms
        if self._since_ms is None:
            self._since_ms = self._told_ms = now_ms
            self._noticed.clear()

    def heard(self, now_ms: int) -> None:
        """It is there: its advertising was heard, or its link is made."""
        if self._flat_ms is not None:
            self._notice(self._flat_ms, now_ms, GapCause.OFF, Evidence.BATTERY)
            self._flat_ms = None
        before_ms = self._present_ms
        if not self._linked and before_ms is not None and now_ms - before_ms <= PRESENT_MS:
            self._notice(before_ms, now_ms, GapCause.RADIO_LOST, Evidence.HEARD)
        self._present_ms = now_ms

    def _change_link(self, now_ms: int) -> None:
        self._notice(self._link_ms, now_ms, GapCause.SILENT, self._link_evidence())
        self._linked, self._link_ms = not self._linked, now_ms

    def _link_evidence(self) -> Evidence:
        return Evidence.LINKED if self._linked else Evidence.LINK_LOST

    def _notice(self, from_ms: int, to_ms: int, cause: GapCause, evidence: Evidence) -> None:
        if to_ms > from_ms:
            self._noticed.append(Spell(from_ms, to_ms, cause, evidence))

    # --------------------------------------------------------------------------- who wears it

    def worn_by(self, user: str, now_ms: int) -> None:
        """Somebody else wears it from now on; the silence so far stays the other's."""
        if self._wearers[-1][1] != user:
            self._wearers.append((now_ms, user))
            del self._wearers[:-_MOST_WEARERS]

    # ------------------------------------------------------------------------------- telling

    def is_due(self, now_ms: int) -> bool:
        """Whether it is time to tell of a silence that goes on."""
        if not self.is_gap(now_ms):
            return False
        if len(self._noticed) >= MOST_NOTICED:
            return True
        untold_ms = now_ms - self._told_ms
        return untold_ms >= (FIRST_TOLD_MS if self._told_ms == self._since_ms else TOLD_EACH_MS)

    def tell(self, now_ms: int, surroundings: Iterable[Spell]) -> Sequence[Stretch]:
        """What is untold of this silence until now, cut where its cause or its wearer changes.

        Args:
            surroundings: what was noticed of the bridge itself.
        """
        told_ms, self._told_ms = self._told_ms, now_ms
        # Of two of one cause the first is named: that there was no adapter says more.
        spells = [*surroundings, *self._noticed, *self._open(now_ms)]
        self._noticed.clear()
        pieces = _without_slivers(explained(told_ms, now_ms, spells))
        wearers, self._wearers = self._wearers, self._wearers[-1:]
        ends_ms = [from_ms for from_ms, _ in wearers[1:]] + [now_ms]
        return [
            Stretch(
                user,
                replace(piece, from_ms=max(piece.from_ms, from_ms), to_ms=min(piece.to_ms, end_ms)),
            )
            for (from_ms, user), end_ms in zip(wearers, ends_ms, strict=True)
            for piece in pieces
            if max(piece.from_ms, from_ms) < min(piece.to_ms, end_ms)
        ]

    def _open(self, now_ms: int) -> Iterable[Spell]:
        """What still holds at this moment."""
        yield Spell(self._link_ms, now_ms, GapCause.SILENT, self._link_evidence())
        if self._flat_ms is not None:
            yield Spell(self._flat_ms, now_ms, GapCause.OFF, Evidence.BATTERY)
        if self._off_skin and self._since_ms is not None:
            yield Spell(self._since_ms, now_ms, GapCause.NOT_WORN, Evidence.CONTACT)


def _without_slivers(pieces: Sequence[Spell]) -> list[Spell]:
    """The same stretch without pieces too short to mean anything."""
    kept: list[Spell] = []
    begins_ms: int | None = None
    for piece in pieces:
        from_ms = piece.from_ms if begins_ms is None else begins_ms
        if piece is not pieces[-1] and piece.to_ms - from_ms < _SLIVER_MS:
            begins_ms = from_ms
            continue
        begins_ms = None
        last = kept[-1] if kept else None
        if last is not None and (
            (last.cause, last.evidence) == (piece.cause, piece.evidence)
            or piece.to_ms - from_ms < _SLIVER_MS
        ):
            kept[-1] = replace(last, to_ms=piece.to_ms)
        else:
            kept.append(replace(piece, from_ms=from_ms))
    return kept
