"""Wheel and sdist: complete, and they install and run without Node and without the checkout."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import strapline
from tests.unit.packaging.test_sources import PACKAGES

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "requirements"
UV = Path(sys.executable).parent / "uv"
DATA_SUFFIXES = {".csv", ".json", ".py", ".sql", ".typed"}


@dataclass(frozen=True)
class Dist:
    """What one build of the checkout gave."""

    sdist: Path
    wheel: Path


def run(*command: str | Path, cwd: Path, path: str = os.environ["PATH"]) -> str:
    """Output of a program, which must succeed; with ``path`` as its PATH."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    """Sdist of the checkout, and a wheel made of the sdist alone."""
    out = tmp_path_factory.mktemp("dist")
    run(UV, "build", "-b", REQUIREMENTS / "build.txt", "--out-dir", out, ROOT, cwd=out)
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return Dist(sdist, wheel)


@pytest.fixture
def no_node(tmp_path: Path) -> str:
    """A PATH with a shell's usual programs and neither Node nor this environment's own."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "env", "uname", "cat"):
        (folder / name).symlink_to(Path("/bin", name))
    return str(folder)


def package_files() -> set[str]:
    """What each package has beside its compiled files, as the wheel should have it."""
    return {
        str(path.relative_to((ROOT / package).parent))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in DATA_SUFFIXES and "_web" not in path.parts
    }


def test_the_wheel_has_every_file_of_every_package_and_the_dashboard(dist: Dist) -> None:
    names = set(zipfile.ZipFile(dist.wheel).namelist())
    assert package_files() - names == set()
    assert "strapline_server/_web/index.html" in names
    assert any(name.startswith("strapline_server/_web/assets/") for name in names)
    top = {name.partition("/")[0] for name in names}
    modules = {Path(package).name for package in PACKAGES}
    release = f"strapline-{strapline.__version__}"
    assert top == modules | {f"{release}.dist-info", f"{release}.data"}
    share = f"{release}.data/data/share/strapline/"
    assert {name.removeprefix(share) for name in names if name.startswith(share)} == {
        str(path.relative_to(ROOT))
        for folder in ("config", "systemd")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }


def test_the_wheel_carries_every_licence(dist: Dist) -> None:
    names = zipfile.ZipFile(dist.wheel).namelist()
    licences = {name.rpartition("/")[2] for name in names if "/licenses/" in name}
    assert licences >= {"LICENSE", "OFL.txt"}


def test_the_sdist_has_the_dashboard_and_its_sources_but_no_dependency(dist: Dist) -> None:
    with tarfile.open(dist.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"server/strapline_server/_web/index.html", "web/src/main.tsx", "web/.npmrc"} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("web/dist")]


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_installs_and_runs_without_node_and_checkout(
    dist: Dist, kind: str, tmp_path: Path, no_node: str
) -> None:
    venv = tmp_path / "venv"
    python = venv / "bin/python"
    run(UV, "venv", "--quiet", venv, cwd=tmp_path)
    install = (UV, "pip", "install", "--quiet", "--python", python)
    run(*install, "--require-hashes", "-r", REQUIREMENTS / "run.txt", cwd=tmp_path, path=no_node)
    archive = dist.wheel if kind == "wheel" else dist.sdist
    constraints = ("--no-deps", "-b", REQUIREMENTS / "build.txt")
    run(*install, *constraints, archive, cwd=tmp_path, path=no_node)
    command = venv / "bin/strapline"
    assert strapline.__version__ in run(command, "--version", cwd=tmp_path, path=no_node)
    demo = (command, "demo", "--headless", "--seconds", "3", "--json", "--data", tmp_path / "data")
    balance = json.loads(run(*demo, cwd=tmp_path, path=no_node).splitlines()[-1])
    assert balance["delivered"] == balance["notified"] > 0
    service = run(command, "bridge", "install", "--dry-run", cwd=tmp_path, path=no_node)
    assert "write /etc/systemd/system/strapline-bridge.service" in service
    where = run(
        python,
        "-c",
        "import strapline_server as s, importlib.resources as r;"
        "print(s.__file__, (r.files(s) / '_web/index.html').is_file())",
        cwd=tmp_path,
        path=no_node,
    )
    assert where.startswith(str(venv))
    assert where.strip().endswith("True")
