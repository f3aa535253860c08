"""Builds the Debian package: `./run package` for this machine, `./run package arm64` for a Pi.

Everything that it needs beside Debian's own Python is in it, in the versions of
``requirements/run.txt``, so that it installs without a network. Packages with compiled parts are
for one version of Python: 3.11 is that of Debian 12, 3.13 that of Debian 13.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).resolve().parent
#: What uv calls the platforms that Debian runs on.
PLATFORMS: Final = {
    "amd64": "x86_64-manylinux_2_36",
    "arm64": "aarch64-manylinux_2_36",
}
RELEASES: Final = {"3.11": "bookworm", "3.13": "trixie"}
_PACKAGES: Final = Path("usr/lib/strapline")
_ENTRY: Final = """\
#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/usr/lib/strapline")

from strapline.entry import main  # noqa: E402  # found by the line above

sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What a package is for.

    Attributes:
        architecture: as dpkg calls it.
        python: major and minor version.
    """

    architecture: str
    python: str

    @property
    def file_name(self) -> str:
        """Of the package."""
        return f"strapline_{version()}+{RELEASES[self.python]}_{self.architecture}.deb"


def version() -> str:
    """Of the program, from its one place."""
    found: dict[str, str] = {}
    exec((ROOT / "cli/strapline/__init__.py").read_text("utf-8"), found)  # noqa: S102  # our own file
    return found["__version__"]


def build(target: Target, folder: Path) -> Path:
    """Build the package; where it is.

    Raises:
        SystemExit: a tool is missing or failed; what it said was printed.
    """
    if shutil.which("dpkg-deb") is None:
        sys.exit("package: dpkg-deb is missing; it is part of Debian (apt-get install dpkg)")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="strapline-deb-") as scratch:
        tree = Path(scratch, "tree")
        wheels = Path(scratch, "wheels")
        _run("uv", "build", "--quiet", "--wheel", "--out-dir", wheels, ROOT)
        (wheel,) = wheels.glob("*.whl")
        _install(target, wheel, tree / _PACKAGES)
        _arrange(tree)
        _control(target, tree)
        made = folder / target.file_name
        _normalise(tree)
        _run("dpkg-deb", "--root-owner-group", "--build", tree, made)
    return made


def _install(target: Target, wheel: Path, packages: Path) -> None:
    install = (
        *("uv", "pip", "install", "--quiet", "--target", packages, "--only-binary", ":all:"),
        *("--python-version", target.python, "--python-platform", PLATFORMS[target.architecture]),
    )
    requirements = ROOT / "requirements/run.txt"
    _run(*install, "--require-hashes", "--requirement", requirements)
    _run(*install, "--no-deps", wheel)
    # Commands of the libraries are nobody's business here, ours is written below.
    shutil.rmtree(packages / "bin", ignore_errors=True)
    (packages / ".lock").unlink(missing_ok=True)
    for cache in list(packages.rglob("__pycache__")):
        shutil.rmtree(cache)


def _arrange(tree: Path) -> None:
    """Command, units, settings and users at the places where Debian looks for them."""
    packages = tree / _PACKAGES
    shutil.rmtree(packages / "share", ignore_errors=True)
    shutil.copytree(ROOT / "config", tree / "usr/share/strapline/config")
    shutil.copytree(
        ROOT / "systemd",
        tree / "usr/share/strapline/systemd",
        ignore=shutil.ignore_patterns("debian"),
    )
    shutil.copytree(ROOT / "config", tree / "etc/strapline")
    units = tree / "lib/systemd/system"
    units.mkdir(parents=True)
    for unit in (ROOT / "systemd").glob("*.service"):
        shutil.copy(unit, units)
    users = tree / "usr/lib/sysusers.d"
    users.mkdir(parents=True)
    shutil.copy(ROOT / "systemd/sysusers.d/strapline.conf", users)
    command = tree / "usr/bin/strapline"
    command.parent.mkdir(parents=True)
    command.write_text(_ENTRY, "utf-8")
    command.chmod(0o755)
    notes = tree / "usr/share/doc/strapline"
    notes.mkdir(parents=True)
    shutil.copy(ROOT / "LICENSE", notes / "copyright")


def _control(target: Target, tree: Path) -> None:
    control = tree / "DEBIAN"
    control.mkdir()
    kib = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1_024
    major, minor = target.python.split(".")
    said = {
        "version": f"{version()}+{RELEASES[target.python]}",
        "architecture": target.architecture,
        "kib": str(kib),
        "python": target.python,
        "next_python": f"{major}.{int(minor) + 1}",
    }
    for name in ("control", "conffiles", "postinst", "prerm", "postrm"):
        text = Template((HERE / name).read_text("utf-8")).substitute(said)
        place = control / name
        place.write_text(text, "utf-8")
        if name not in {"control", "conffiles"}:
            place.chmod(0o755)


def _normalise(tree: Path) -> None:
    """Readable by all, writable by root alone, whatever the umask here is."""
    for path in (tree, *tree.rglob("*")):
        if path.is_symlink():
            continue
        runs = path.is_dir() or bool(path.stat().st_mode & stat.S_IXUSR)
        path.chmod(0o755 if runs else 0o644)


def _run(*command: str | Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, env={**os.environ, "PATH": path})
    if done.returncode:
        sys.exit(f"package: `{words[0]} {words[1]}` failed (above)")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./run package", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("architecture", nargs="?", choices=sorted(PLATFORMS))
    parser.add_argument("--python", choices=sorted(RELEASES), default="3.11")
    parser.add_argument("--to", type=Path, default=ROOT / "dist", metavar="FOLDER")
    asked = parser.parse_args()
    architecture = asked.architecture
    if architecture is None:
        asking = ["dpkg", "--print-architecture"]
        told = subprocess.run(asking, capture_output=True, text=True, check=True)
        architecture = told.stdout.strip()
        if architecture not in PLATFORMS:
            sys.exit(f"package: there is none for {architecture}; say amd64 or arm64")
    print(build(Target(architecture, asked.python), asked.to))  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
