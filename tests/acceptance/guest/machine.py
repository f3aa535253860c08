"""Boots the guest under QEMU's software emulation and waits until it has switched itself off."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.acceptance.guest.image import Image

#: Boot and scenario take a minute on an idle machine; this is for one that others use too.
LIMIT_S: Final = 300.0
#: Devices are named one by one: without a network card, nothing reaches the guest or leaves it. A
#: processor of an older kind, since the newer ones' wide instructions are slow to emulate.
MACHINE: Final = (
    *("-M", "q35", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "Nehalem", "-smp", "2"),
    *("-m", "768", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
    *("-device", "virtio-rng-pci"),
)
KERNEL_ARGUMENTS: Final = (
    "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off nokaslr "
    "random.trust_cpu=on no_timer_check init=/usr/local/sbin/run-scenario"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a guest ended.

    Attributes:
        status: of the share's ``start``; None when the guest never came to its end.
        said: by the kernel, then by ``start``.
    """

    status: int | None
    said: str


def run_guest(image: Image, share: Path, limit_s: float = LIMIT_S) -> Ended:
    """Boot, let the guest run ``start`` in its share, and wait for its end.

    Args:
        image: its disk is not changed.
        share: the guest's only way in and out; it writes into ``share/out``.
        limit_s: then the guest is killed.
    """
    out = share / "out"
    console, started, status = out / "console.txt", out / "start.txt", out / "status"
    drive = f"file={image.disk},if=virtio,format=raw,snapshot=on,cache=unsafe"
    shared = f"local,path={share},mount_tag=share,security_model=none,id=share"
    # The guest dies with this process, however that ends.
    guest = subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", *MACHINE),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
            *("-append", KERNEL_ARGUMENTS, "-drive", drive, "-virtfs", shared),
            *("-serial", f"file:{console}"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    complaints = ""
    try:
        _, complaints = guest.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        complaints = f"the guest was still running after {limit_s:.0f} s"
    finally:
        guest.kill()
        guest.wait()
    said = [path.read_text(errors="replace") for path in (console, started) if path.exists()]
    code = int(status.read_text()) if status.exists() else None
    return Ended(code, "\n".join([*said, complaints]))
