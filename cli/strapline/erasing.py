"""`strapline server user erase`: says what will go, asks for the name again, and erases it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from strapline.errors import CommandError
from strapline.terminal import is_interactive, remark
from strapline_server import Holdings, ServerConfig, open_admin

_LATER: Final = (
    "What bridges still have, or send later, is refused and deleted there. The id is never given "
    "again."
)
#: What `strapline server restore` keeps beside the database.
_KEPT: Final = "server.db.replaced-*"


async def erase(
    config: ServerConfig, user: str, *, yes: bool, ask: Callable[[str], str] = input
) -> None:
    """Erase a person, and print the id.

    Args:
        config: of the server that is meant.
        user: the id.
        yes: do not ask.
        ask: puts a question to whoever sits there, and has the answer.

    Raises:
        CommandError: nobody agreed.
        AdminError: there is no such user, and was none that was erased.
        StoreError: it cannot be done now, or traces are left.
    """
    async with open_admin(config) as admin:
        holdings = await admin.holdings(user)
        if holdings is not None:
            remark(told(user, holdings))
            if not yes:
                _agree(user, ask)
        erased = await admin.erase_user(user)
    print(user)
    if erased.again:
        remark("They were erased before. The file was written anew, so that no trace is left.")
    else:
        remark(_LATER)
    copies = sorted(file.name for file in config.state_folder.glob(_KEPT))
    if copies:
        remark(
            f"Kept beside the database, and as it was: {', '.join(copies)} in "
            f"{config.state_folder}. Delete what still has them."
        )
    remark("Copies that you keep elsewhere still have them: delete those, or erase in them.")


def told(user: str, holdings: Holdings) -> str:
    """What will go."""
    person = holdings.name if holdings.name == user else f"{holdings.name} ({user})"
    span = ""
    if holdings.first_ms is not None and holdings.last_ms is not None:
        span = f", {_day(holdings.first_ms)} to {_day(holdings.last_ms)}"
    goes = [f"{_many(holdings.readings, 'reading')}{span}", "sessions, marks and all sums"]
    if holdings.links:
        goes.append(f"{_many(len(holdings.links), 'dashboard link')} of theirs alone")
    return f"Of {person} this is erased, for good: {'; '.join(goes)}."


def _agree(user: str, ask: Callable[[str], str]) -> None:
    if not is_interactive():
        raise CommandError(
            f"Nobody is here to ask. Say that it is meant: strapline server user erase {user} --yes"
        )
    try:
        answer = ask(f"Type {user} to erase them: ")
    except EOFError:
        answer = ""
    if answer.strip() != user:
        raise CommandError(f"{answer.strip()!r} is not {user!r}: nothing was erased.")


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
