"""Settings: the file that comes with the project, and errors that name key, cause and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline_server.config import Bounds, ServerConfig, is_loopback, load_config
from strapline_server.errors import ConfigError

SAMPLE = Path(__file__).parents[3] / "config" / "server.toml"


def load(folder: Path, text: str) -> ServerConfig:
    path = folder / "server.toml"
    path.write_text(text)
    return load_config(path)


def test_the_sample_file_says_the_defaults() -> None:
    config = load_config(SAMPLE)
    assert config == ServerConfig(state_folder=Path("/var/lib/strapline/server"))
    assert config.limits == Bounds()
    said = SAMPLE.read_text()
    for name in [*ServerConfig.model_fields, *Bounds.model_fields]:
        assert name == "limits" or f"{name} = " in said


def test_a_file_sets_what_it_names(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        [server]
        state_folder = "/srv/strapline"
        host = ["127.0.0.1", "::1"]
        port = 9000
        allowed_origins = ["https://coach.example.org"]
        [limits]
        connections = 10
        """,
    )
    assert config.hosts == ("127.0.0.1", "::1")
    assert (config.port, config.limits.connections) == (9000, 10)
    assert config.secret_path == Path("/srv/strapline/secret")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "state_folder: is missing; add it"),
        ('[server]\nstate_folder = "/s"\nprot = 1', "prot: is unknown"),
        ('[server]\nstate_folder = "/s"\nport = 70000', "port: Input should be less"),
        ('[server]\nstate_folder = "/s"\nport = "x"', "port: Input should be a valid integer"),
        ('[server]\nstate_folder = "/s"\nhost = ""', "host: is empty"),
        ('[server]\nstate_folder = "/s"\nhost = []', "host: is empty"),
        ('[server]\nstate_folder = "/s"\nhost = "0.0.0.0"', "plain_beyond_loopback = true"),
        ('[server]\nstate_folder = "/s"\nhost = ["127.0.0.1", "::"]', ":: is beyond this machine"),
        (
            '[server]\nstate_folder = "/s"\nallowed_origins = ["coach.example.org/x"]',
            "write it as https://coach.example.org",
        ),
        ('[server]\nstate_folder = "/s"\n[limits]\nconnections = 0', "limits.connections: Input"),
        ('[sever]\nstate_folder = "/s"', r"table \[sever\] is unknown"),
        ("[server", "is not TOML"),
    ],
    ids=range(12),
)
def test_an_error_names_file_key_cause_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "server.toml") in str(caught.value)


def test_a_file_that_is_not_there_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Copy config/server\.toml"):
        load_config(tmp_path / "server.toml")


def test_settings_made_in_python_are_checked_too() -> None:
    with pytest.raises(ConfigError, match="port"):
        ServerConfig(state_folder=Path("/s"), port=-1)


def test_beyond_loopback_only_when_it_is_said() -> None:
    assert ServerConfig(
        state_folder=Path("/s"), host="192.168.1.4", plain_beyond_loopback=True
    ).hosts == ("192.168.1.4",)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("::", False),
        ("192.168.1.4", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
