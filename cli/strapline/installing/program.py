"""Where the program is that a unit can start, and how it gets there.

A unit sees no home (``ProtectHome=``), and homes come and go with their owners. So a program that
was installed below one, as pipx and uv do, is copied to /opt/strapline: the very same packages,
without a network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strapline import __version__
from strapline.errors import CommandError
from strapline.installing.machine import Machine
from strapline.installing.steps import Step

#: Where a copy goes.
OPT: Final = "/opt/strapline"
PROGRAM: Final = f"{OPT}/bin/strapline"
#: Says which version a copy is of, once it is whole.
_STAMP: Final = "strapline-version"
_HOMES: Final = (Path("/home"), Path("/root"))
_ENTRY: Final = """\
#!{python}
import sys

from strapline.entry import main

sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Source:
    """This installation.

    Attributes:
        script: the command as it was found.
        package: this very package's folder.
        packages: the folders with all packages.
        share: the folder with its units and settings, where it has one.
        checkout: it is one, whose code stands outside of its packages.
    """

    script: Path
    package: Path
    packages: tuple[Path, ...]
    share: Path
    checkout: bool

    @classmethod
    def here(cls) -> Source:
        """As this process runs."""
        paths = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        packages = tuple(Path(path) for path in paths)
        return cls(
            script=Path(sys.argv[0]).resolve(),
            package=Path(__file__).parents[1],
            packages=packages,
            share=Path(sysconfig.get_path("data")) / "share/strapline",
            checkout=(Path(__file__).parents[3] / "pyproject.toml").is_file(),
        )

    @property
    def reachable(self) -> bool:
        """Whether a unit can start it as it is."""
        return not self.checkout and not any(
            path.is_relative_to(home)
            for path in (self.script, self.package, *self.packages)
            for home in (*_HOMES, Path.home())
        )


def copied(machine: Machine, source: Source, python: str = "/usr/bin/python3") -> Step:
    """Copy this installation to /opt/strapline, for a Python that a unit can start.

    Args:
        machine: where.
        source: what is copied.
        python: the system's, of the same version as this one.
    """
    target = machine.path(OPT)
    stamp = target / _STAMP

    def is_done() -> bool:
        return stamp.is_file() and stamp.read_text("utf-8") == __version__

    def do() -> None:
        if source.checkout:
            raise CommandError(
                "This is a checkout, which a service cannot run from. Build a wheel "
                "(`.venv/bin/uv build --wheel`), install it with pipx or into a venv, and run "
                "that one's `strapline` here."
            )
        _check(python)
        aside = target.with_name(f"{target.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        machine.run([python, "-m", "venv", "--without-pip", str(aside)])
        _fill(aside, source, f"{OPT}/bin/python3")
        (aside / _STAMP).write_text(__version__, "utf-8")
        old = target.with_name(f"{target.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        aside.rename(target)
        shutil.rmtree(old, ignore_errors=True)

    return Step(f"copy this installation ({__version__}) to {OPT}", is_done, do)


def _check(python: str) -> None:
    """Compiled packages run in the Python version that they were installed for."""
    ours = sys.version_info[:2]
    asked = "import sys, venv; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CommandError(
            f"{python} with the module venv is needed for a copy in {OPT}. Install it: "
            "apt-get install python3-venv"
        ) from error
    found: Sequence[int] = [int(word) for word in answer.stdout.split()]
    if tuple(found) != ours:
        raise CommandError(
            f"this installation is for Python {ours[0]}.{ours[1]}, and {python} is "
            f"{found[0]}.{found[1]}: its packages would not run there. Install it for the system's "
            f"own (`pipx install --python {python} strapline`), and run that one's `strapline`."
        )


def _fill(folder: Path, source: Source, python: str) -> None:
    (packages,) = folder.glob("lib/python3*/site-packages")
    for origin in source.packages:
        shutil.copytree(
            origin,
            packages,
            symlinks=True,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    if source.share.is_dir():
        shutil.copytree(source.share, folder / "share/strapline", dirs_exist_ok=True)
    script = folder / "bin/strapline"
    script.write_text(_ENTRY.format(python=python), "utf-8")
    script.chmod(0o755)
