"""Power cuts under the outbox and the store: all that was said to be durable is there, once.

A SIGKILL is no power cut: what a killed program has written the kernel still keeps. Here a disk
loses what was not synchronised; that it does is shown by the same programs without their fsyncs.
"""

from __future__ import annotations

import compileall
import py_compile
import shutil
from pathlib import Path

import pytest

from tests.acceptance.guest import image
from tests.acceptance.guest.cuts import OUTCOME_NAME, PLAN_NAME, Cut, Kind, Outcome, Plan, Series
from tests.acceptance.guest.evidence import evidence
from tests.acceptance.guest.machine import run_guest

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
PACKAGES = (
    "protocol/strapline_protocol",
    "bridge/strapline_bridge",
    "server/strapline_server",
)
#: A commit that was under way, on an emulated machine that others keep busy.
SLACK_MS = 750

FEW = Plan(
    seed=20_261,
    series=(
        Series(kind=Kind.OUTBOX, cuts=7),
        Series(kind=Kind.STORE, cuts=6),
        Series(kind=Kind.OUTBOX, cuts=2, synced=False),
        Series(kind=Kind.STORE, cuts=2, synced=False),
        Series(kind=Kind.OUTBOX, cuts=2, interval_ms=1_000, longest_s=4.0),
    ),
)
MANY = Plan(
    seed=20_262,
    series=(
        Series(kind=Kind.OUTBOX, cuts=60, longest_s=4.0),
        Series(kind=Kind.STORE, cuts=60, longest_s=4.0),
        Series(kind=Kind.OUTBOX, cuts=5, synced=False),
        Series(kind=Kind.STORE, cuts=5, synced=False),
        Series(kind=Kind.OUTBOX, cuts=12, interval_ms=1_000, longest_s=5.0),
        Series(kind=Kind.OUTBOX, cuts=6, interval_ms=10_000, longest_s=25.0),
    ),
)


def fill(share: Path, plan: Plan) -> None:
    """The share as the guest expects it: the checkout's own code, compiled where it is quick."""
    (share / "out").mkdir(parents=True)
    shutil.copy(HERE / "start-power", share / "start")
    (share / PLAN_NAME).write_text(plan.model_dump_json())
    ignore = shutil.ignore_patterns("_web", "rootfs", "__pycache__")
    for package in PACKAGES:
        folder = ROOT / package
        shutil.copytree(folder, share / "code" / folder.name, ignore=ignore)
    shutil.copytree(HERE, share / "code" / HERE.relative_to(ROOT), ignore=ignore)
    compileall.compile_dir(
        share / "code", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


def play(share: Path, plan: Plan, limit_s: float) -> None:
    """Boot, cut, and look at what came of it."""
    try:
        guest = image.provide()
    except image.GuestError as error:
        pytest.fail(str(error), pytrace=False)
    fill(share, plan)
    out = share / "out"
    ended = run_guest(guest, share, limit_s)
    with evidence(out):
        assert ended.status == 0, ended.said
        outcome = Outcome.model_validate_json((out / OUTCOME_NAME).read_text())
        check(plan, outcome.cuts)


def check(plan: Plan, cuts: list[Cut]) -> None:
    """What a plan's cuts must have come to."""
    for place, series in enumerate(plan.series):
        found = [cut for cut in cuts if cut.series == place]
        assert len(found) == series.cuts
        if series.synced:
            # Many came while there was much to lose.
            assert sum(cut.committed > 0 for cut in found) > len(found) / 2
            assert [cut for cut in found if cut.missing or cut.faults] == []
        else:
            assert any(cut.missing for cut in found), "the cuts lose nothing: this shows nothing"
        if series.synced and not series.interval_ms:
            assert any(cut.merged for cut in found)
        if series.interval_ms:
            assert 0 < max(cut.lost_ms for cut in found) <= series.interval_ms + SLACK_MS


@pytest.mark.timeout(900)
def test_what_was_said_to_be_durable_outlives_power_cuts(tmp_path: Path) -> None:
    play(tmp_path, FEW, limit_s=400)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_was_said_to_be_durable_outlives_many_power_cuts(tmp_path: Path) -> None:
    play(tmp_path, MANY, limit_s=3000)
