"""The project's files agree with one another on names, versions and folders."""

import json
import tomllib
from pathlib import Path
from typing import Any

import strapline
from tests.unit.packaging.test_sources import FOLDERS, PACKAGES

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def web_package() -> dict[str, Any]:
    package: dict[str, Any] = json.loads((ROOT / "web/package.json").read_text())
    return package


def test_every_package_is_shipped_and_no_other() -> None:
    shipped = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert tuple(sorted(shipped)) == PACKAGES


def test_every_package_is_under_the_import_contracts() -> None:
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == {
        package.partition("/")[2] for package in PACKAGES
    }


def test_mypy_finds_every_package() -> None:
    assert PROJECT["tool"]["mypy"]["mypy_path"].split(":") == [
        package.partition("/")[0] for package in PACKAGES
    ]


def test_there_is_one_version() -> None:
    assert web_package()["version"] == strapline.__version__
    lock = json.loads((ROOT / "web/package-lock.json").read_text())
    assert lock["version"] == lock["packages"][""]["version"] == strapline.__version__


def test_a_build_needs_no_test_tool() -> None:
    """The hook installs without the development dependencies."""
    needed = web_package()["dependencies"]
    assert {"vite", "@vitejs/plugin-react", "react", "react-dom"} <= set(needed)
    assert not {"vitest", "jsdom", "typescript", "@biomejs/biome"} & set(needed)


def test_every_ignored_rule_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    ignores = text[text.index("\nignore = [") : text.index("[tool.ruff.lint.flake8")]
    unexplained = [
        line
        for line in ignores.splitlines()[2:]
        if line.strip().startswith('"') and not line.endswith("[") and "#" not in line
    ]
    assert unexplained == []


def test_mypy_checks_every_python_file() -> None:
    written = {
        path.relative_to(ROOT).parts[0]
        for folder in (*FOLDERS, "hatch_build.py")
        for path in [*(ROOT / folder).rglob("*.py"), *ROOT.glob("*.py")]
    }
    assert written == set(PROJECT["tool"]["mypy"]["files"])
