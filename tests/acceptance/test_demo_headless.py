"""The measured demo as a process: what straps sent, a viewer got, each reading once."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.processes import environment, strapline


def test_nothing_is_lost_or_doubled_and_the_last_line_says_so(tmp_path: Path) -> None:
    arguments = ["demo", "--headless", "--seconds", "5", "--json"]
    with strapline(arguments, environment(tmp_path)) as demo:
        status = demo.wait()
        told = json.loads(demo.out.splitlines()[-1])
        assert (status, demo.err) == (0, "")
    # Three straps, each with a rate a second and steps nearly as often.
    assert told["notified"] >= 3 * 5
    assert told["notified"] == told["stored"] == told["acknowledged"] == told["delivered"]
    assert (told["lost"], told["doubled"]) == (0, 0)
    # Each strap's battery and steps were asked for once, when it was connected.
    assert told["read"] == 3 * 2
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"] < 1_000
    assert list(tmp_path.iterdir()) == []


def test_people_get_a_table_without_colours_where_there_is_no_terminal(tmp_path: Path) -> None:
    with strapline(["demo", "--headless", "--seconds", "1"], environment(tmp_path)) as demo:
        assert demo.wait() == 0
        assert "counted inside the straps" in demo.out
        assert "all of them are here" in demo.out
        assert "\x1b" not in demo.out


def test_a_run_that_is_stopped_shows_nothing_and_fails(tmp_path: Path) -> None:
    arguments = ["demo", "--headless", "--seconds", "600"]
    with strapline(arguments, environment(tmp_path)) as demo:
        demo.wait_for("measured for 600 s")
        status, took_s = demo.stop()
        assert status == 1
        assert took_s < 5
        assert "delivered" not in demo.out


def test_json_is_for_the_measured_run(tmp_path: Path) -> None:
    with strapline(["demo", "--json"], environment(tmp_path)) as demo:
        assert demo.wait() == 2
        assert "--headless" in demo.err
