"""What `strapline server verify` prints of gaps, and its last line."""

from __future__ import annotations

import io

from strapline.terminal import make_console
from strapline.verifying import last_line, tell
from strapline_server import Verified
from strapline_server.verified import CauseCounted, GapsVerified, SumsVerified

GAPS = GapsVerified(
    user="ana",
    metric="heart_rate",
    gaps=3,
    explained=2,
    causes=[
        CauseCounted(cause="bridgeDown", gaps=2, duration_ms=13_000),
        CauseCounted(cause="silent", gaps=3, duration_ms=60_000),
    ],
)
VERIFIED = Verified(
    store="s",
    as_of_ms=1_790_000_000_000,
    streams=[],
    sums=[SumsVerified(user="ana", metric="heart_rate", checked=4, differing=0)],
    gaps=[GAPS],
    readings=41_203,
    missing=0,
    doubled=0,
    whole=True,
)


def test_causes_are_told_in_words_with_how_long_they_lasted() -> None:
    file = io.StringIO()
    console = make_console(width=200)
    console.file = file
    tell(console, VERIFIED)
    told = file.getvalue()
    assert (
        "3 gaps of heart_rate: bridge off (13 s), silent: off, asleep or out of range (1 min"
        in told
    )
    assert "bridgeDown" not in told


def test_the_last_line_tells_explained_gaps_from_others() -> None:
    assert last_line(VERIFIED) == (
        "41,203 readings, none missing, none twice, 2 gaps explained, 1 gap without a known cause."
    )
