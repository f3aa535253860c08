"""What bridges noticed of silences, found by time: evidence, and not the gaps themselves.

A reading of metric ``gap`` is about a stretch of any length, and blocks are found by where it
begins. So each stands once more in a table that is keyed by how long it is, and out of which
whatever touches a stretch of time is found without reading anything else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from strapline_protocol.gaps import Spell
from strapline_server.store.database import Transaction, Value

_LEAST_LEVEL: Final = 16
_MOST_LEVEL: Final = 56
_STEP: Final = 4


class Noticed(NamedTuple):
    """Why there was nothing of one device."""

    device_key: int
    spell: Spell


def level_of(duration_ms: int) -> int:
    """Shorter than 2^level; the same level for all that are about as long."""
    return max(_LEAST_LEVEL, -(-duration_ms.bit_length() // _STEP) * _STEP)


def note_spell(
    transaction: Transaction,
    key: dict[str, Value],
    at_ms: int,
    duration_ms: int,
    cause: str,
    evidence: str | None,
) -> None:
    """Keep what a reading says; of one that is kept already nothing changes.

    Args:
        transaction: to do it in.
        key: ``user_key``, ``device_key``, ``stream_key`` and ``seq``.
        at_ms: where it begins.
        duration_ms: how long it lasts.
        cause, evidence: codes of :mod:`strapline_protocol.gaps`.
    """
    transaction.run(
        "insert_spell",
        **key,
        level=level_of(duration_ms),
        from_ms=at_ms,
        until_ms=at_ms + duration_ms,
        cause=cause,
        evidence=evidence or "",
    )


def noticed(transaction: Transaction, user_key: int, from_ms: int, to_ms: int) -> list[Noticed]:
    """All that touches a stretch of time, by beginning."""
    found: list[Noticed] = []
    for level in range(_LEAST_LEVEL, _MOST_LEVEL + 1, _STEP):
        rows = transaction.all(
            "spells_of_level",
            user_key=user_key,
            level=level,
            after_ms=from_ms - (1 << level),
            from_ms=from_ms,
            to_ms=to_ms,
        )
        found += [
            Noticed(
                row["device_key"],
                Spell(
                    row["from_ms"], row["until_ms"], row["cause"], row["evidence"], row["device"]
                ),
            )
            for row in rows
        ]
    return sorted(found, key=lambda one: one.spell.from_ms)
