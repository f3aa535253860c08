"""The command as a whole: quick to start, and every error one message with a status."""

from __future__ import annotations

import subprocess
import sys

import pytest

from strapline import __version__, main
from strapline.errors import CommandError


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "strapline", *arguments], capture_output=True, text=True, check=False
    )


def test_the_version_is_told() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"strapline {__version__}\n", "")


def test_what_a_command_needs_is_imported_by_it_alone() -> None:
    heavy = ("aiosqlite", "asyncio", "bleak", "bumble", "pydantic", "rich", "websockets")
    code = f"import sys, strapline.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_lists_every_command() -> None:
    told = run("--help").stdout
    assert all(f"\n  {name}" in told for name in ("up", "demo", "bridge", "server"))
    assert "scan" in run("bridge", "-h").stdout
    assert all(name in run("server", "-h").stdout for name in ("run", "user", "token"))


@pytest.mark.parametrize(
    "arguments", [["--bogus"], ["bridge", "fly"], ["server", "token", "--days", "0"]]
)
def test_a_wrong_usage_is_status_2_on_stderr(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_wrong_usage_looks_like_every_other_error() -> None:
    usage, hint, error = run("demo", "--bogus").stderr.splitlines()
    assert usage == "Usage: strapline demo [OPTIONS]"
    assert hint == "Try 'strapline demo -h' for help."
    assert error.startswith(" error  No such option: --bogus")


@pytest.mark.parametrize("option", [["--seconds", "3"], ["--json"]])
def test_what_goes_with_headless_is_refused_without_it(option: list[str]) -> None:
    done = run("demo", *option)
    assert done.returncode == 2
    assert f"{option[0]}: goes with --headless" in done.stderr


def test_a_group_alone_shows_its_help() -> None:
    done = run("server")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: strapline server")
    assert "error" not in done.stderr


@pytest.mark.parametrize("group", [[], ["bridge"], ["server"], ["server", "user"]])
def test_no_help_is_cut(group: list[str]) -> None:
    _, _, commands = run(*group, "--help").stdout.partition("Commands:")
    assert commands
    assert "..." not in commands


@pytest.mark.parametrize(
    "command", [["bridge", "run"], ["server", "run"], ["server", "user", "list"]]
)
def test_a_configuration_that_is_not_there_is_named(command: list[str]) -> None:
    done = run(*command, "--config", "/nowhere/it.toml")
    assert done.returncode == 1
    assert done.stderr.startswith(" error  /nowhere/it.toml: ")
    assert "Traceback" not in done.stderr


def test_an_error_of_ours_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(prog_name: str, *, standalone_mode: bool) -> None:
        assert not standalone_mode
        raise CommandError(f"{prog_name} cannot. Do this.")

    monkeypatch.setattr(main, "app", fails)
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == 1
    assert capsys.readouterr().err == " error  strapline cannot. Do this.\n"


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(prog_name: str, *, standalone_mode: bool) -> None:
        assert not standalone_mode
        raise ZeroDivisionError(prog_name)

    monkeypatch.setattr(main, "app", fails)
    with pytest.raises(ZeroDivisionError):
        main.main()
