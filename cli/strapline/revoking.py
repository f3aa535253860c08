"""`strapline server revoke`: takes rights away, by the principal or by the name it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from strapline.errors import CommandError
from strapline.terminal import remark
from strapline_server import Grant, ServerConfig, open_admin

_MEANS: Final = "Closed within a second; its links and tokens no longer hold."


async def revoke(config: ServerConfig, wanted: str) -> None:
    """Take away all that was granted, and print each principal that it was taken from.

    Raises:
        CommandError: nobody is called so, or several of different kinds are.
    """
    async with open_admin(config) as admin:
        found = meant(await admin.principals(), wanted)
        for grant in found:
            await admin.revoke(grant.sub)
    for grant in found:
        print(grant.sub)
    remark(_MEANS)


def meant(grants: Sequence[Grant], wanted: str) -> list[Grant]:
    """The principal of this id, else those of this name.

    Raises:
        CommandError: there is none, or a bridge and a viewer have this name.
    """
    exact = [grant for grant in grants if grant.sub == wanted]
    if exact:
        return exact
    named = [grant for grant in grants if grant.name == wanted]
    if not named:
        known = ", ".join(f"{grant.sub} ({grant.name})" for grant in grants)
        raise CommandError(
            f"Nothing was granted to {wanted!r}. "
            + (f"There are: {known}." if known else "Nothing was granted to anybody here.")
        )
    if len({grant.role for grant in named}) > 1:
        subs = " or ".join(grant.sub for grant in named)
        raise CommandError(f"A bridge and a viewer are called {wanted!r}. Name one: {subs}.")
    return named
