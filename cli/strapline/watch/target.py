"""Which server is watched, and with what: never a token that stands in the process list."""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
import shlex
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from strapline.errors import CommandError
from strapline.terminal import remark

#: Read where neither a file nor stdin is named; visible to this user's own processes alone.
TOKEN_VARIABLE: Final = "STRAPLINE_TOKEN"  # noqa: S105  # its name
#: Below a server's address; said here too, since a screen needs nothing of the server.
SOCKET_PATH: Final = "/ws"
_ASKED: Final = "-"
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,16384}")
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_LARGEST_BYTES: Final = 32_768
#: Private (RFC 1918, RFC 4193) and of one link (RFC 3927, RFC 4291): never routed beyond.
_NETWORKS: Final = (
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_network("172.16.0.0/12"),
    ipaddress.ip_network("192.168.0.0/16"),
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("fc00::/7"),
    ipaddress.ip_network("fe80::/10"),
)
#: An address of IPv4 in one number, which resolvers take: it may lead anywhere.
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and the token to do it with.

    Attributes:
        url: of the WebSocket.
        plain_text: the readings cross a network unencrypted.
    """

    url: str
    token: str = field(repr=False)
    plain_text: bool = False


def target_of(
    where: str | None,
    token_file: str | None,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Target | None:
    """The server and the token that were named; None where nothing was.

    Args:
        where: an address, or ``-`` for a link that is asked for.
        token_file: what holds a token or a whole link; ``-`` for stdin.
        environment: may hold the token.

    Raises:
        CommandError: one is missing, is none, or the link stands on the command line.
    """
    if where is not None and where != _ASKED:
        return _at_address(where, token_file, environment)
    if token_file is not None:
        return _of_link(_read(token_file), f"The token file {token_file}")
    if where == _ASKED:
        return _of_link(_asked_for("Link: "), "What was given")
    return None


def _at_address(where: str, token_file: str | None, environment: Mapping[str, str]) -> Target:
    if "#" in where:
        # The list of processes shows it to everybody on this machine, for as long as this runs.
        raise CommandError(
            "A link with its token on the command line can be read by everybody on this machine, "
            "and stays in the shell's history. Run `strapline watch -` and paste it there, or "
            "put it into a file: strapline watch --token-file FILE"
        )
    url, plain_text = socket_url(where)
    if token_file is not None:
        given = _read(token_file)
    elif TOKEN_VARIABLE in environment:
        given = environment[TOKEN_VARIABLE].strip()
    else:
        given = _asked_for("Token or link: ")
    return Target(url, _token_in(given), plain_text)


def _of_link(text: str, what: str) -> Target:
    address, hash_, _ = text.partition("#")
    if not hash_ or "://" not in address:
        raise CommandError(
            f"{what} is no link. Give one such as http://127.0.0.1:8420/#token=…, or name the "
            "server: strapline watch URL --token-file FILE"
        )
    url, plain_text = socket_url(address)
    return Target(url, _token_in(text), plain_text)


def _token_in(text: str) -> str:
    """From a whole link, its fragment, or the token alone."""
    _, hash_, fragment = text.partition("#")
    token = parse_qs(fragment).get("token", [""])[0] if hash_ else text
    if not _TOKEN.fullmatch(token):
        raise CommandError(
            "There is no token in what was given. `strapline up` prints a link with one, and "
            "`strapline server token --viewer NAME --all` makes another."
        )
    return token


def socket_url(address: str) -> tuple[str, bool]:
    """The WebSocket's address, and whether it crosses a network unencrypted.

    ``http://192.168.1.5:8420/`` → ``ws://192.168.1.5:8420/ws``.

    Raises:
        CommandError: it is none, or would send a token unencrypted into the internet.
    """
    parts = urlsplit(address if "://" in address else f"https://{address}")
    scheme = _SCHEMES.get(parts.scheme)
    try:
        named = parts.port is None or parts.port > 0
    except ValueError:
        named = False
    if scheme is None or not parts.hostname or not named or parts.username or parts.query:
        raise CommandError(
            f"{parts.scheme}://{parts.hostname or ''}: is not an address. Write it as "
            "https://coach.example.org or http://127.0.0.1:8420."
        )
    near = _is_near(parts.hostname)
    if scheme == "ws" and near is None:
        raise CommandError(
            f"http://{parts.hostname}: would send token and readings through the internet "
            "unencrypted. Give its https:// address."
        )
    path = parts.path.rstrip("/")
    if not path.endswith(SOCKET_PATH):
        path += SOCKET_PATH
    return f"{scheme}://{parts.netloc}{path}", scheme == "ws" and near == "network"


def _is_near(host: str) -> str | None:
    """``machine``, ``network``, or None for anywhere else."""
    if host == "localhost":
        return "machine"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if _NUMBER.fullmatch(host):
            return None
        # A name without a dot, or under .local (RFC 6762), is never resolved beyond the network.
        return "network" if "." not in host or host.endswith(".local") else None
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return "machine"
    return "network" if any(address in network for network in _NETWORKS) else None


def _read(name: str) -> str:
    if name == _ASKED:
        return _first_line(sys.stdin.readline(_LARGEST_BYTES))
    try:
        with Path(name).open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            given = _first_line(file.read(_LARGEST_BYTES))
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CommandError(
            f"{name}: cannot be read ({cause}). Name a file with a link or a token in it: "
            "strapline watch --token-file FILE"
        ) from error
    if stat.S_ISREG(mode) and mode & _OTHERS:
        # A viewer's token sees and changes nothing of the machine: it is warned of, not refused.
        remark(
            f"{name}: others on this machine can read it, and watch with what is in it. "
            f"Keep it to yourself: chmod 600 {shlex.quote(name)}"
        )
    return given


def _asked_for(prompt: str) -> str:
    """At a terminal it is not shown while it is typed or pasted."""
    if not sys.stdin.isatty():
        return _first_line(sys.stdin.readline(_LARGEST_BYTES))
    return getpass.getpass(prompt).strip()


def _first_line(text: str) -> str:
    stripped = text.strip()
    return stripped.splitlines()[0].strip() if stripped else ""
