"""A disk whose power can be cut: from that moment on it takes every write and keeps none.

ext4 on a device-mapper target over a loop device (dm-flakey, ``drop_writes``). While the target is
suspended no write reaches the disk and none is confirmed, so that moment is exact: what a program
had been told is durable by then was on the disk, and all that it is told later is a lie.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

_NAME: Final = "powercut"
_DEVICE: Final = f"/dev/mapper/{_NAME}"
_SIZE: Final = 96 * 2**20
_SECTOR: Final = 512
#: Up for none and down for all of this, s: longer than a guest lives.
_DOWN: Final = "0 100000 1 drop_writes"


class Disk:
    """One disk, mounted at ``folder`` whenever nothing else is said."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image = image
        self.folder = folder
        self._loop = ""

    def make(self) -> None:
        """Format and mount it."""
        for module in ("loop", "dm-flakey"):
            _run("modprobe", module)
        with self._image.open("wb") as file:
            file.truncate(_SIZE)
        self._loop = _run("losetup", "--find", "--show", self._image).strip()
        _run("mke2fs", "-q", "-t", "ext4", self._loop)
        self.folder.mkdir(parents=True)
        self._plug_in()

    def cut(self, at_that_moment: Callable[[], int]) -> int:
        """Cut the power; what ``at_that_moment`` says, called when nothing is written any more."""
        _run("dmsetup", "suspend", "--nolockfs", "--noflush", _NAME)
        said = at_that_moment()
        _run("dmsetup", "load", _NAME, "--table", self._table("flakey", f" {_DOWN}"))
        _run("dmsetup", "resume", _NAME)
        return said

    def restore(self) -> None:
        """Plug it in again; nobody may have a file open. What memory held of it is gone."""
        _run("umount", self.folder)
        _run("dmsetup", "remove", _NAME)
        self._plug_in()

    def _plug_in(self) -> None:
        _run("dmsetup", "create", _NAME, "--table", self._table("linear"))
        # Nobody else makes the name here: no udev runs.
        _run("dmsetup", "mknodes", _NAME)
        _run("mount", _DEVICE, self.folder)

    def _table(self, target: str, options: str = "") -> str:
        return f"0 {_SIZE // _SECTOR} {target} {self._loop} 0{options}"


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}"
    return done.stdout
