"""The balance of a run: what the straps sent against what a viewer got, reading by reading.

A strap's ledger is the truth. Each of its entries must be found in the outbox under one identity
(stream, seq), and that identity must have come to the viewer once, with the same content. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Final, TypeVar

from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import Columns

#: (stream, seq)
Identity = tuple[str, int]
#: (device, metric)
Source = tuple[str, str]

_NS_PER_MS: Final = 1_000_000
_Sourced = TypeVar("_Sourced", "Notified", "Stored")


@dataclass(frozen=True, slots=True)
class Content:
    """What one reading says, without when and under which number."""

    value: float | None
    rr: tuple[int, ...] = ()
    contact: bool | None = None
    energy_kj: int | None = None


@dataclass(frozen=True, slots=True)
class Notified:
    """One entry of a strap's ledger, decoded. ``at_ns``: monotonic clock at the strap."""

    source: Source
    content: Content
    at_ns: int


@dataclass(frozen=True, slots=True)
class Stored:
    """One reading that the outbox committed. ``at_ns``: monotonic clock at its arrival."""

    source: Source
    content: Content
    identity: Identity
    at_ns: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """One reading that came to the viewer. ``at_ns``: monotonic clock when it did."""

    source: Source
    content: Content
    identity: Identity
    at_ns: int


@dataclass(frozen=True, slots=True)
class Latency:
    """From the notification, inside the strap, to the viewer; ms."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Account:
    """The balance. Each count but ``read`` is of notifications.

    Attributes:
        notified: sent by the straps, counted inside them.
        stored: of these, committed in the outbox.
        acknowledged: of these, accounted for by the server after its commit.
        delivered: of these, brought to the viewer unchanged.
        lost: notified and not delivered.
        doubled: readings that stand where nothing was sent, and identities that came twice.
        read: readings that the bridge asked for when it connected, which no strap notified.
        latency: None when nothing was delivered.
    """

    notified: int
    stored: int
    acknowledged: int
    delivered: int
    lost: int
    doubled: int
    read: int
    latency: Latency | None

    @property
    def holds(self) -> bool:
        """Whether something was delivered, and nothing lost or doubled."""
        return self.delivered > 0 and self.lost == 0 and self.doubled == 0


@dataclass(slots=True)
class Evidence:
    """What was seen at each hop. ``reads``: how often each device may have been read."""

    notified: Sequence[Notified] = ()
    stored: list[Stored] = field(default_factory=list)
    acknowledged: dict[str, IntervalSet] = field(default_factory=lambda: defaultdict(IntervalSet))
    delivered: list[Delivered] = field(default_factory=list)
    reads: Mapping[Source, int] = field(default_factory=dict)


def contents(series: Columns) -> list[Content]:
    """The readings of a series, in its order."""
    count = len(series)
    rr = series.rr or [None] * count
    contact = series.contact or [None] * count
    energy = series.energy_kj or [None] * count
    return [
        Content(series.value[i], tuple(rr[i] or ()), contact[i], energy[i]) for i in range(count)
    ]


def draw_up(evidence: Evidence) -> Account:
    """The account of a run that has come to rest."""
    pairs, left_over = _matched(evidence.notified, evidence.stored)
    came = {one.identity: one for one in reversed(evidence.delivered)}
    times = Counter(one.identity for one in evidence.delivered)
    good = [
        (sent, came[kept.identity])
        for sent, kept in pairs
        if kept.identity in came
        and (came[kept.identity].source, came[kept.identity].content) == (kept.source, kept.content)
    ]
    unexplained = sum(
        max(0, count - evidence.reads.get(source, 0)) for source, count in left_over.items()
    )
    known = {kept.identity for kept in evidence.stored}
    return Account(
        notified=len(evidence.notified),
        stored=len(pairs),
        acknowledged=sum(_in(evidence.acknowledged, kept.identity) for _, kept in pairs),
        delivered=len(good),
        lost=len(evidence.notified) - len(good),
        doubled=unexplained
        + sum(count - 1 for count in times.values())
        + sum(identity not in known for identity in times),
        read=sum(left_over.values()) - unexplained,
        latency=_latency([there.at_ns - sent.at_ns for sent, there in good]),
    )


def _matched(
    notified: Iterable[Notified], stored: Iterable[Stored]
) -> tuple[list[tuple[Notified, Stored]], Counter[Source]]:
    """Each ledger entry with its stored reading, and what is stored without an entry.

    Both keep the order of arrival. A reading that arrived before its strap sent the entry it is
    held against was asked for, not notified.
    """
    kept = _by_source(stored)
    pairs: list[tuple[Notified, Stored]] = []
    left_over: Counter[Source] = Counter()
    for source, entries in _by_source(notified).items():
        at = 0
        candidates = sorted(kept.pop(source, []), key=lambda one: (one.at_ns, one.identity))
        for candidate in candidates:
            at = _next_entry(entries, at, candidate)
            if at < len(entries) and _same(entries[at], candidate):
                pairs.append((entries[at], candidate))
                at += 1
            else:
                left_over[source] += 1
    for source, rest in kept.items():
        left_over[source] += len(rest)
    return pairs, left_over


def _next_entry(entries: Sequence[Notified], at: int, candidate: Stored) -> int:
    """Where the entry of this reading stands, at ``at`` or, when some are missing, behind it."""
    for place in range(at, len(entries)):
        if entries[place].at_ns > candidate.at_ns + _NS_PER_MS:
            break
        if _same(entries[place], candidate):
            return place
    return at


def _same(entry: Notified, candidate: Stored) -> bool:
    # The outbox keeps whole milliseconds: a reading may seem to arrive just before it was sent.
    return entry.content == candidate.content and entry.at_ns <= candidate.at_ns + _NS_PER_MS


def _by_source(items: Iterable[_Sourced]) -> dict[Source, list[_Sourced]]:
    sources: dict[Source, list[_Sourced]] = defaultdict(list)
    for item in items:
        sources[item.source].append(item)
    return sources


def _in(sets: Mapping[str, IntervalSet], identity: Identity) -> bool:
    stream, seq = identity
    return stream in sets and seq in sets[stream]


def _latency(delays_ns: Sequence[int]) -> Latency | None:
    if not delays_ns:
        return None
    delays_ms = [delay / _NS_PER_MS for delay in delays_ns]
    if len(delays_ms) == 1:
        return Latency(round(delays_ms[0], 2), round(delays_ms[0], 2))
    hundredths = quantiles(delays_ms, n=100, method="inclusive")
    return Latency(round(hundredths[49], 2), round(hundredths[98], 2))
