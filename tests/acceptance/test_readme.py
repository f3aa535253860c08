"""The README, executed: its commands beside a server, and its program against one."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from strapline.folder import DataFolder
from strapline.marker import Marker, mark
from tests.acceptance.processes import LINK, environment, program, strapline

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text("utf-8")
_PLAIN_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def block(language: str, holding: str) -> str:
    """The one block of this language that holds this text."""
    (found,) = [
        code
        for code in re.findall(rf"```{language}\n(.*?)```", _README, re.DOTALL)
        if holding in code
    ]
    assert isinstance(found, str)
    return found


def shell(commands: str, folder: Path, env: Mapping[str, str]) -> str:
    """Run them as they stand, with this interpreter for the checkout's own."""
    here = shlex.quote(sys.executable)
    commands = commands.replace("./run", f"{here} -m strapline")
    done = subprocess.run(
        ["/bin/sh", "-ec", commands],
        cwd=folder,
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sample(folder: Path, port: str) -> list[str]:
    """The program, in a file, pointed at the server of this test."""
    code = block("python", "WebSocketService")
    assert ":8420/" in code
    (folder / "watch.py").write_text(code.replace(":8420/", f":{port}/"))
    return ["watch.py"]


def test_its_program_shows_what_comes_and_why_a_token_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environment(tmp_path)
    monkeypatch.chdir(tmp_path)
    with strapline(["demo", "--port", "0"], env) as demo:
        port = demo.wait_for(LINK)["port"]
        token, start = block("sh", "watch.py").splitlines()
        assert start == ".venv/bin/python watch.py"
        shell(token, tmp_path, env)
        assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
        with program(sample(tmp_path, port), env) as watching:
            watching.wait_for(r"connected ")
            watching.wait_for(r"ilse-brandt heart_rate \[\d+")
        (tmp_path / "token").write_text("nonsense")
        with program(["watch.py"], env) as refused:
            refused.wait_for(r"stopped .*not a signed token")
            assert refused.wait() == 1
            assert "Get a new token" in refused.err


def test_its_commands_are_about_the_server_of_up(tmp_path: Path) -> None:
    env = environment(tmp_path)
    folder = DataFolder(tmp_path / ".local/share/strapline")
    with folder.held():
        mark(folder, Marker(simulated=False, port=8420))
    commands = block("sh", "server revoke").splitlines()
    told = shell("\n".join(["./run server user add 'Maren Holt'", *commands]), tmp_path, env)
    added, listed, link, revoked = told.splitlines()
    assert added == "maren-holt"
    assert "Maren Holt" in listed
    assert link.startswith("http://127.0.0.1:8420/#token=")
    assert revoked == "viewer-trainer"


def test_it_leads_to_what_there_is() -> None:
    pages = [_ROOT / "README.md", *(_ROOT / "docs").glob("[ht]*/*.md")]
    for page in pages:
        for target in _PLAIN_LINK.findall(page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
    for room in re.findall(r"`([a-z]+)/`", _README):
        assert any((_ROOT / room).iterdir()), f"{room}/ is empty"
