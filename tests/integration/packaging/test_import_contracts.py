"""Each rule of who may import whom is enforced: an import that breaks it is found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.packaging.test_sources import PACKAGES

ROOT = Path(__file__).parents[3]
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        source = ROOT / package
        shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("_web"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOLS / "lint-imports", "--no-cache"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(TOOLS), "COLUMNS": "200"},
    )


def test_the_project_keeps_the_contracts(checkout: Path) -> None:
    result = lint(checkout)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("package", "line", "broken"),
    [
        ("strapline_protocol", "import asyncio", "The protocol imports nothing of ours"),
        ("strapline_protocol", "import strapline_client", "The protocol imports nothing of ours"),
        ("strapline_server", "import strapline_bridge", "know the protocol and not one another"),
        ("strapline_client", "import strapline_server", "know the protocol and not one another"),
        ("strapline_bridge", "import strapline_simulator", "work without the simulator"),
        ("strapline_simulator", "import strapline_bridge.outbox", "the simulator knows the radio"),
        ("strapline_simulator", "import strapline_server", "the simulator knows the radio"),
        ("strapline_bridge", "import strapline", "is imported by none"),
        ("strapline_bridge", "import bleak", "Only the radio port imports bleak"),
        ("strapline", "import bleak", "Only the radio port imports bleak"),
        ("strapline_bridge", "import sqlite3", "Only the outbox and the server's store"),
        ("strapline", "import aiosqlite", "Only the outbox and the server's store"),
    ],
)
def test_a_forbidden_import_is_found(checkout: Path, package: str, line: str, broken: str) -> None:
    module = checkout / package / "trespasser.py"
    module.write_text(f'"""Imports what it may not."""\n\n{line}\n')
    try:
        result = lint(checkout)
    finally:
        module.unlink()
    assert result.returncode == 1
    verdicts = [text for text in result.stdout.splitlines() if broken in text]
    assert any(" BROKEN" in text for text in verdicts), result.stdout
