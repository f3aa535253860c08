"""The guest's disk: Debian 12 with BlueZ and our locked requirements; built once, then kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uv

HERE: Final = Path(__file__).parent
ROOTFS: Final = HERE / "rootfs"
ROOT: Final = HERE.parents[2]
REQUIREMENTS: Final = ROOT / "requirements/run.txt"
INSTALLER: Final = ROOT / "requirements/installer.txt"

#: The cloud kernel, which is smaller, has no hci_vhci. There is a process 1 of our own: an emulated
#: machine takes longer to start systemd than all that is of interest here.
PACKAGES: Final = (
    "bluez",
    "dbus",
    "dmsetup",
    "initramfs-tools",
    "iproute2",
    "kmod",
    "linux-image-amd64",
    "python3",
    "python3-venv",
)
#: What a guest without devices never reads: half of the kernel's modules, what waits for devices
#: at boot, and all that is for people.
LEFT_OUT: Final = (
    "/lib/modules/*/kernel/drivers/gpu/*",
    "/lib/modules/*/kernel/drivers/infiniband/*",
    "/lib/modules/*/kernel/drivers/media/*",
    "/lib/modules/*/kernel/drivers/net/ethernet/*",
    "/lib/modules/*/kernel/drivers/net/wireless/*",
    "/lib/modules/*/kernel/drivers/scsi/*",
    "/lib/modules/*/kernel/drivers/staging/*",
    "/lib/modules/*/kernel/sound/*",
    "/usr/share/doc/*",
    "/usr/share/initramfs-tools/hooks/udev",
    "/usr/share/initramfs-tools/scripts/init-bottom/udev",
    "/usr/share/initramfs-tools/scripts/init-top/udev",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)
#: Every program that building and booting takes, and Debian's packages that bring it.
PROGRAMS: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "setpriv": "util-linux",
}
VENV: Final = "/opt/venv"
DISK_SIZE: Final = "2G"
KEPT_UNUSED_S: Final = 86_400


class GuestError(Exception):
    """There can be no guest here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Image:
    """What QEMU boots."""

    kernel: Path
    initrd: Path
    disk: Path

    @classmethod
    def of(cls, folder: Path) -> Image:
        return cls(folder / "vmlinuz", folder / "initrd.img", folder / "disk.ext4")


def provide() -> Image:
    """The image of this very recipe, built now if it is not in the cache.

    Raises:
        GuestError: a program is missing, or this is not root on an amd64 machine.
    """
    check_machine()
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / recipe_hash()
    with locked(cache):
        if not folder.is_dir():
            remove_unused(cache)
            build(folder)
        os.utime(folder)
    return Image.of(folder)


def check_machine() -> None:
    """Return if a guest can be built and booted here.

    Raises:
        GuestError: it cannot; the message names everything that is missing.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        packages = " ".join(PROGRAMS[name] for name in missing)
        raise GuestError(
            f"the guest needs {', '.join(missing)}, not on the PATH "
            f"(on Debian, as root: apt-get install --no-install-recommends {packages})"
        )
    if platform.machine() != "x86_64":
        raise GuestError(
            f"the guest is an amd64 Debian, and this machine is {platform.machine()}: run it there"
        )
    if os.geteuid() != 0:
        raise GuestError("a Debian's files belong to several users: build the guest as root")


def cache_folder() -> Path:
    """Outside of the checkout (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "strapline-guest"


def recipe_hash() -> str:
    """Over all that decides what is in the image."""
    digest = hashlib.sha256()
    files = [path for path in ROOTFS.rglob("*") if path.is_file()]
    for path in [Path(__file__), REQUIREMENTS, INSTALLER, *sorted(files)]:
        name, content = path.relative_to(ROOT).as_posix().encode(), path.read_bytes()
        digest.update(b"%b %d %b" % (name, len(content), content))
    return digest.hexdigest()[:16]


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """One build at a time; the others wait for it."""
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_unused(cache: Path) -> None:
    """Other recipes' images and interrupted builds, unless another checkout may be at them."""
    for old in cache.iterdir():
        if old.is_dir() and time.time() - old.stat().st_mtime > KEPT_UNUSED_S:
            shutil.rmtree(old)


def build(folder: Path) -> None:
    """Make the image and put it there, whole or not at all."""
    with tempfile.TemporaryDirectory(prefix="building-", dir=folder.parent) as scratch:
        root, result = Path(scratch, "root"), Path(scratch, "result")
        result.mkdir()
        bootstrap(root)
        install_requirements(root)
        image = Image.of(result)
        (kernel,) = root.glob("boot/vmlinuz-*")
        (initrd,) = root.glob("boot/initrd.img-*")
        shutil.copy(kernel, image.kernel)
        shutil.copy(initrd, image.initrd)
        # Each run works on a snapshot of it, so it needs no journal.
        make = ("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root)
        run(*make, image.disk, DISK_SIZE)
        result.rename(folder)


def bootstrap(root: Path) -> None:
    """A minimal Debian 12, from the mirrors that Debian names."""
    run(
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        "--format=directory",
        f"--include={','.join(PACKAGES)}",
        "--aptopt=Acquire::Languages none",
        "--aptopt=APT::Install-Recommends false",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        # Owners and modes as in a Debian, whatever they are in the checkout.
        f"--essential-hook=cd {shlex.quote(str(ROOTFS))} && "
        'find . -type f -exec install -D -m 755 {} "$1/{}" ";"',
        "bookworm",
        root,
    )


def install_requirements(root: Path) -> None:
    """A virtual environment with everything that strapline needs, and an installer for the rest."""
    run("chroot", root, "python3", "-m", "venv", "--without-pip", VENV)
    run(
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config"),
        *("--target", f"{root}{VENV}/lib/python3.11/site-packages"),
        *("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28"),
        *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--link-mode", "copy"),
        *("--requirement", REQUIREMENTS),
    )
    run("chroot", root, f"{VENV}/bin/python", "-m", "compileall", "-q", VENV)
    # uv starts many times faster than pip on an emulated machine.
    shutil.copy(uv.find_uv_bin(), root / "usr/local/bin/uv")


def run(*command: str | Path) -> None:
    """A program that must succeed.

    Raises:
        GuestError: with all that it said.
    """
    arguments: Sequence[str] = [str(part) for part in command]
    done = subprocess.run(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode != 0:
        raise GuestError(f"building the guest failed at {' '.join(arguments)}:\n{done.stdout}")
