"""What a backup says of itself."""

from __future__ import annotations

from strapline.copying import told
from strapline_server import Copied


def test_a_copy_is_told_in_words() -> None:
    copied = Copied(3 * 2**20, 2, 41_203, 1_795_521_600_000)
    assert told(copied) == (
        "2 people, 41,203 readings, the newest of 2026-11-24 12:00:00 UTC; 3.0 MiB"
    )
    assert told(Copied(4_096, 1, 1, None)) == "1 person, 1 reading; 0.0 MiB"
