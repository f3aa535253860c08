"""`install` and `uninstall` at the terminal: each step as it is done, and what comes next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text

from strapline.errors import CommandError
from strapline.installing.machine import Machine
from strapline.installing.plan import check_root, install, uninstall
from strapline.installing.program import Source
from strapline.installing.service import Service
from strapline.installing.steps import Done, Step, carry_out, foreseen
from strapline.terminal import make_console


def set_up(machine: Machine, service: Service, source: Source, *, dry_run: bool) -> None:
    """Install a service, or say what that would do.

    Raises:
        CommandError: this is not root, or a step failed.
    """
    console = make_console()
    steps = install(machine, service, source)
    if dry_run:
        _foretell(console, steps)
        return
    check_root(machine, _with_sudo(source, service, "install"))
    carry_out(steps, lambda done: _tell(console, done))
    console.print()
    console.print(Text(f"{service.unit} runs, and starts with the machine.", style="bold"))
    for line in _next(service):
        console.print(line)


def take_away(
    machine: Machine, service: Service, source: Source, *, dry_run: bool, purge: bool, sure: bool
) -> None:
    """Uninstall a service, or say what that would do.

    Raises:
        CommandError: this is not root, a step failed, or nobody said that data may go.
    """
    console = make_console()
    steps = uninstall(machine, service, purge=purge)
    if dry_run:
        _foretell(console, steps)
        return
    check_root(machine, _with_sudo(source, service, "uninstall", *(["--purge"] if purge else [])))
    if purge and not sure:
        _ask(console, service)
    carry_out(steps, lambda done: _tell(console, done))
    console.print()
    if purge:
        console.print(f"{service.unit} is gone, and all that it kept.")
    else:
        console.print(
            f"{service.unit} is gone. Settings and data stay: {service.settings}, {service.state}."
        )


def _with_sudo(source: Source, service: Service, *words: str) -> str:
    return shlex.join(["sudo", str(source.script), service, *words])


def _ask(console: Console, service: Service) -> None:
    if not sys.stdin.isatty():
        raise CommandError(
            f"--purge deletes {service.state} with all readings in it. Say --yes where nobody can "
            "be asked."
        )
    if not Confirm.ask(
        f"Delete {service.state} with all readings in it?", console=console, default=False
    ):
        raise CommandError("Nothing was changed.")


def _foretell(console: Console, steps: Sequence[Step]) -> None:
    for done in foreseen(steps):
        mark = Text("  ○ " if done.changed else "  ✓ ", style="" if done.changed else "dim")
        console.print(mark + Text(done.told if done.changed else f"{done.told} (done already)"))


def _tell(console: Console, done: Done) -> None:
    style = "green" if done.changed else "dim"
    text = done.told if done.changed else f"{done.told} (done already)"
    console.print(Text("  ✓ ", style=style) + Text(text, style="" if done.changed else "dim"))


def _next(service: Service) -> list[str]:
    if service is Service.SERVER:
        return [
            "  Add a person:      strapline server user add NAME",
            "  Let somebody look: strapline server token --viewer NAME --users ID --link",
            f"  Its settings:      {service.settings}, then systemctl restart {service.unit}",
        ]
    return [
        f"  Where its server is: {service.settings}, then systemctl restart {service.unit}",
        "  A key of its own:    strapline bridge key",
        f"  How it goes:         systemctl status {service.unit}",
    ]
