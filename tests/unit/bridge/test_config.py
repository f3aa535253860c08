"""The configuration file: the shipped one, and every way to get one wrong."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from strapline_bridge.config import (
    BridgeConfig,
    ConfigError,
    LogLevel,
    default_state_dir,
    is_loopback,
    load,
    sends_in_the_open,
)

_ROOT = Path(__file__).parents[3]
_SHIPPED = _ROOT / "config" / "bridge.toml"
_UNIT = _ROOT / "systemd" / "strapline-bridge.service"


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bridge.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load(_written(tmp_path, text))
    for line in str(refused.value).splitlines():
        assert line.startswith(f"{tmp_path}/bridge.toml: ")
    return str(refused.value)


def _keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= _keys(inner, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


def test_the_shipped_file_says_the_defaults() -> None:
    assert load(_SHIPPED) == BridgeConfig.model_validate({})


def test_the_shipped_file_shows_every_key() -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", _SHIPPED.read_text(), flags=re.MULTILINE)
    tree = tomllib.loads(text)
    shown = {
        f"{name}.{key}" if isinstance(value, dict) else name
        for name, value in tree.items()
        for key in (value if isinstance(value, dict) else [name])
    }
    assert shown == _keys(BridgeConfig)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(_written(tmp_path, "")) == BridgeConfig.model_validate({})


def test_all_keys_are_taken(tmp_path: Path) -> None:
    config = load(
        _written(
            tmp_path,
            """
            state_dir = "/srv/strapline"
            log_level = "debug"
            [server]
            url = "ws://192.0.2.1:80/live"
            token_file = "/run/token"
            allow_insecure = true
            [outbox]
            max_mib = 64
            commit_interval_ms = 1000
            [radio]
            adapter = "hci1"
            backend = "some.module:BACKEND"
            """,
        )
    )
    assert config.state_dir == Path("/srv/strapline")
    assert config.log_level is LogLevel.DEBUG
    assert config.log_level.number == 10
    assert config.server.url == "ws://192.0.2.1:80/live"
    assert config.token_path == Path("/run/token")
    assert config.outbox.max_bytes == 64 * 1024 * 1024
    assert config.outbox.commit_interval_ms == 1000
    assert config.radio.adapter == "hci1"
    assert config.radio.backend == "some.module:BACKEND"


def test_relative_paths_start_from_the_file(tmp_path: Path) -> None:
    config = load(_written(tmp_path, 'state_dir = "state"\n[server]\ntoken_file = "token"'))
    assert config.state_dir == tmp_path / "state"
    assert config.token_path == tmp_path / "token"


def test_the_token_stands_in_the_state_folder_unless_said_otherwise(tmp_path: Path) -> None:
    config = load(_written(tmp_path, 'state_dir = "state"'))
    assert config.token_path == tmp_path / "state" / "token"


def test_a_key_of_its_own_stands_where_it_is_named_or_was_made(tmp_path: Path) -> None:
    config = load(_written(tmp_path, 'state_dir = "state"\n[server]\nkey_file = "own"'))
    assert config.key_path == config.new_key_path == tmp_path / "own"
    config = load(_written(tmp_path, 'state_dir = "state"'))
    assert config.new_key_path == tmp_path / "state" / "key"
    assert config.key_path is None
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "key").touch()
    config = load(_written(tmp_path, 'state_dir = "state"'))
    assert config.key_path == config.new_key_path
    config = load(_written(tmp_path, 'state_dir = "state"\n[server]\ntoken_file = "token"'))
    assert config.key_path is None


def test_a_bridge_proves_itself_in_one_way(tmp_path: Path) -> None:
    both = '[server]\ntoken_file = "token"\nkey_file = "key"'
    with pytest.raises(ConfigError) as refused:
        load(_written(tmp_path, both))
    (fault,) = refused.value.faults
    assert fault.key == "server.key_file"
    assert "Leave one of the two out" in str(fault)


def test_the_service_may_replace_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the shipped configuration, where the unit lets it write nowhere else."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    unit.read(_UNIT)
    service = unit["Service"]
    assert service["ProtectSystem"] == "strict"
    assert "ReadWritePaths" not in service
    made = Path("/var/lib") / service["StateDirectory"]
    # What systemd tells the service (systemd.exec(5)).
    monkeypatch.setenv("STATE_DIRECTORY", str(made))
    config = load(_SHIPPED)
    assert config.state_dir == made
    assert config.token_path.parent == made
    assert f'# token_file = "{config.token_path}"' in _SHIPPED.read_text()
    assert f'# key_file = "{config.new_key_path}"' in _SHIPPED.read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('stat_dir = "x"', ["`stat_dir`: unknown key", "`state_dir`"]),
        ("[server]\nurls = 1", ["`server.urls`: unknown key", "`server.url`"]),
        ('token_file = "x"', ["`token_file`: unknown key", "`server.token_file`"]),
        ("[outbox]\nzebra = 1", ["`outbox.zebra`: unknown key", "commit_interval_ms, max_mib"]),
        ("[outbox]\nmax_mib = 1", ["`outbox.max_mib`: too small", "at least 16"]),
        ("[outbox]\nmax_mib = '64'", ["`outbox.max_mib`: not what belongs", "whole number"]),
        ("[outbox]\nmax_mib = true", ["`outbox.max_mib`: not what belongs", "whole number"]),
        ("[outbox]\ncommit_interval_ms = 60001", ["commit_interval_ms`: too large", "0 to 60000"]),
        ('log_level = "loud"', ["`log_level`", "debug, info, warning or error"]),
        ("state_dir = 3", ["`state_dir`", "path of a folder"]),
        ('[radio]\nadapter = "usb0"', ["`radio.adapter`", "hci0"]),
        ('[radio]\nbackend = "bumble"', ["`radio.backend`", "module:attribute"]),
        ("server = 3", ["`server`", "[server]"]),
        ('[server]\nallow_insecure = "yes"', ["`server.allow_insecure`", "true or false"]),
        ('[server]\nurl = "https://example.org"', ["`server.url`", "wss://host"]),
        ('[server]\nurl = "wss://"', ["`server.url`", "wss://host"]),
        ('[server]\nurl = "wss://host:99999"', ["`server.url`", "wss://host"]),
        ('[server]\nurl = "ws://example.org"', ["`server.url`", "wss://", "allow_insecure"]),
        ("\nlog_level = = 1", ["is not TOML", "line 2"]),
    ],
)
def test_refused_with_key_and_remedy(tmp_path: Path, text: str, says: list[str]) -> None:
    refusal = _refused(tmp_path, text)
    for part in says:
        assert part in refusal


def test_every_fault_is_listed(tmp_path: Path) -> None:
    refusal = _refused(tmp_path, 'log_level = "loud"\nzebra = 1\n[outbox]\nmax_mib = 0')
    assert len(refusal.splitlines()) == 3


@pytest.mark.parametrize(
    "url", ["wss://h/?token=hush", "wss://h/#hush", "wss://u:hush@h", "https://hush"]
)
def test_a_refused_address_is_not_repeated(tmp_path: Path, url: str) -> None:
    assert "hush" not in _refused(tmp_path, f'[server]\nurl = "{url}"')


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "a.localhost"])
def test_plain_websockets_within_the_machine(tmp_path: Path, host: str) -> None:
    url = f"ws://{host}:8420/ws"
    assert load(_written(tmp_path, f'[server]\nurl = "{url}"')).server.url == url


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("wss://example.org", "wss://example.org/ws"),
        ("wss://example.org/", "wss://example.org/ws"),
        ("wss://example.org:8443", "wss://example.org:8443/ws"),
        ("wss://[2001:db8::1]:8443/", "wss://[2001:db8::1]:8443/ws"),
        ("wss://example.org/host/app", "wss://example.org/host/app"),
    ],
)
def test_an_address_without_a_path_means_the_servers_own(
    tmp_path: Path, written: str, meant: str
) -> None:
    assert load(_written(tmp_path, f'[server]\nurl = "{written}"')).server.url == meant


@pytest.mark.parametrize("host", ["127.example.org", "localhost.example.org", "192.0.2.1", "::"])
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read.*--config"):
        load(tmp_path / "none.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_bytes(b'state_dir = "\xff"')
    with pytest.raises(ConfigError, match="UTF-8"):
        load(path)


def test_the_state_folder_of_a_service_is_the_services() -> None:
    assert default_state_dir({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}) == Path("/var/lib/a")


def test_the_state_folder_of_root_and_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_state_dir({}) == Path("/var/lib/strapline-bridge")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_state_dir({"XDG_STATE_HOME": "/x"}) == Path("/x/strapline")
    assert default_state_dir({}) == Path("~/.local/state/strapline").expanduser()


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("ws://127.0.0.1:8420/ws", False),
        ("ws://localhost/ws", False),
        ("ws://[::1]/ws", False),
        ("wss://192.0.2.1/ws", False),
        ("ws://192.0.2.1/ws", True),
        ("ws://localhost.example.org/ws", True),
    ],
)
def test_what_everybody_on_the_way_can_read_is_known(url: str, is_open: bool) -> None:
    assert sends_in_the_open(url) == is_open
