"""`strapline server token`: grants rights and prints what proves them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from rich.text import Text

from strapline.errors import CommandError
from strapline.link import dashboard_link, lan_address, qr_code
from strapline.names import cleaned, user_id
from strapline.people import check_known
from strapline.terminal import make_console, say
from strapline_protocol.opening import Role
from strapline_server import ServerConfig, open_admin
from strapline_server.config import is_loopback

_DAY_S: Final = 86_400
_WILDCARDS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # looked for, not listened on


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands on the command line."""

    viewer: str | None = None
    bridge: str | None = None
    users: tuple[str, ...] = ()
    everyone: bool = False
    days: int = 30
    link: bool = False
    at: str | None = None
    may_mark: bool = False

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            CommandError: with the remedy.
        """
        if (self.viewer is None) == (self.bridge is None):
            raise CommandError("Whose token? Give either --viewer NAME or --bridge NAME.")
        if self.everyone == bool(self.users):
            raise CommandError(
                "For whom? Give either --users maren-holt,tomas-reyes or --all. "
                "`strapline server user list` shows the ids."
            )
        if self.link and self.bridge is not None:
            raise CommandError("A link is for a viewer. Leave --link out, or give --viewer NAME.")
        if self.may_mark and self.bridge is not None:
            raise CommandError(
                "A bridge sends its marks itself. Leave --may-mark out, or give --viewer NAME."
            )
        if self.at is not None:
            parts = urlsplit(self.at)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query:
                raise CommandError("--at is not an address. Write it as https://coach.example.org.")

    @property
    def role(self) -> Role:
        return Role.VIEWER if self.bridge is None else Role.BRIDGE

    @property
    def name(self) -> str:
        return cleaned(self.viewer or self.bridge or "")

    @property
    def principal(self) -> str:
        """Who the token says it is. A bridge and a viewer of one name are two."""
        return f"{self.role.value}-{user_id(self.name)}"


async def print_token(config: ServerConfig, wanted: Wanted, place: str = "") -> None:
    """Grant, and print the token or the link to stdout; what to do with it to stderr.

    ``place`` is how the server is named in another command.

    Raises:
        CommandError: a user is not there.
        AdminError: a name is not what it should be.
    """
    async with open_admin(config) as admin:
        await check_known(admin, wanted.users, place)
        token = await admin.issue_token(
            wanted.principal,
            wanted.role,
            "all" if wanted.everyone else list(wanted.users),
            wanted.days * _DAY_S,
            name=wanted.name,
            may_mark=wanted.may_mark,
        )
    if not wanted.link:
        print(token)
        _advise(wanted)
        return
    link = f"{wanted.at.rstrip('/')}/#token={token}" if wanted.at else _link(config, token)
    # Another device's camera reads the code: of use where such a device can follow the link.
    if sys.stdout.isatty() and not is_loopback(urlsplit(link).hostname or ""):
        make_console().print(qr_code(link))
    print(link)
    _advise(wanted)


def _link(config: ServerConfig, token: str) -> str:
    host = config.hosts[0]
    if host in _WILDCARDS:
        host = lan_address() or "127.0.0.1"
    return dashboard_link(host, config.port, token)


def _advise(wanted: Wanted) -> None:
    told = f"{wanted.principal} until {wanted.days} days from now."
    if wanted.role is Role.BRIDGE:
        told += (
            " Put it into the bridge's token_file, which only its user may read (chmod 600);"
            " from then on the bridge renews it by itself."
        )
    say(make_console(stderr=True), Text(told, style="second"), Text())
