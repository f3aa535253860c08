"""Setting services up: in a machine below a folder, with commands that write down their words."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.installing import plan
from strapline.installing.files import shipped
from strapline.installing.machine import Machine
from strapline.installing.plan import check_root, install, uninstall
from strapline.installing.program import OPT, Source, copied
from strapline.installing.saying import set_up, take_away
from strapline.installing.service import Service
from strapline.installing.steps import Done, Step, carry_out, foreseen, link, remove, write_file

UNIT = "/etc/systemd/system/strapline-bridge.service"


class Box:
    """A machine for tests: its root, and what its commands were told."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self._calls = folder / "calls"
        self._calls.touch()
        for name in ("systemctl", "systemd-sysusers", "usermod"):
            self.command(name)
        (folder / "root").mkdir()
        self.machine = Machine(
            folder / "root", 0, {"PATH": f"{self.bin}:/usr/bin:/bin", **environment}
        )
        # Tests of the machine's own commands find these before the real ones.
        self.script = folder / "usr/bin/strapline"

    def command(self, name: str, *, then: str = "exit 0") -> None:
        file = self.bin / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._calls}\n{then}\n')
        file.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()

    def source(self, *, reachable: bool = True) -> Source:
        script = Path("/usr/bin/strapline") if reachable else Path("/root/.local/bin/strapline")
        package = script.parents[1] / "lib/strapline"
        return Source(
            script, package, (Path("/usr/lib/python3"),), Path("/usr/share"), checkout=False
        )


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    found = Box(tmp_path)
    monkeypatch.setenv("PATH", found.machine.environment["PATH"])
    return found


def done(steps: list[Step]) -> list[Done]:
    found: list[Done] = []
    carry_out(steps, found.append)
    return found


def test_a_bridge_is_set_up_and_started(box: Box) -> None:
    box.command("systemctl", then='test "$1" != is-active -a "$1" != is-enabled')
    done(install(box.machine, Service.BRIDGE, box.source()))
    unit = box.machine.path(UNIT)
    assert unit.read_text() == shipped("systemd/strapline-bridge.service")
    assert unit.stat().st_mode & 0o777 == 0o644
    settings = box.machine.path("/etc/strapline/bridge.toml").read_text()
    assert settings == shipped("config/bridge.toml")
    assert [call for call in box.calls if " is-" not in call] == [
        "systemd-sysusers /etc/sysusers.d/strapline.conf",
        "systemctl daemon-reload",
        "systemctl enable strapline-bridge.service",
        "systemctl restart strapline-bridge.service",
    ]


