"""What setting up and taking away comes to, as steps in order."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from typing import Final

from strapline.errors import CommandError
from strapline.installing.files import shipped
from strapline.installing.machine import Machine
from strapline.installing.program import OPT, PROGRAM, Source, copied
from strapline.installing.service import Service
from strapline.installing.steps import Step, command, link, remove, write_file

USER: Final = "strapline"
_UNIT_PROGRAM: Final = "/usr/bin/strapline"
_LINK: Final = "/usr/local/bin/strapline"
_SYSUSERS: Final = "/etc/sysusers.d/strapline.conf"


def install(machine: Machine, service: Service, source: Source) -> list[Step]:
    """User, settings and unit, and the program where a unit can start it; then started.

    Done again it changes what is no longer as it should be, and restarts what runs.
    """
    steps: list[Step] = []
    program = str(source.script)
    if not source.reachable:
        program = PROGRAM
        steps += [copied(machine, source), link(machine, _LINK, PROGRAM)]
    text = shipped(f"systemd/{service.unit}")
    unit = text.replace(f"ExecStart={_UNIT_PROGRAM} ", f"ExecStart={program} ")
    steps += [
        write_file(machine, _SYSUSERS, shipped("systemd/sysusers.d/strapline.conf")),
        command(machine, "systemd-sysusers", _SYSUSERS, done=_user_is_there),
        *_join(machine),
        write_file(machine, service.settings, shipped(f"config/{service}.toml"), keep=True),
        # A package of the distribution's kind has brought the same one along.
        *(
            []
            if _is_packaged(machine, service, unit)
            else [write_file(machine, service.unit_path, unit)]
        ),
        _reload(machine),
        command(
            machine,
            *("systemctl", "enable", service.unit),
            done=lambda: machine.asks("systemctl", "is-enabled", "--quiet", service.unit),
        ),
        # What runs already takes up what has changed.
        command(
            machine,
            *("systemctl", "restart", service.unit),
            done=lambda: machine.asks("systemctl", "is-active", "--quiet", service.unit),
            follows=True,
        ),
    ]
    return steps


def uninstall(machine: Machine, service: Service, *, purge: bool) -> list[Step]:
    """All that :func:`install` did; settings and data only with ``purge``."""
    steps = [
        command(
            machine,
            *("systemctl", "disable", "--now", service.unit),
            done=lambda: not machine.path(service.unit_path).exists(),
        ),
        remove(machine, service.unit_path),
        _reload(machine),
    ]
    last = not machine.path(service.other.unit_path).exists()
    if last:
        steps += [
            remove(machine, OPT),
            _remove_link(machine),
            remove(machine, _SYSUSERS, why="the user itself stays, since files may be its own"),
        ]
    if purge:
        steps.append(remove(machine, service.settings))
        if service is Service.SERVER:
            # The user's home is the folder above, which stays with the user.
            steps.append(remove(machine, f"{service.state}/server"))
        else:
            steps.append(remove(machine, service.state))
    return steps


def check_root(machine: Machine, retry: str) -> None:
    """Refuse to begin what would fail half way.

    Raises:
        CommandError: this is not root, with the command that is.
    """
    if machine.uid != 0:
        raise CommandError(f"This changes the machine and needs root. Run: {retry}")
    if not machine.has("systemctl"):
        raise CommandError(
            "There is no systemctl here: services are set up on a machine with systemd. Without "
            "it, run `strapline up`, or `strapline bridge run` and `strapline server run` by hand."
        )


def _is_packaged(machine: Machine, service: Service, unit: str) -> bool:
    place = machine.path(f"/lib/systemd/system/{service.unit}")
    return place.is_file() and place.read_text("utf-8", errors="replace") == unit


def _reload(machine: Machine) -> Step:
    return command(machine, "systemctl", "daemon-reload", done=lambda: True, follows=True)


def _user_is_there() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def _join(machine: Machine) -> list[Step]:
    """Who asked may speak with the bridge's control socket, from their next login on."""
    name = machine.asked_by
    if name is None:
        return []

    def is_member() -> bool:
        try:
            return name in grp.getgrnam(USER).gr_mem
        except KeyError:
            return False

    return [command(machine, "usermod", "--append", "--groups", USER, name, done=is_member)]


def _remove_link(machine: Machine) -> Step:
    place = machine.path(_LINK)
    step = remove(machine, _LINK)

    def is_done() -> bool:
        return not (place.is_symlink() and place.readlink() == Path(PROGRAM))

    return Step(step.told, is_done, step.do)
