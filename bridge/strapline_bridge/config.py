"""The bridge's configuration: typed, from TOML, every fault with its file, key and remedy."""

from __future__ import annotations

import difflib
import ipaddress
import logging
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from strapline_bridge.errors import BridgeError

#: Where the bridge looks for its configuration when none is named.
DEFAULT_PATH: Final = Path("/etc/strapline/bridge.toml")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a configuration.

    Attributes:
        key: dotted, as in ``server.url``; empty for the file as a whole.
    """

    key: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{f'`{self.key}`: ' if self.key else ''}{self.cause}. {self.remedy}."


class ConfigError(BridgeError):
    """A configuration that cannot be used; ``str()`` lists every fault.

    Attributes:
        path: the file.
        faults: at least one.
    """

    def __init__(self, path: Path, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{path}: {faults[0].key}: {faults[0].cause}", faults[0].remedy)
        self.path = path
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(f"{self.path}: {fault}" for fault in self.faults)


class _RefusedError(ValueError):
    """A value that breaks a rule of ours; pydantic carries it to :func:`_fault_of`."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The level for :mod:`logging`."""
        return logging.getLevelNamesMapping()[self.name]


FilePath = Annotated[Path, Field(strict=False), AfterValidator(Path.expanduser)]


def check_server_url(url: str, *, allow_insecure: bool) -> None:
    """Refuse an address that is none, or that would send readings and token in the open.

    Raises:
        ValueError: with the cause; never with the address, which may hold a secret.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _RefusedError("not an address", "Write wss://host or wss://host:port") from None
    if parts.scheme not in {"ws", "wss"} or not host:
        raise _RefusedError("not a WebSocket address", "Write wss://host or wss://host:port")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _RefusedError(
            "a user, password, query or fragment has no place in it: addresses end up in logs",
            "Leave it out, and put the token into `server.token_file`",
        )
    if sends_in_the_open(url) and not allow_insecure:
        raise _RefusedError(
            "ws:// to another machine sends readings and token for all to read",
            "Use wss://, or set `server.allow_insecure = true` on a network that you trust",
        )


def sends_in_the_open(url: str) -> bool:
    """Whether everybody on the way to this address can read along."""
    parts = urlsplit(url)
    return parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def with_socket_path(url: str) -> str:
    """The address with the server's own path where none is given."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not separator or path or set(host) & set("?#"):
        return url
    return f"{scheme}://{host}{slash or '/'}ws"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, without asking a resolver."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def default_state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where outbox and wearables live when nothing is said.

    What systemd made for the service (``StateDirectory=``), else ``/var/lib/strapline-bridge``
    for root, else the user's own state folder (XDG Base Directory Specification).
    """
    made = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if made:
        return Path(made)
    if os.geteuid() == 0:
        return Path("/var/lib/strapline-bridge")
    home = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "strapline"


class _Section(BaseModel):
    """Strict, and without room for a key that nobody reads. A description says what is right."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ServerSection(_Section):
    """Where readings go.

    Attributes:
        url: ``wss://host[:port][/path]``, where no path means ``/ws``; ``ws://`` to this machine,
            or with allow_insecure.
        token_file: where it is not ``token`` in the state folder; see
            :attr:`BridgeConfig.token_path`.
        key_file: the bridge's own key in its place; see :attr:`BridgeConfig.key_path`.
        allow_insecure: ``ws://`` beyond this machine: anybody on the way can read along.
    """

    url: Annotated[
        str,
        AfterValidator(with_socket_path),
        Field(description="an address such as wss://example.org"),
    ] = "ws://127.0.0.1:8420/ws"
    token_file: Annotated[FilePath | None, Field(description="the path of a file")] = None
    key_file: Annotated[FilePath | None, Field(description="the path of a file")] = None
    allow_insecure: Annotated[bool, Field(description="true or false")] = False

    @model_validator(mode="after")
    def _safe(self) -> ServerSection:
        check_server_url(self.url, allow_insecure=self.allow_insecure)
        return self

    @field_validator("key_file")
    @classmethod
    def _one_proof(cls, key_file: Path | None, info: ValidationInfo) -> Path | None:
        if key_file is not None and info.data.get("token_file") is not None:
            raise _RefusedError(
                "there is a `server.token_file` too, and a bridge proves itself in one way",
                "Leave one of the two out",
            )
        return key_file


class OutboxSection(_Section):
    """How readings are kept until the server has them.

    Attributes:
        max_mib: the size that the outbox may grow to; past it the oldest goes, acknowledged
            rows first, and what goes unsent is counted and said.
        commit_interval_ms: the least time between two commits; 0 stores at once, 1000 spares
            an SD card and risks a second of readings in a power cut.
    """

    max_mib: Annotated[
        int, Field(ge=16, le=1024 * 1024, description="a whole number of MiB, at least 16")
    ] = 1024
    commit_interval_ms: Annotated[
        int, Field(ge=0, le=60_000, description="a whole number of milliseconds, 0 to 60000")
    ] = 0

    @property
    def max_bytes(self) -> int:
        """The bound in bytes."""
        return self.max_mib * 1024 * 1024


