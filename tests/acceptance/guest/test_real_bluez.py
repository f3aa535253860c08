"""A real kernel, bluetoothd and bleak's own backend; bridge and server from the built wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from strapline.account import Content
from strapline.evidence import content_of
from strapline_bridge.decoders import heart_rate
from tests.acceptance.guest import image
from tests.acceptance.guest.evidence import evidence
from tests.acceptance.guest.machine import run_guest
from tests.acceptance.guest.outcome import Outcome, Reading
from tests.acceptance.guest.scenario import BATTERY_FIRST, BATTERY_LATER
from tests.acceptance.guest.viewer import METRICS

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
LINKS = 3
#: What bluetoothd has not read yet when it learns of a lost link, it drops.
IN_FLIGHT = 2


def build_wheel(folder: Path) -> None:
    """The checkout's own, as it is now."""
    build = (sys.executable, "-m", "hatchling", "build", "--target", "wheel")
    done = subprocess.run(
        [*build, "--directory", str(folder)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def fill(share: Path) -> None:
    """The share as the guest expects it."""
    (share / "out").mkdir(parents=True)
    build_wheel(share)
    shutil.copy(HERE / "start", share)
    target = share / HERE.relative_to(ROOT)
    shutil.copytree(HERE, target, ignore=shutil.ignore_patterns("rootfs", "__pycache__"))


def values(readings: Sequence[Reading], metric: str) -> list[Content]:
    return [reading.content for reading in readings if reading.metric == metric]


@pytest.mark.timeout(900)
def test_what_bluetoothd_hands_over_is_on_the_server_once(tmp_path: Path) -> None:
    try:
        guest = image.provide()
    except image.GuestError as error:
        pytest.fail(str(error), pytrace=False)
    fill(tmp_path)
    out = tmp_path / "out"
    ended = run_guest(guest, tmp_path)
    with evidence(out):
        assert ended.status == 0, ended.said
        outcome = Outcome.model_validate_json((out / "outcome.json").read_text())
        check(outcome)


def check(outcome: Outcome) -> None:
    """Nothing lost, nothing doubled, in order, over every link."""
    sent = [link for link in outcome.sent if link]
    handed_over = [link for link in outcome.handed_over if link]
    # More of them only where a busy machine made one attempt too slow.
    assert len(sent) == len(handed_over) >= LINKS
    for before, after in zip(sent, handed_over, strict=True):
        assert after == before[: len(after)]
        assert len(before) - len(after) <= IN_FLIGHT
    assert handed_over[-1] == sent[-1]
    measured = [content_of(heart_rate.decode(value)) for link in handed_over for value in link]
    assert values(outcome.stored, "heart_rate") == measured
    levels = [content.value for content in values(outcome.stored, "battery")]
    assert list(dict.fromkeys(levels)) == [BATTERY_FIRST, BATTERY_LATER]
    # One run of the bridge is one stream, numbered without a hole over all its links.
    watched = sorted(outcome.watched, key=lambda one: one.identity)
    (stream,) = {one.identity[0] for one in watched}
    assert [one.identity for one in watched] == [(stream, n) for n in range(len(watched))]
    for metric in METRICS:
        assert values(watched, metric) == values(outcome.stored, metric)
    assert (outcome.bridge_status, outcome.server_status) == (0, 0)
