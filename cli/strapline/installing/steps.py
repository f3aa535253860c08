"""One change of the machine each: what it is in words, whether it is done already, doing it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from strapline.errors import CommandError
from strapline.installing.machine import Machine


@dataclass(frozen=True, slots=True)
class Step:
    """A change.

    Attributes:
        told: what it does, in the imperative, as ``--dry-run`` prints it.
        is_done: whether there is nothing to do.
        do: does it.
        follows: what is done already is done again where a step before it changed something.
    """

    told: str
    is_done: Callable[[], bool]
    do: Callable[[], None]
    follows: bool = False


def write_file(machine: Machine, path: str, content: str, *, keep: bool = False) -> Step:
    """Put a file there, readable by all.

    Args:
        machine: where.
        path: absolute.
        content: all of it.
        keep: one that is there already stays as it is: it is the owner's.
    """
    target = machine.path(path)

    def is_done() -> bool:
        if not target.is_file():
            return False
        return keep or target.read_text("utf-8", errors="replace") == content

    def do() -> None:
        with _mending(path):
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.new")
            aside.write_text(content, "utf-8")
            aside.chmod(0o644)
            aside.replace(target)

    return Step(f"write {path}", is_done, do)


def remove(machine: Machine, path: str, *, why: str = "") -> Step:
    """Take a file, link or folder away."""
    target = machine.path(path)

    def do() -> None:
        with _mending(path):
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink()

    told = f"remove {path}{f' ({why})' if why else ''}"
    return Step(told, lambda: not os.path.lexists(target), do)


def link(machine: Machine, path: str, to: str) -> Step:
    """A symbolic link; another program's file of that name is not touched."""
    place = machine.path(path)

    def do() -> None:
        if os.path.lexists(place) and not place.is_symlink():
            raise CommandError(f"{path} is a file of somebody else's. Move it away, and try again.")
        with _mending(path):
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            aside = place.with_name(f".{place.name}.new")
            aside.unlink(missing_ok=True)
            aside.symlink_to(to)
            aside.replace(place)

    return Step(
        f"link {path} to {to}", lambda: place.is_symlink() and str(place.readlink()) == to, do
    )


def command(
    machine: Machine, *words: str, done: Callable[[], bool] = lambda: False, follows: bool = False
) -> Step:
    """Run a command of the system's."""
    return Step(f"run {' '.join(words)}", done, lambda: machine.run(words), follows)


@dataclass(frozen=True, slots=True)
class Done:
    """A step, and whether there was anything to do."""

    told: str
    changed: bool


def carry_out(steps: Iterable[Step], told: Callable[[Done], None]) -> None:
    """Do what is not done yet, in order, and tell of each; the first failure ends it.

    Raises:
        CommandError: what could not be done, and why.
    """
    changes = 0
    for step in steps:
        to_do = (step.follows and changes > 0) or not step.is_done()
        if to_do:
            step.do()
            changes += 1
        told(Done(step.told, to_do))


def foreseen(steps: Iterable[Step]) -> list[Done]:
    """What :func:`carry_out` would do."""
    found: list[Done] = []
    for step in steps:
        follows = step.follows and any(one.changed for one in found)
        found.append(Done(step.told, follows or not step.is_done()))
    return found


class _mending:  # noqa: N801  # reads as a function
    """What the file system refuses is said with the remedy."""

    def __init__(self, path: str | Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise CommandError(
                f"{self._path} cannot be changed ({error.strerror}). Run it with sudo, on a disk "
                "that can be written."
            ) from error
