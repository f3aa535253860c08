"""Causes of gaps in words: each has some, and none is a code."""

from __future__ import annotations

import pytest

from strapline.gap_words import cause_in_words
from strapline_protocol.gaps import GapCause


@pytest.mark.parametrize("cause", list(GapCause))
def test_each_cause_has_words_of_its_own(cause: GapCause) -> None:
    words = cause_in_words(cause)
    assert words == words[0].lower() + words[1:]
    assert not any(letter.isupper() for letter in words)
    assert [other for other in GapCause if cause_in_words(other) == words] == [cause]


def test_a_cause_of_a_newer_version_is_said_as_it_is() -> None:
    assert cause_in_words("cosmicRays") == "cosmicRays"
