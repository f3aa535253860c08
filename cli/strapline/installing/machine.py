"""The machine that is set up: its files below a root, its commands, and who asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from strapline.errors import CommandError


@dataclass(frozen=True, slots=True)
class Machine:
    """Where changes are made.

    Attributes:
        root: of all paths; another than ``/`` for tests.
        uid: of this process.
        environment: of this process: ``SUDO_USER`` names who asked.
    """

    root: Path = Path("/")
    uid: int = field(default_factory=os.geteuid)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def path(self, absolute: str | Path) -> Path:
        """A path of the machine's, below its root."""
        return self.root / str(absolute).lstrip("/")

    @property
    def asked_by(self) -> str | None:
        """Who ran ``sudo``; None for root itself."""
        name = self.environment.get("SUDO_USER")
        return name if name and name != "root" else None

    def has(self, command: str) -> bool:
        """Whether there is such a command."""
        return shutil.which(command, path=self.environment.get("PATH")) is not None

    def asks(self, *command: str) -> bool:
        """Whether a command that changes nothing succeeds."""
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                env=dict(self.environment),
            )
        except OSError:
            return False
        return done.returncode == 0

    def run(self, command: Sequence[str]) -> None:
        """Run a command.

        Raises:
            CommandError: there is none of this name, or it failed; with what it said.
        """
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                env=dict(self.environment),
            )
        except OSError as error:
            raise CommandError(
                f"{command[0]} cannot be run ({error.strerror}). This needs a machine with systemd."
            ) from error
        if done.returncode:
            said = done.stdout.strip().splitlines()[-1:] or ["it said nothing"]
            raise CommandError(
                f"`{' '.join(command)}` failed: {said[0]}. What was done before it stays; mend "
                "that and run the same command again."
            )
