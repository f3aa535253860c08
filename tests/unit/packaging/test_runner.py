"""`./run test` fails when any step fails, hangs, or lacks what it needs, and says which."""

import os
import sys
from pathlib import Path

import pytest

from tests import run

PASSING = run.Step("passing", (sys.executable, "-c", ""), ("quick", "full"))
FAILING = run.Step("failing", (sys.executable, "-c", "raise SystemExit(3)"), ("quick", "full"))


@pytest.fixture(autouse=True)
def needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "NEEDS", ())


def test_all_steps_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "STEPS", (PASSING, PASSING))
    assert run.main([]) == 0


def test_a_failing_step_fails_the_run_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    last = run.Step("last", (sys.executable, "-c", "print('the last one ran')"))
    monkeypatch.setattr(run, "STEPS", (FAILING, last))
    assert run.main([]) == 1
    out = capfd.readouterr().out
    assert "the last one ran" in out
    assert out.rstrip().endswith("failed: failing")


def test_a_hanging_step_is_stopped(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hangs = run.Step("hangs", (sys.executable, "-c", "input(); import time; time.sleep(60)"))
    sleeps = run.Step("sleeps", (sys.executable, "-c", "import time; time.sleep(60)"), limit_s=1)
    monkeypatch.setattr(run, "STEPS", (hangs, sleeps))
    assert run.main([]) == 1
    assert capfd.readouterr().out.rstrip().endswith("failed: hangs, sleeps")


def test_a_suite_runs_its_own_steps(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    only_full = run.Step("only full", (sys.executable, "-c", "raise SystemExit(1)"))
    monkeypatch.setattr(run, "STEPS", (PASSING, only_full))
    assert run.main(["quick"]) == 0
    assert "only full" not in capfd.readouterr().out


def test_an_unknown_suite_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run.main(["qiuck"])
    assert "choose from" in capfd.readouterr().err


def test_what_is_missing_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(run, "NEEDS", (run.Need("no-such-browser", ("browser", "fonts")),))
    monkeypatch.setattr(run, "STEPS", (PASSING,))
    assert run.main([]) == 1
    assert "no-such-browser" in (out := capfd.readouterr().out)
    assert "apt-get install browser fonts" in out


def test_root_on_debian_gets_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n'
        f'[ "$1" = update ] || {{ echo >{tmp_path}/browser; chmod +x {tmp_path}/browser; }}\n'
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert run.provide((run.Need("browser", ("browser", "fonts")), run.Need("sh", ("dash",))))
    update, install = (tmp_path / "asked").read_text().splitlines()
    assert update.startswith("update")
    assert install.endswith("browser fonts")


def test_the_full_suite_leaves_no_test_folder_out() -> None:
    folders = {path.name for path in Path(run.ROOT, "tests").iterdir() if path.is_dir()}
    commands = " ".join(" ".join(step.command) for step in run.STEPS if "full" in step.suites)
    unnamed = {name for name in folders if f"tests/{name}" not in commands}
    assert unnamed <= {"__pycache__", "data", "vectors"}


def test_it_says_that_wycheproof_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "STEPS", (PASSING,))
    monkeypatch.delenv(run.WYCHEPROOF, raising=False)
    run.main([])
    assert "without Project Wycheproof" in capfd.readouterr().out
    monkeypatch.setenv(run.WYCHEPROOF, "/somewhere")
    run.main([])
    assert "without Project Wycheproof" not in capfd.readouterr().out
