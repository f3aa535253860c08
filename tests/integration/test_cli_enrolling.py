"""`strapline bridge key` and `strapline server bridge`: from a key here to a bridge there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from strapline.enrolling import enrol, print_key
from strapline.errors import CommandError
from strapline.main import app
from strapline.people import add_person
from strapline.revoking import revoke
from strapline_bridge.config import BridgeConfig, load
from strapline_bridge.uplink import configured_tokens
from strapline_server import AdminError, Server, ServerConfig
from strapline_server.clock import wall_ms
from strapline_server.errors import SecretError
from tests.integration.rights_kit import refusal
from tests.integration.server_kit import joined


def typed(*words: str) -> None:
    assert app(list(words), prog_name="strapline", standalone_mode=False) in {None, 0}


def settings(folder: Path) -> tuple[Path, Path]:
    """Configuration files of a bridge and of a server."""
    bridge, server = folder / "bridge.toml", folder / "server.toml"
    bridge.write_text('state_dir = "state"\n')
    server.write_text(f'[server]\nstate_folder = "{folder / "server"}"\nport = 0\n')
    return bridge, server


def test_the_command_that_is_printed_is_the_one_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge, server = settings(tmp_path)
    typed("server", "user", "add", "Maren Holt", "--config", str(server))
    capsys.readouterr()
    typed("bridge", "key", "--config", str(bridge))
    told = capsys.readouterr()
    assert re.fullmatch(r"MCowBQYDK2VwAyEA[\w+/]{43}=\n", told.out)
    assert (tmp_path / "state" / "key").stat().st_mode & 0o777 == 0o600
    assert str(tmp_path / "state" / "key") in told.err.replace("\n", "")
    (line,) = re.findall(r"^\s*strapline (server bridge .*)$", told.err, re.MULTILINE)
    words = [word.replace("ID,...", "maren-holt") for word in shlex.split(line)]
    assert words[-1] == told.out.strip()
    typed(*words, "--config", str(server))
    principal = capsys.readouterr().out.strip()
    assert principal.startswith("bridge-")
    # Told again, and the same.
    typed("bridge", "key", "--config", str(bridge))
    again = capsys.readouterr()
    assert again.out == told.out
    assert "Kept in" in again.err


async def test_a_bridge_comes_in_with_the_key_that_was_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load(settings(tmp_path)[0])
    print_key(config)
    line = capsys.readouterr().out.strip()
    here = ServerConfig(state_folder=tmp_path / "server", port=0)
    async with Server(here) as server:
        await add_person(here, "Maren Holt", None, None)
        tokens = configured_tokens(config)
        token = await tokens.token(wall_ms())
        assert (await refusal(server, token))[0] == 4401
        await enrol(here, "Gym Pi", ("maren-holt",), everyone=False, public_key=line)
        assert capsys.readouterr().out.endswith("bridge-gym-pi\n")
        async with joined(server, token) as bridge:
            await revoke(here, "Gym Pi")
            assert (await bridge.ended())[0] == 4403
        assert (await refusal(server, token))[0] == 4401


async def test_a_file_is_a_key_too_and_anything_else_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_key(BridgeConfig(state_dir=tmp_path / "state"))
    line = capsys.readouterr().out.strip()
    here = ServerConfig(state_folder=tmp_path / "server")
    path = tmp_path / "public"
    path.write_text(line)
    path.chmod(0o644)
    await enrol(here, "Pi", (), everyone=True, public_key=str(path))
    for given in ("", "x" * 5_000, str(tmp_path / "none"), str(tmp_path / "state" / "key"), "é"):
        with pytest.raises(SecretError, match="Ed25519 public key"):
            await enrol(here, "Other", (), everyone=True, public_key=given)
    with pytest.raises(AdminError, match="another bridge's"):
        await enrol(here, "Other", (), everyone=True, public_key=line)
    for everyone, users in ((True, ("maren",)), (False, ())):
        with pytest.raises(CommandError, match="--users"):
            await enrol(here, "Pi", users, everyone=everyone, public_key=line)


def test_a_key_beside_a_named_token_file_is_not_made(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text('state_dir = "state"\n[server]\ntoken_file = "token"\n')
    with pytest.raises(CommandError, match="names a `token_file`"):
        print_key(load(config))
    assert not (tmp_path / "state").exists()
