"""What holds for every test: a blocked event loop fails it, and how far Hypothesis searches."""

import os

from hypothesis import Phase, settings

from tests.loop_guard import pytest_runtest_call

__all__ = ["pytest_runtest_call"]

# No deadlines: on a busy machine they measure the others. `./run test` finds the same each time and
# shows a failure as it was found, as shrinking may take minutes. A test that is run by itself
# (`dev`) looks at other cases each time, and shrinks what fails.
UNSHRUNK = (Phase.explicit, Phase.generate, Phase.target)
settings.register_profile(
    "quick",
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=UNSHRUNK,
)
settings.register_profile(
    "full",
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    phases=UNSHRUNK,
)
settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("slow", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("STRAPLINE_HYPOTHESIS", "dev"))
