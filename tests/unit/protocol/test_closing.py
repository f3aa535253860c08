"""Close codes and what follows them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.closing import (
    REACTIONS,
    Backoff,
    CloseCode,
    Reaction,
    reaction_to,
    reason_text,
    retry_after_ms,
)

RANDOM = st.floats(0, 1, exclude_max=True)


def test_every_code_has_its_reaction() -> None:
    assert REACTIONS.keys() == set(CloseCode)


@pytest.mark.parametrize(
    ("reaction", "codes"),
    [
        (Reaction.RETURN, {1001, 1012}),
        (Reaction.BACK_OFF, {1006, 1011, 1013, 4408, 4429}),
        (Reaction.STOP, {4400, 4403, 4426}),
        (Reaction.RENEW, {4401}),
        (Reaction.WAIT_LONG, {4409}),
        (Reaction.SPLIT, {1009, 4413}),
    ],
)
def test_reactions_are_those_of_the_protocol(reaction: Reaction, codes: set[int]) -> None:
    assert {code for code in CloseCode if reaction_to(code) is reaction} == codes


@pytest.mark.parametrize("code", [0, 1000, 1002, 1005, 1007, 1015, 3000, 4000, 4999, -1])
def test_a_code_that_nobody_knows_backs_off(code: int) -> None:
    assert reaction_to(code) is Reaction.BACK_OFF


@given(st.integers(0, 5_000), RANDOM)
def test_a_delay_is_anywhere_below_its_ceiling(attempt: int, random: float) -> None:
    delay = Backoff(attempt).delay_ms(random)
    ceiling = min(60_000, 500 * 2 ** min(attempt, 20))
    assert 0 <= delay < ceiling
    assert delay == int(ceiling * random)


@given(st.integers(0, 200))
def test_in_the_mean_there_is_no_loop_at_zero_delay(attempt: int) -> None:
    thousand = [Backoff(attempt).delay_ms(i / 1_000) for i in range(1_000)]
    ceiling = min(60_000, 500 * 2 ** min(attempt, 20))
    assert sum(thousand) / 1_000 == pytest.approx(ceiling / 2, rel=0.01)
    assert sum(thousand) / 1_000 > 200


def test_it_goes_on_for_ever_at_a_minute_and_starts_anew_when_it_was_useful() -> None:
    backoff = Backoff()
    ceilings = []
    for _ in range(10_000):
        ceilings.append(backoff.delay_ms(0.999_999) + 1)
        backoff = backoff.failed()
    assert ceilings[:9] == [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
    assert set(ceilings[8:]) == {60_000}
    assert backoff.useful() == Backoff()


def test_its_bounds_are_kept_from_attempt_to_attempt() -> None:
    own = Backoff(base_ms=10, cap_ms=15)
    assert own.failed() == Backoff(1, 10, 15)
    assert own.failed().delay_ms(0.99) == 14
    assert own.failed().useful() == own


@given(st.text(st.characters(codec="utf-8"), max_size=400), st.integers(0, 99_999_999))
def test_a_reason_fits_a_close_frame_and_says_when_to_return(text: str, after_ms: int) -> None:
    reason = reason_text(text, after_ms)
    assert len(reason.encode()) <= 123
    if after_ms:
        assert reason.endswith(f"; retry after {after_ms} ms")
    if "retry after" not in text:
        assert retry_after_ms(reason) == after_ms


def test_a_short_reason_is_left_as_it_is() -> None:
    assert reason_text("the token expired") == "the token expired"
    assert reason_text("x" * 123) == "x" * 123
    assert reason_text("x" * 124) == "x" * 120 + "..."
    assert retry_after_ms("too many messages") == 0
