"""The Debian package: what is in it, and that it runs, here and as a Raspberry Pi would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import strapline
from strapline.installing.files import shipped

ROOT = Path(__file__).parents[2]
#: Of another architecture: an interpreter, and what it needs.
ARM = ("python3", "ca-certificates")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built(architecture: str, folder: Path) -> Path:
    said = run(
        *(sys.executable, ROOT / "systemd/debian/build.py", architecture, "--to", folder),
        cwd=folder,
    )
    return Path(said.splitlines()[-1])


def unpacked(package: Path, folder: Path) -> Path:
    tree = folder / "tree"
    run("dpkg-deb", "--extract", package, tree, cwd=folder)
    return tree


def command(tree: Path) -> str:
    """The package's own command, told where the package lies for once."""
    text = (tree / "usr/bin/strapline").read_text()
    assert text.startswith("#!/usr/bin/python3 -I\n")
    assert '"/usr/lib/strapline"' in text
    return text.replace("/usr/lib/strapline", str(tree / "usr/lib/strapline"))


@pytest.mark.timeout(300)
def test_the_package_brings_all_and_runs_with_the_systems_python(tmp_path: Path) -> None:
    package = built("amd64", tmp_path)
    assert package.name == f"strapline_{strapline.__version__}+bookworm_amd64.deb"
    fields = run("dpkg-deb", "--field", package, cwd=tmp_path)
    assert f"Version: {strapline.__version__}+bookworm\n" in fields
    assert "Depends: python3 (>= 3.11), python3 (<< 3.12), systemd\n" in fields
    tree = unpacked(package, tmp_path)
    for name in ("bridge", "server"):
        unit = (tree / f"lib/systemd/system/strapline-{name}.service").read_text()
        assert unit == shipped(f"systemd/strapline-{name}.service")
        assert (tree / f"etc/strapline/{name}.toml").read_text() == shipped(f"config/{name}.toml")
    assert (tree / "usr/lib/sysusers.d/strapline.conf").is_file()
    loose = [path for path in tree.rglob("*") if path.stat().st_mode & 0o022]
    assert loose == []
    script = command(tree)
    assert strapline.__version__ in run(
        *("/usr/bin/python3", "-I", "-c", script, "--version"), cwd=tmp_path
    )
    folder = tmp_path / "data"
    demo = ("demo", "--headless", "--seconds", "3", "--data", str(folder))
    assert "lost" in run("/usr/bin/python3", "-I", "-c", script, *demo, cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_package_for_a_raspberry_pi_starts_on_its_processor(tmp_path: Path) -> None:
    tree = unpacked(built("arm64", tmp_path), tmp_path)
    lists = tmp_path / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (lists / folder).mkdir(parents=True)
    (lists / "status").touch()
    apt = (
        *("apt-get", "-qq", "-o", "APT::Architecture=arm64", "-o", "APT::Architectures=arm64"),
        *("-o", f"Dir::State={lists}/state", "-o", f"Dir::Cache={lists}/cache"),
        *("-o", f"Dir::State::status={lists}/status"),
    )
    run(*apt, "update", cwd=lists)
    run(*apt, "install", "--yes", "--no-install-recommends", "--download-only", *ARM, cwd=lists)
    pi = tmp_path / "pi"
    for archive in (lists / "cache/archives").glob("*.deb"):
        run("dpkg-deb", "--extract", archive, pi, cwd=lists)
    run("apt-get", "-qq", "download", "qemu-user-static", cwd=lists)
    (emulator,) = lists.glob("qemu-user-static_*.deb")
    run("dpkg-deb", "--extract", emulator, tmp_path / "qemu", cwd=lists)
    told = run(
        *(tmp_path / "qemu/usr/bin/qemu-aarch64-static", "-L", pi, pi / "usr/bin/python3.11"),
        *("-I", "-c", f"import platform\nprint(platform.machine())\n{command(tree)}", "--version"),
        cwd=tmp_path,
    )
    assert told == f"aarch64\nstrapline {strapline.__version__}\n"
