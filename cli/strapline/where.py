"""Which server the commands beside a server are about: users, tokens, sources, copies, counts."""

from __future__ import annotations

import shlex
from pathlib import Path

from strapline.errors import CommandError
from strapline.folder import SERVICE_CONFIG, DataFolder, default_folder, is_running
from strapline.joined import Place
from strapline.marker import read_marker
from strapline.terminal import remark
from strapline_server import ServerConfig, load_config


def settings(
    config: Path | None,
    data: Path | None,
    *,
    service: Path = SERVICE_CONFIG,
    home: Path | None = None,
    demo: Path | None = None,
) -> ServerConfig:
    """The settings of the server that is meant: named, else the service's, else of `up`.

    Where there is none of these and `strapline demo` runs, it is the demo's, and stderr says so.

    Args:
        config: a configuration file that was named.
        data: a data folder that was named.
        service: where the service's configuration is.
        home: the data folder of `strapline up` when none is named.
        demo: likewise that of `strapline demo`.

    Raises:
        CommandError: there is none, or two were named.
        ConfigError: the configuration is wrong.
    """
    if config is not None and data is not None:
        raise CommandError("Which server? Give either --config FILE or --data FOLDER.")
    if config is not None:
        return load_config(config)
    if data is not None:
        found = _of_folder(data)
        if found is None:
            raise CommandError(
                f"{data}: no server was started in this folder yet. Start one with "
                f"`strapline up --data {data}`, or name another folder."
            )
        return found
    if service.exists():
        return load_config(service)
    home = default_folder("strapline") if home is None else home
    found = _of_folder(home)
    if found is not None:
        return found
    demo = default_folder("strapline-demo") if demo is None else demo
    found = _of_folder(demo)
    if found is not None and is_running(DataFolder(demo)):
        remark(f"About the demo that runs here, {demo}: nothing else was started on this machine.")
        return found
    missing = (
        f"There is no server here: neither {service}, nor what `strapline up` keeps in {home}."
    )
    if found is not None:
        raise CommandError(
            f"{missing} There is what `strapline demo` kept, which does not run now: start it, or "
            f"add to this command:{named(None, demo)}"
        )
    raise CommandError(
        f"{missing} Start one with `strapline up`, or name its folder with --data FOLDER, or its "
        "configuration with --config FILE."
    )


def named(config: Path | None, data: Path | None) -> str:
    """How the same server is named in another command: `` --data FOLDER``; empty where it is found.

    ``~`` is written out: what is quoted would keep it.
    """
    if data is not None:
        return f" --data {shlex.quote(str(data))}"
    return "" if config is None else f" --config {shlex.quote(str(config))}"


def _of_folder(path: Path) -> ServerConfig | None:
    folder = DataFolder(path)
    marker = read_marker(folder)
    if marker is None:
        return None
    return Place(folder, marker.port, lan=marker.lan, simulated=marker.simulated).server_config
