"""The locked requirements: exact, hashed, current, and from no host in particular."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("build", "dev", "installer", "run")


def locked(name: str) -> list[tuple[Requirement, int]]:
    """Each requirement of a lock file with the number of its hashes."""
    text = (ROOT / f"requirements/{name}.txt").read_text()
    entries = re.sub(r"\\\n", "", re.sub(r"(?m)^\s*#.*\n", "", text)).splitlines()
    return [
        (Requirement(entry.partition("--hash")[0].strip()), entry.count("--hash=sha256:"))
        for entry in entries
    ]


def wanted(name: str) -> list[Requirement]:
    base = PROJECT["project"]["dependencies"]
    extra = PROJECT["project"]["optional-dependencies"]["demo"]
    groups = PROJECT["dependency-groups"]
    lists = {
        "run": [*base, *extra],
        "dev": [*base, *extra, *groups["dev"]],
        "build": groups["build"],
        "installer": groups["installer"],
    }
    return [Requirement(line) for line in lists[name]]


@pytest.mark.parametrize("name", LOCKS)
def test_every_version_is_exact_and_hashed(name: str) -> None:
    entries = locked(name)
    assert entries
    loose = [str(requirement) for requirement, hashes in entries if not hashes]
    loose += [str(r) for r, _ in entries if [s.operator for s in r.specifier] != ["=="]]
    assert loose == []


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_answers_what_the_project_asks_for(name: str) -> None:
    versions: dict[str, list[str]] = {}
    for requirement, _ in locked(name):
        (exact,) = requirement.specifier
        versions.setdefault(canonicalize_name(requirement.name), []).append(exact.version)
    stale = [
        str(requirement)
        for requirement in wanted(name)
        if not any(
            requirement.specifier.contains(version, prereleases=True)
            for version in versions.get(canonicalize_name(requirement.name), [])
        )
    ]
    assert stale == [], "run requirements/lock"


def test_tests_run_on_what_users_run_on() -> None:
    run = {(r.name, str(r.specifier)) for r, _ in locked("run")}
    assert run <= {(r.name, str(r.specifier)) for r, _ in locked("dev")}


@pytest.mark.parametrize("name", LOCKS)
def test_a_python_lock_names_no_host(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    assert re.findall(r"\S*://\S*|(?m:^-\S+.*)", text) == []


def test_the_npm_lock_names_no_host() -> None:
    packages = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    assert len(packages) > 50
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    unhashed = [name for name, entry in packages.items() if name and "integrity" not in entry]
    assert unhashed == []
