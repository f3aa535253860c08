"""A bridge with a key of its own: `strapline bridge key` here, `strapline server bridge` there."""

from __future__ import annotations

import os
import shlex
import socket
from pathlib import Path

from rich.text import Text

from strapline.errors import CommandError
from strapline.names import cleaned, user_id
from strapline.people import check_known
from strapline.terminal import make_console, say
from strapline_bridge.config import BridgeConfig
from strapline_bridge.key_file import load_or_make_key
from strapline_server import ServerConfig, open_admin
from strapline_server.keys import PublicKey, load_public_key, parse_public_key


def print_key(config: BridgeConfig) -> None:
    """Make the key where there is none, and print its public half to stdout; the way on to stderr.

    Raises:
        CommandError: the configuration names a token file in its place.
        KeyFileError: it cannot be made or read.
    """
    if config.server.token_file is not None:
        raise CommandError(
            "The configuration names a `token_file`, so a key would not be used. Take that line "
            "out, then run this again."
        )
    path = config.new_key_path
    made = not path.exists()
    key = load_or_make_key(path)
    print(key.public_line)
    name = shlex.quote(socket.gethostname() or "NAME")
    told = Text()
    told.append(f"{'Made' if made else 'Kept'} in {path}. ", "second")
    told.append("On the server, with the people that this bridge publishes for:\n\n", "second")
    told.append(f"strapline server bridge {name} --users ID,... --public-key {key.public_line}")
    told.append("\n\nThen start the bridge again, if it ran without a key.", "second")
    say(make_console(stderr=True), told, Text())


async def enrol(
    config: ServerConfig,
    name: str,
    users: tuple[str, ...],
    *,
    everyone: bool,
    public_key: str,
    place: str = "",
) -> None:
    """Know a bridge by its public key, and print the principal that it is now.

    Args:
        config: of the server.
        name: as people say it.
        users: whom it publishes for.
        everyone: for all, in place of ``users``.
        public_key: a file, or the line that `strapline bridge key` printed.
        place: how the server is named in another command.

    Raises:
        CommandError: it is for nobody, or for some and all, or a user is not there.
        AdminError, SecretError: a name is not what it should be, or the key is none.
    """
    if everyone == bool(users):
        raise CommandError(
            "For whom? Give either --users maren-holt,tomas-reyes or --all. "
            "`strapline server user list` shows the ids."
        )
    key = _key(public_key)
    shown = cleaned(name)
    principal = f"bridge-{user_id(shown)}"
    async with open_admin(config) as admin:
        await check_known(admin, users, place)
        await admin.enrol(principal, key, "all" if everyone else list(users), name=shown)
    print(principal)


def _key(given: str) -> PublicKey:
    path = Path(given)
    if 0 < len(os.fsencode(given)) < 256 and path.is_file():
        return load_public_key(path)
    return parse_public_key(given.encode("utf-8", "replace"), "--public-key")
