"""The server of this machine, where there is one, and a token of its own to watch it with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from strapline.errors import CommandError
from strapline.folder import SERVICE_CONFIG, DataFolder, default_folder, is_running
from strapline.watch.target import SOCKET_PATH, Target
from strapline.where import settings
from strapline_protocol.opening import Role
from strapline_server import ServerConfig, open_admin

#: One viewer for all screens of this machine, which can be revoked by this name.
VIEWER: Final = "viewer-this-machine"
_NAME: Final = "strapline watch on this machine"
#: The server renews it in band for as long as the screen is open.
_TOKEN_S: Final = 86_400
_WILDCARDS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # looked for, not listened on
_HOMES: Final = ("strapline", "strapline-demo")


async def target_here(data: Path | None, *, service: Path = SERVICE_CONFIG) -> Target:
    """The running `strapline up`, else the running demo, else the service; or that of a folder.

    Raises:
        CommandError: nothing runs here.
        ConfigError, StoreError: its settings or its store cannot be read.
    """
    config = _config(data, service)
    async with open_admin(config) as admin:
        token = await admin.issue_token(
            VIEWER, Role.VIEWER, "all", _TOKEN_S, name=_NAME, may_mark=True
        )
    host = config.hosts[0]
    host = "127.0.0.1" if host in _WILDCARDS else host
    host = f"[{host}]" if ":" in host else host
    return Target(f"ws://{host}:{config.port}{SOCKET_PATH}", token)


def _config(data: Path | None, service: Path) -> ServerConfig:
    if data is not None:
        if not is_running(DataFolder(data)):
            raise CommandError(
                f"{data}: no strapline runs in this folder. Start it: strapline up --data {data}"
            )
        return settings(None, data)
    for home in _HOMES:
        folder = default_folder(home)
        if is_running(DataFolder(folder)):
            return settings(None, folder)
    if service.exists():
        return settings(service, None)
    raise CommandError(
        "No strapline runs here. Start one with `strapline up` or `strapline demo` in another "
        "terminal; or watch one elsewhere: run `strapline watch -` and paste its link."
    )
