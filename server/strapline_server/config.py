"""The server's settings, typed; every error names the key, the cause and the remedy."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from strapline_server.errors import ConfigError

DEFAULT_PORT: Final = 8420
SECRET_NAME: Final = "secret"  # noqa: S105  # a file's name


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bounds(_Settings):
    """How much of each this server takes on."""

    connections: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    connections_per_address: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    connections_per_principal: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    unauthenticated: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    unauthenticated_per_address: Annotated[int, Field(ge=1, le=100_000)] = 250
    message_bytes: Annotated[int, Field(ge=1_024, le=16 * 2**20)] = 256 * 1_024
    window_readings: Annotated[int, Field(ge=1, le=1_000_000)] = 8_000
    viewer_messages_per_s: Annotated[int, Field(ge=1, le=10_000)] = 20
    bridge_messages_per_s: Annotated[int, Field(ge=1, le=100_000)] = 500
    viewer_buffer_bytes: Annotated[int, Field(ge=16_384, le=64 * 2**20)] = 128 * 1_024


class ServerConfig(_Settings):
    """Where to listen, where to keep what is stored, and how much to take on.

    Attributes:
        host: one address or several; beyond loopback only with ``plain_beyond_loopback``.
        port: 0 takes a free one, which ``Server.port`` tells.
        state_folder: database and secret; made when missing, readable by its owner alone.
        secret_file: the signing secret; by default ``secret`` in the state folder, made when
            missing.
        public_keys: PEM files with the Ed25519 public keys of the issuer whose tokens are good
            here beside this server's own: a host application's.
        allowed_origins: pages of other hosts that may connect, such as
            ``https://coach.example.org``.
        plain_beyond_loopback: serve others than this machine without TLS: a proxy in front
            has it, or everyone in the network may read along.
        simulated: what is shown comes from straps that are not real; screens say so.
    """

    state_folder: Path
    host: str | tuple[str, ...] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = DEFAULT_PORT
    secret_file: Path | None = None
    public_keys: Annotated[tuple[Path, ...], Field(max_length=16)] = ()
    allowed_origins: tuple[str, ...] = ()
    plain_beyond_loopback: bool = False
    simulated: bool = False
    limits: Bounds = Bounds()

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise ConfigError(_explain(error, "server settings")) from None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses to listen on."""
        return (self.host,) if isinstance(self.host, str) else self.host

    @property
    def secret_path(self) -> Path:
        """Where the signing secret is."""
        return self.secret_file or self.state_folder / SECRET_NAME

    @field_validator("host")
    @classmethod
    def _some_host(cls, host: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not host or not all(host):
            raise ValueError('is empty; use "127.0.0.1"')
        return host

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in {"http", "https"}
                or f"{parts.scheme}://{parts.netloc}" != origin
            ):
                raise ValueError(f"{origin!r} is no origin; write it as https://coach.example.org")
        return origins

    @model_validator(mode="after")
    def _plain_only_here(self) -> Self:
        beyond = [host for host in self.hosts if not is_loopback(host)]
        if beyond and not self.plain_beyond_loopback:
            raise ValueError(
                f"host: {beyond[0]} is beyond this machine and this server speaks no TLS. Listen "
                "on 127.0.0.1 behind a proxy that does, or set plain_beyond_loopback = true if "
                "everyone in that network may read along"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_config(path: Path) -> ServerConfig:
    """The settings in a TOML file: tables ``[server]`` and ``[limits]``.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or a setting is wrong.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}). Copy config/server.toml there."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}. Mend that line.") from error
    if unknown := sorted(content.keys() - {"server", "limits"}):
        raise ConfigError(
            f"{path}: table [{unknown[0]}] is unknown. There are [server] and [limits]."
        )
    try:
        settings = {**content.get("server", {}), "limits": content.get("limits", {})}
        return ServerConfig.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(_explain(error, str(path))) from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _explain(error: ValidationError, origin: str) -> str:
    fault = error.errors(include_url=False)[0]
    place = [str(part) for part in fault["loc"] if part not in {"str", "tuple[str, ...]"}]
    key = ".".join(place)
    remedies = {
        "missing": "is missing; add it",
        "extra_forbidden": "is unknown; remove it, or look for a misspelling",
    }
    cause = remedies.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    return f"{origin}: {key}: {cause}." if key else f"{origin}: {cause}."
