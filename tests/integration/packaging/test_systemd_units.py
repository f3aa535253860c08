"""The systemd units are what systemd accepts, and start what is installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[3] / "systemd"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with the units installed, the program, and the targets that they name."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for name in ("basic", "multi-user", "network-online", "shutdown", "sysinit"):
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    for name in ("bluetooth", "dbus"):
        (units / f"{name}.service").write_text("[Service]\nExecStart=/usr/bin/strapline\n")
    for name in ("usr/bin/strapline", "bin/kill"):
        program = tmp_path / name
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return tmp_path


def verify(root: Path, unit: Path) -> subprocess.CompletedProcess[str]:
    installed = Path(shutil.copy(unit, root / "etc/systemd/system"))
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--root={root}", installed.name],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["bridge", "server"])
def test_systemd_accepts_the_unit(root: Path, name: str) -> None:
    result = verify(root, UNITS / f"strapline-{name}.service")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["bridge", "server"])
def test_the_check_sees_a_misspelt_setting(root: Path, tmp_path: Path, name: str) -> None:
    text = (UNITS / f"strapline-{name}.service").read_text()
    broken = tmp_path / f"strapline-{name}.service"
    broken.write_text(text.replace("ProtectHome", "ProtectHomes"))
    assert "ProtectHomes" in verify(root, broken).stderr


@pytest.mark.parametrize("name", ["bridge", "server"])
def test_the_unit_gives_little_away(name: str) -> None:
    result = subprocess.run(
        [
            *("systemd-analyze", "security", "--offline=true", "--threshold=15"),
            UNITS / f"strapline-{name}.service",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["bridge", "server"])
def test_the_unit_starts_the_installed_command_with_its_configuration(name: str) -> None:
    lines = (UNITS / f"strapline-{name}.service").read_text().splitlines()
    started = [line for line in lines if line.startswith("ExecStart=")]
    assert started == [
        f"ExecStart=/usr/bin/strapline {name} run --config /etc/strapline/{name}.toml"
    ]
    assert (UNITS.parent / f"config/{name}.toml").is_file()


@pytest.mark.parametrize("name", ["bridge", "server"])
def test_the_unit_makes_the_folder_that_the_configuration_names(name: str) -> None:
    unit = (UNITS / f"strapline-{name}.service").read_text()
    (folder,) = re.findall(r"(?m)^StateDirectory=(.+)$", unit)
    settings = (UNITS.parent / f"config/{name}.toml").read_text()
    assert re.findall(r"(?m)^#? ?state_\w+ = \"(.+)\"$", settings) == [f"/var/lib/{folder}"]


def test_systemd_accepts_the_user(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(UNITS / "sysusers.d/strapline.conf")],
        check=True,
    )
    assert "strapline:x:" in (tmp_path / "etc/passwd").read_text()