def test_done_again_nothing_changes_and_nothing_is_restarted(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(install(box.machine, Service.BRIDGE, box.source()))
    monkeypatch.setattr(plan, "_user_is_there", lambda: True)
    before = box.calls
    again = done(install(box.machine, Service.BRIDGE, box.source()))
    assert [step.told for step in again if step.changed] == []
    assert [call for call in box.calls[len(before) :] if " is-" not in call] == []


def test_a_unit_of_an_earlier_version_is_renewed_and_its_service_restarted(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(install(box.machine, Service.BRIDGE, box.source()))
    monkeypatch.setattr(plan, "_user_is_there", lambda: True)
    box.machine.path(UNIT).write_text("[Unit]\n")
    changed = [
        step.told
        for step in done(install(box.machine, Service.BRIDGE, box.source()))
        if step.changed
    ]
    assert changed == [
        f"write {UNIT}",
        "run systemctl daemon-reload",
        "run systemctl restart strapline-bridge.service",
    ]


def test_a_unit_that_a_package_brought_is_not_written_again(box: Box) -> None:
    packaged = box.machine.path("/lib/systemd/system/strapline-bridge.service")
    packaged.parent.mkdir(parents=True)
    packaged.write_text(shipped("systemd/strapline-bridge.service"))
    done(install(box.machine, Service.BRIDGE, box.source()))
    assert not box.machine.path(UNIT).exists()
    packaged.write_text("[Unit]\n# another version's\n")
    done(install(box.machine, Service.BRIDGE, box.source()))
    assert box.machine.path(UNIT).exists()


def test_settings_that_are_there_are_their_owners(box: Box) -> None:
    own = box.machine.path("/etc/strapline/bridge.toml")
    own.parent.mkdir(parents=True)
    own.write_text("# mine\n")
    done(install(box.machine, Service.BRIDGE, box.source()))
    assert own.read_text() == "# mine\n"


def test_who_asked_by_sudo_joins_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(tmp_path, SUDO_USER="maren")
    done(install(box.machine, Service.BRIDGE, box.source()))
    assert "usermod --append --groups strapline maren" in box.calls


def test_a_program_below_a_home_is_copied_and_the_unit_starts_the_copy(box: Box) -> None:
    steps = install(box.machine, Service.SERVER, box.source(reachable=False))
    assert steps[0].told.startswith("copy this installation")
    done(steps[2:])
    unit = box.machine.path("/etc/systemd/system/strapline-server.service").read_text()
    assert "ExecStart=/opt/strapline/bin/strapline server run" in unit


def test_the_copy_runs_by_itself(box: Box, tmp_path: Path) -> None:
    packages = tmp_path / "home/lib/site-packages"
    (packages / "strapline").mkdir(parents=True)
    (packages / "strapline/__init__.py").write_text("")
    (packages / "strapline/entry.py").write_text(
        "def main():\n    import sys\n    print('runs', *sys.argv[1:])\n    return 3\n"
    )
    source = Source(
        script=tmp_path / "home/bin/strapline",
        package=packages / "strapline",
        packages=(packages,),
        share=tmp_path / "none",
        checkout=False,
    )
    step = copied(box.machine, source, sys.executable)
    assert not step.is_done()
    step.do()
    assert step.is_done()
    # Its first line names the place that it has on a real machine.
    script = box.machine.path(f"{OPT}/bin/strapline")
    assert script.read_text().splitlines()[0] == f"#!{OPT}/bin/python3"
    python = box.machine.path(f"{OPT}/bin/python3")
    answer = subprocess.run(
        [python, script, "server"], capture_output=True, text=True, check=False, env={}
    )
    assert (answer.returncode, answer.stdout) == (3, "runs server\n")


@pytest.mark.parametrize(
    ("python", "told"),
    [("/no/python3", "apt-get install python3-venv"), ("/bin/false", "python3-venv")],
)
def test_a_python_that_cannot_carry_the_copy_is_told_with_the_remedy(
    box: Box, python: str, told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        copied(box.machine, box.source(reachable=False), python).do()


def test_a_python_of_another_version_is_told(box: Box) -> None:
    other = box.bin / "python9"
    other.write_text("#!/bin/sh\necho 3 9\n")
    other.chmod(0o755)
    with pytest.raises(CommandError, match=r"python9 is 3\.9.*pipx install"):
        copied(box.machine, box.source(reachable=False), str(other)).do()


def test_a_checkout_is_no_place_to_run_a_service_from(box: Box) -> None:
    checkout = Source(Path("/srv/s"), Path("/srv"), (), Path("/none"), checkout=True)
    assert not checkout.reachable
    with pytest.raises(CommandError, match=r"checkout.*uv build --wheel"):
        copied(box.machine, checkout).do()
    assert Source.here().checkout


def test_taken_away_it_leaves_settings_and_data(box: Box) -> None:
    done(install(box.machine, Service.BRIDGE, box.source()))
    state = box.machine.path("/var/lib/strapline-bridge")
    state.mkdir(parents=True)
    done(uninstall(box.machine, Service.BRIDGE, purge=False))
    left = sorted(
        str(path.relative_to(box.machine.root))
        for path in box.machine.root.rglob("*")
        if path.is_file() or path == state
    )
    assert left == ["etc/strapline/bridge.toml", "var/lib/strapline-bridge"]
    assert "systemctl disable --now strapline-bridge.service" in box.calls


def test_the_program_stays_for_the_other_service(box: Box) -> None:
    opt = box.machine.path(OPT)
    opt.mkdir(parents=True)
    for service in Service:
        done(install(box.machine, service, box.source()))
    done(uninstall(box.machine, Service.SERVER, purge=False))
    assert opt.is_dir()
    done(uninstall(box.machine, Service.BRIDGE, purge=False))
    assert not opt.exists()


def test_purged_nothing_is_left_but_the_user(box: Box) -> None:
    for service in Service:
        done(install(box.machine, service, box.source()))
    for folder in ("strapline-bridge", "strapline/server"):
        box.machine.path(f"/var/lib/{folder}").mkdir(parents=True)
    for service in Service:
        done(uninstall(box.machine, service, purge=True))
    assert [path for path in box.machine.root.rglob("*") if path.is_file()] == []
    assert not box.machine.path("/var/lib/strapline-bridge").exists()
    assert not box.machine.path("/var/lib/strapline/server").exists()


def test_what_is_foreseen_is_what_is_done(box: Box) -> None:
    expected = foreseen(install(box.machine, Service.BRIDGE, box.source()))
    assert done(install(box.machine, Service.BRIDGE, box.source())) == expected


def test_a_dry_run_changes_nothing_and_needs_no_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box(tmp_path)
    machine = Machine(box.machine.root, 1_000, box.machine.environment)
    set_up(machine, Service.BRIDGE, box.source(), dry_run=True)
    take_away(machine, Service.BRIDGE, box.source(), dry_run=True, purge=True, sure=False)
    assert list(box.machine.root.rglob("*")) == []
    assert "write /etc/systemd/system/strapline-bridge.service" in capsys.readouterr().out


def test_without_root_the_command_that_has_it_is_told(box: Box) -> None:
    machine = Machine(box.machine.root, 1_000, box.machine.environment)
    with pytest.raises(CommandError, match="sudo /usr/bin/strapline bridge install"):
        set_up(machine, Service.BRIDGE, box.source(), dry_run=False)


def test_without_systemd_the_other_way_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 0, {"PATH": str(tmp_path)})
    with pytest.raises(CommandError, match="strapline up"):
        check_root(machine, "")


def test_what_a_command_says_is_the_error(box: Box) -> None:
    box.command("systemctl", then="echo Unit is masked >&2; exit 1")
    with pytest.raises(CommandError, match=r"Unit is masked.*same command again"):
        done(install(box.machine, Service.BRIDGE, box.source()))


def test_data_goes_only_when_somebody_says_so(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = box.machine.path("/var/lib/strapline-bridge/outbox.db")
    data.parent.mkdir(parents=True)
    data.touch()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="--yes"):
        take_away(box.machine, Service.BRIDGE, box.source(), dry_run=False, purge=True, sure=False)
    assert data.exists()
    take_away(box.machine, Service.BRIDGE, box.source(), dry_run=False, purge=True, sure=True)
    assert not data.exists()
    assert "all that it kept" in capsys.readouterr().out


@pytest.mark.parametrize("make", [write_file, link], ids=["file", "link"])
def test_a_disk_that_refuses_is_told_with_the_remedy(
    tmp_path: Path, make: Callable[[Machine, str, str], Step]
) -> None:
    (tmp_path / "etc").write_text("a file where a folder should be")
    with pytest.raises(CommandError, match="sudo"):
        make(Machine(tmp_path, 0, {}), "/etc/x/y", "z").do()


def test_another_programs_file_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "strapline").touch()
    with pytest.raises(CommandError, match="somebody else's"):
        link(Machine(tmp_path, 0, {}), "/strapline", "/opt/strapline/bin/strapline").do()


def test_what_is_not_there_need_not_be_removed(tmp_path: Path) -> None:
    assert remove(Machine(tmp_path, 0, {}), "/nothing").is_done()


def test_what_did_not_come_with_the_program_is_told() -> None:
    with pytest.raises(CommandError, match=r"config/none\.toml is missing"):
        shipped("config/none.toml")
