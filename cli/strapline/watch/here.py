"""The server of this machine, where there is one, and a token of its own to watch it with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from strapline.errors import CommandError
from strapline.folder import SERVICE_CONFIG, DataFolder, default_folder, is_running
from strapline.watch.target import SOCKET_PATH, Target
from strapline.where import named, settings
from strapline_protocol.opening import Role
from strapline_server import Admin, open_admin

_NAMED: Final = "this-machine"
#: One viewer for all screens of this machine. Revoked by this name, it stays so until somebody
#: grants it something again; what was granted to it meanwhile is neither widened nor narrowed.
VIEWER: Final = f"{Role.VIEWER.value}-{_NAMED}"
_NAME: Final = "strapline watch on this machine"
#: The server renews it in band for as long as the screen is open.
_TOKEN_S: Final = 86_400
_WILDCARDS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # looked for, not listened on
_HOMES: Final = ("strapline", "strapline-demo")


async def target_here(data: Path | None, *, service: Path = SERVICE_CONFIG) -> Target:
    """The running `strapline up`, else the running demo, else the service; or that of a folder.

    Raises:
        CommandError: nothing runs here, or this machine's viewer was revoked.
        ConfigError, StoreError: its settings or its store cannot be read.
    """
    place = _place(data, service)
    config = settings(*place)
    async with open_admin(config) as admin:
        token = await _token_of(admin, named(*place))
    host = config.hosts[0]
    host = "127.0.0.1" if host in _WILDCARDS else host
    host = f"[{host}]" if ":" in host else host
    return Target(f"ws://{host}:{config.port}{SOCKET_PATH}", token)


async def _token_of(admin: Admin, place: str) -> str:
    """With the rights that the viewer has; the first time with all of them."""
    granted = next((one for one in await admin.principals() if one.sub == VIEWER), None)
    if granted is not None:
        return await admin.issue_token(
            VIEWER,
            Role.VIEWER,
            "all" if granted.everyone else sorted(granted.ids),
            _TOKEN_S,
            name=granted.name,
            metrics=None if granted.metrics is None else sorted(granted.metrics),
            may_mark=granted.may_mark,
        )
    if await admin.generation(VIEWER) is not None:
        granting = f"strapline server token --viewer {_NAMED} --all --may-mark" + place
        raise CommandError(
            f"{VIEWER} was revoked, so that nobody watches from here unasked. To allow it again: "
            f"{granting} (the token that it prints is not needed)."
        )
    return await admin.issue_token(VIEWER, Role.VIEWER, "all", _TOKEN_S, name=_NAME, may_mark=True)


def _place(data: Path | None, service: Path) -> tuple[Path | None, Path | None]:
    """The configuration, or else the data folder, of what is meant."""
    if data is not None:
        if not is_running(DataFolder(data)):
            raise CommandError(
                f"{data}: no strapline runs in this folder. Start it: strapline up --data {data}"
            )
        return None, data
    for home in _HOMES:
        folder = default_folder(home)
        if is_running(DataFolder(folder)):
            return None, folder
    if service.exists():
        return service, None
    raise CommandError(
        "No strapline runs here. Start one with `strapline up` or `strapline demo` in another "
        "terminal; or watch one elsewhere: run `strapline watch -` and paste its link."
    )
