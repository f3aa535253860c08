"""`./run` where there is Python and nothing else: installs once, starts fast, survives a move."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import strapline

ROOT = Path(__file__).parents[3]
# Of Debian's essential packages; no Node, npm, uv, pip or make.
PROGRAMS = ("cat", "cksum", "dirname", "env", "find", "flock", "rm", "sh", "uname")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that git knows or would add, as a fresh clone would have them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    copy = tmp_path / "checkout"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that is all of the PATH: what a minimal Debian has, without a Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def start(checkout: Path, programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "run"), *arguments],
        env={**os.environ, "PATH": str(programs), "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def add_python(programs: Path) -> None:
    base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    (programs / "python3").write_text(f'#!/bin/sh\nexec {base} "$@"\n')
    (programs / "python3").chmod(0o755)


def test_it_installs_when_something_changed_and_else_only_starts(
    checkout: Path, programs: Path, tmp_path: Path
) -> None:
    add_python(programs)
    first = start(checkout, programs, "--version")
    assert first.returncode == 0, first.stderr
    assert strapline.__version__ in first.stdout
    assert "installing" in first.stderr
    page = "server/strapline_server/_web/index.html"
    assert (checkout / page).is_file()

    second = start(checkout, programs, "--version")
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")

    wrong = start(checkout, programs, "no such command")
    assert wrong.returncode == 2
    assert "no such command" in wrong.stderr

    source = checkout / "web/index.html"
    source.write_text(source.read_text().replace("<title>", "<title>Another "))
    third = start(checkout, programs, "--version")
    assert third.returncode == 0, third.stderr
    assert "<title>Another " in (checkout / page).read_text()

    moved = checkout.rename(tmp_path / "moved here")
    fourth = start(moved, programs, "--version")
    assert (fourth.returncode, fourth.stdout) == (0, first.stdout), fourth.stderr
    assert "installing" in fourth.stderr


def test_without_a_new_enough_python_it_says_what_to_install(
    checkout: Path, programs: Path
) -> None:
    (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3").chmod(0o755)
    result = start(checkout, programs, "--version")
    assert result.returncode == 1
    assert "Python 3.11" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr


def test_it_is_plain_posix_shell() -> None:
    subprocess.run(["dash", "-n", ROOT / "run"], check=True)
    subprocess.run(["dash", "-n", ROOT / "requirements/lock"], check=True)
