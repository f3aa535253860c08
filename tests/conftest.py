"""What holds for every test: a blocked event loop fails it, and how long Hypothesis searches."""

import os

import hypothesis

from tests.loop_guard import pytest_runtest_call

__all__ = ["pytest_runtest_call"]

# No deadlines: on a busy machine they measure the others. What `./run test` finds is the same each
# time; the slow suite goes looking for more.
hypothesis.settings.register_profile(
    "quick", max_examples=25, deadline=None, derandomize=True, database=None
)
hypothesis.settings.register_profile(
    "full", max_examples=100, deadline=None, derandomize=True, database=None
)
hypothesis.settings.register_profile("slow", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("STRAPLINE_HYPOTHESIS", "full"))
