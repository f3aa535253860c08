"""When which value of a link is to be read next: a rhythm for totals, a slower one for the rest."""

from __future__ import annotations

from typing import Final

from bleak.backends.characteristic import BleakGATTCharacteristic

from strapline_bridge.radio.arming import Armed
from strapline_bridge.radio.timing import Timing

_NS_PER_S: Final = 1_000_000_000


class Polls:
    """The rhythms of one link, from its beginning on.

    A value is due when its time has passed since it was due last. A total that may not notify
    is looked at early, since somebody who walks has made steps by then, and then seldom, as it
    costs three operations.
    """

    def __init__(self, timing: Timing, totals: frozenset[str], began_ns: int) -> None:
        """Set up.

        Args:
            totals: UUIDs of running totals of steps.
            began_ns: boot clock when the link was armed: all values were read then.
        """
        self._timing = timing
        self._totals = totals
        self._began_ns = began_ns
        self._read_ns: dict[str, int] = {}
        self._looked_ns: int | None = None

    def shortest_s(self, armed: Armed) -> float:
        """The shortest of the rhythms that this link has."""
        totals = armed.doubtful or any(one.uuid in self._totals for one in armed.polled)
        timing = self._timing
        return min(timing.poll_s, timing.poll_total_s) if totals else timing.poll_s

    def due(self, armed: Armed, now_ns: int) -> list[BleakGATTCharacteristic]:
        """The values to be polled now; they count as read."""
        found = []
        for characteristic in armed.polled:
            uuid = characteristic.uuid
            timing = self._timing
            every_s = timing.poll_total_s if uuid in self._totals else timing.poll_s
            if now_ns - self._read_ns.get(uuid, self._began_ns) >= every_s * _NS_PER_S:
                self._read_ns[uuid] = now_ns
                found.append(characteristic)
        return found

    def doubtful_due(self, armed: Armed, now_ns: int) -> list[BleakGATTCharacteristic]:
        """The subscribed totals to be looked at now; they count as looked at."""
        timing = self._timing
        first = self._looked_ns is None
        since_ns = self._began_ns if self._looked_ns is None else self._looked_ns
        if now_ns - since_ns < (timing.poll_total_s if first else timing.poll_s) * _NS_PER_S:
            return []
        self._looked_ns = now_ns
        return list(armed.doubtful)
