"""How long the radio waits for what: the bounds and rhythms of searching and watching."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds. The defaults suit straps at 1 Hz, watches, and a Pi on a battery.

    Attributes:
        eager_s: after a wearable went missing, the scan runs without a pause for so long.
        window_s: one stretch of scanning; the scanner is started afresh for each, so that a
            wedged one does not last.
        pause_s: between two stretches after ``eager_s``.
        long_absent_s: a wearable missing for longer is long absent:
        long_pause_s: then the pause grows to this, and no further.
        deaf_s: scanning so long without one advertisement of anybody is said.
        stale_s: an advertisement older than this is not connected to but looked for again:
            BlueZ forgets a device half a minute after it was last heard.
        connect_s: the bound of one establishment of a link, its retries included.
        operation_s: the bound of one read, subscription, start or stop.
        backoff_first_s: the first wait after a failed connection is random up to this,
        backoff_most_s: and doubles with each, up to this.
        worth_s: a link that lasts so long was worth making, even if it brought nothing.
        steady_silence_s: a wearable that sends all the time is asked whether it is still
            there after so long without a word,
        steady_limit_s: and its link is made anew after so long, even if it is.
        quiet_silence_s: the same question to one that speaks on change.
        poll_s: between two reads of a value that cannot be subscribed to,
        poll_total_s: and of one that people watch grow: a total of steps.
    """

    eager_s: float = 60
    window_s: float = 15
    pause_s: float = 15
    long_absent_s: float = 15 * 60
    long_pause_s: float = 45
    deaf_s: float = 90
    stale_s: float = 15
    connect_s: float = 45
    operation_s: float = 10
    backoff_first_s: float = 0.5
    backoff_most_s: float = 60
    worth_s: float = 30
    steady_silence_s: float = 30
    steady_limit_s: float = 5 * 60
    quiet_silence_s: float = 15 * 60
    poll_s: float = 10 * 60
    poll_total_s: float = 60

    def pause_after_s(self, missing_s: float) -> float:
        """The pause between two stretches of scanning.

        Args:
            missing_s: how long the wearable that went missing last has been missing.
        """
        if missing_s < self.eager_s:
            return 0
        return self.pause_s if missing_s < self.long_absent_s else self.long_pause_s

    def backoff_s(self, failures: int, random: float) -> float:
        """Full jitter: a random part of a bound that doubles with each failure.

        Args:
            failures: in a row, at least 1.
            random: in [0, 1).
        """
        # 2**20 is beyond any bound: it only keeps the power small.
        bound_s = self.backoff_first_s * 2.0 ** min(failures - 1, 20)
        return random * min(self.backoff_most_s, bound_s)
