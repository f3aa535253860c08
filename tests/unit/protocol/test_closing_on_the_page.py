"""The close reasons that the page's tests read are those that the protocol really writes."""

from __future__ import annotations

import json
from pathlib import Path

from strapline_protocol.closing import reason_text, retry_after_ms

REASONS = Path(__file__).parents[3] / "web/src/services/__tests__/close-reasons.json"


def test_reasons_of_the_page_are_current() -> None:
    reasons = json.loads(REASONS.read_text())
    assert len(reasons) >= 4
    for one in reasons:
        assert one["text"] == reason_text(one["reason"], one["retryAfterMs"])
        assert retry_after_ms(one["text"]) == one["retryAfterMs"]