class RadioSection(_Section):
    """Which Bluetooth is used.

    Attributes:
        adapter: ``hci0``, ``hci1`` …; ``None`` takes the first that is switched on.
        backend: ``platform``, or ``module:attribute`` of a radio backend.
    """

    adapter: Annotated[
        str | None, Field(pattern=r"^hci[0-9]{1,2}$", description="an adapter such as hci0")
    ] = None
    backend: Annotated[
        str,
        Field(
            pattern=r"^(platform|[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*)$",
            description="platform, or module:attribute of a radio backend",
        ),
    ] = "platform"


class BridgeConfig(_Section):
    """All of it.

    Attributes:
        state_dir: holds the outbox, the list of wearables, and the key or the token.
        log_level: at ``info`` and above no reading, address or token is ever logged.
    """

    state_dir: Annotated[
        FilePath, Field(default_factory=default_state_dir, description="the path of a folder")
    ]
    log_level: Annotated[
        LogLevel, Field(strict=False, description="debug, info, warning or error")
    ] = LogLevel.INFO
    server: Annotated[ServerSection, Field(description="a table, [server]")] = ServerSection()
    outbox: Annotated[OutboxSection, Field(description="a table, [outbox]")] = OutboxSection()
    radio: Annotated[RadioSection, Field(description="a table, [radio]")] = RadioSection()

    @property
    def token_path(self) -> Path:
        """Holds the bridge's token: read anew for each connection, replaced before it expires.

        In the state folder unless said otherwise, for a service may write nowhere else.
        """
        return self.server.token_file or self.state_dir / "token"

    @property
    def key_path(self) -> Path | None:
        """Holds the key that the bridge signs its tokens with; None where a token file is used.

        What is named counts; else the key in the state folder, where one was made.
        """
        if self.server.key_file is not None or self.server.token_file is not None:
            return self.server.key_file
        made = self.new_key_path
        return made if made.exists() else None

    @property
    def new_key_path(self) -> Path:
        """Where `strapline bridge key` keeps the key."""
        return self.server.key_file or self.state_dir / "key"


def load(path: Path) -> BridgeConfig:
    """Read a configuration file. Relative paths in it start from its folder.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something that cannot be.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        fault = Fault(
            "", f"cannot be read: {error.strerror or error}", "Name another with --config"
        )
        raise ConfigError(path, (fault,)) from error
    except UnicodeDecodeError as error:
        fault = Fault("", f"is not UTF-8 (byte {error.start})", "Save it as UTF-8")
        raise ConfigError(path, (fault,)) from error
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = Fault("", f"is not TOML: {error}", "Correct that line")
        raise ConfigError(path, (fault,)) from error
    try:
        config = BridgeConfig.model_validate(tree)
    except ValidationError as error:
        faults = tuple(map(_fault_of, error.errors(include_url=False, include_input=False)))
        raise ConfigError(path, faults) from None
    return _from_folder(config, path.absolute().parent)


def _from_folder(config: BridgeConfig, folder: Path) -> BridgeConfig:
    server = config.server
    named = {"token_file": server.token_file, "key_file": server.key_file}
    paths = {name: folder / path for name, path in named.items() if path is not None}
    server = server.model_copy(update=paths)
    return config.model_copy(update={"state_dir": folder / config.state_dir, "server": server})


_CAUSES: Final = {"greater_than_equal": "too small", "less_than_equal": "too large"}


def _fault_of(error: ErrorDetails) -> Fault:
    where = tuple(str(part) for part in error["loc"])
    raised = error.get("ctx", {}).get("error")
    if isinstance(raised, _RefusedError):
        # The rule about the address is checked with its section, since it needs both keys.
        key = "server.url" if where == ("server",) else ".".join(where)
        return Fault(key, raised.cause, raised.remedy)
    key = ".".join(where)
    if error["type"] == "extra_forbidden":
        return Fault(key, "unknown key", _suggestion(where))
    cause = _CAUSES.get(error["type"], "not what belongs here")
    return Fault(key, cause, f"Write {_what_is_right(where)}")


def _section(where: tuple[str, ...]) -> type[BaseModel] | None:
    section: type[BaseModel] = BridgeConfig
    for part in where:
        known = section.model_fields.get(part)
        inner: Any = known.annotation if known else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        section = inner
    return section


def _what_is_right(where: tuple[str, ...]) -> str:
    section = _section(where[:-1])
    known = section.model_fields.get(where[-1]) if section else None
    return (known.description if known else None) or "something else"


def _suggestion(where: tuple[str, ...]) -> str:
    section = _section(where[:-1])
    names = list(section.model_fields) if section else []
    near = difflib.get_close_matches(where[-1], names, n=1)
    if near:
        return f"Write `{'.'.join((*where[:-1], near[0]))}`, if that is what was meant"
    elsewhere = [
        f"{name}.{where[-1]}"
        for name in BridgeConfig.model_fields
        if (inner := _section((name,))) is not None and where[-1] in inner.model_fields
    ]
    if elsewhere:
        return f"It belongs under another table, as `{elsewhere[0]}`"
    return f"Remove it; known here: {', '.join(sorted(names))}"
