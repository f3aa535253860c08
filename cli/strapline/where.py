"""Which server `strapline server user`, `token` and `revoke` are about."""

from __future__ import annotations

from pathlib import Path

from strapline.errors import CommandError
from strapline.folder import SERVICE_CONFIG, DataFolder, default_folder
from strapline.joined import Place
from strapline.marker import read_marker
from strapline_server import ServerConfig, load_config


def settings(
    config: Path | None,
    data: Path | None,
    *,
    service: Path = SERVICE_CONFIG,
    home: Path | None = None,
) -> ServerConfig:
    """The settings of the server that is meant: named, else the service's, else of `up`.

    Args:
        config: a configuration file that was named.
        data: a data folder that was named.
        service: where the service's configuration is.
        home: the data folder of `strapline up` when none is named.

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
    if found is None:
        raise CommandError(
            f"There is no server here: neither {service}, nor what `strapline up` keeps in {home}. "
            "Name its folder with --data FOLDER (that of `strapline demo` is "
            f"{default_folder('strapline-demo')}), or its configuration with --config FILE."
        )
    return found


def _of_folder(path: Path) -> ServerConfig | None:
    folder = DataFolder(path)
    marker = read_marker(folder)
    if marker is None:
        return None
    return Place(folder, marker.port, lan=marker.lan, simulated=marker.simulated).server_config
