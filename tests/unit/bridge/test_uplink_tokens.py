"""Tokens: from a file that is read anew, or signed for the moment."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import jwt
import pytest

from strapline_bridge.clock import ClockState, TimeSource
from strapline_bridge.config import BridgeConfig, ServerSection
from strapline_bridge.errors import BridgeError
from strapline_bridge.key_file import load_or_make_key
from strapline_bridge.uplink import (
    FileTokens,
    KeyTokens,
    SignedTokens,
    TokenSource,
    configured_tokens,
    tokens,
)


def _write(path: Path, text: str, mode: int = 0o600) -> FileTokens:
    path.write_text(text)
    path.chmod(mode)
    return FileTokens(path)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_the_file_is_read_anew_each_time(tmp_path: Path) -> None:
    source = _write(tmp_path / "token", "first\n")
    assert await source.token(0) == "first"
    _write(tmp_path / "token", "second\n")
    assert await source.token(0) == "second"


async def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    source = _write(tmp_path / "token", "secret\n", mode=0o644)
    with pytest.raises(BridgeError, match="chmod 600") as refused:
        await source.token(0)
    assert "secret" not in str(refused.value)


async def test_the_next_token_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    source = _write(tmp_path / "token", "first\n")
    await source.keep("next")
    assert await source.token(0) == "next"
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert _names(tmp_path) == ["token"]


async def test_a_token_that_cannot_be_kept_is_said_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, token: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tokens, "_replace", refuse)
    with caplog.at_level(logging.WARNING):
        await FileTokens(tmp_path / "token").keep("the-secret")
    assert "Permission denied" in caplog.text
    assert "the-secret" not in caplog.text


async def test_a_replacement_that_fails_leaves_the_old_one_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _write(tmp_path / "token", "first\n")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    await source.keep("next")
    assert _names(tmp_path) == ["token"]
    assert await source.token(0) == "first"


async def test_a_signed_token_is_dated_by_the_server(tmp_path: Path) -> None:
    source = SignedTokens(lambda server_time_ms: f"signed-at-{server_time_ms}")
    assert await source.token(1_234) == "signed-at-1234"
    await source.keep("another")
    assert await source.token(5) == "signed-at-5"


class _Wall:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


def _made_at(token: str) -> int:
    made: int = jwt.decode(token, options={"verify_signature": False})["iat"]
    return made


_DAY_MS = 86_400_000
_NOW_MS = 1_795_521_600_000


@pytest.mark.parametrize(
    ("source", "own_ms", "dated_ms"),
    [
        (TimeSource.SYSTEM, _NOW_MS - 5_000, _NOW_MS),
        (TimeSource.SYSTEM, _NOW_MS - _DAY_MS, _NOW_MS),
        (TimeSource.SYSTEM, _NOW_MS - _DAY_MS - 1, _NOW_MS - _DAY_MS - 1),
        (TimeSource.SYSTEM, _NOW_MS + 400 * _DAY_MS, _NOW_MS + 400 * _DAY_MS),
        (TimeSource.ESTIMATE, 0, _NOW_MS),
        (TimeSource.ESTIMATE, _NOW_MS + 400 * _DAY_MS, _NOW_MS),
    ],
)
async def test_a_bridge_dates_its_token_by_the_server_unless_it_knows_better(
    tmp_path: Path, source: TimeSource, own_ms: int, dated_ms: int
) -> None:
    load_or_make_key(tmp_path / "key")
    own = KeyTokens(tmp_path / "key", _Wall(own_ms), lambda: ClockState(source, 1))
    assert _made_at(await own.token(_NOW_MS)) == dated_ms // 1_000
    await own.keep("another")
    assert _names(tmp_path) == ["key"]


async def test_the_key_is_read_anew_each_time(tmp_path: Path) -> None:
    own = KeyTokens(tmp_path / "key")
    with pytest.raises(BridgeError, match="no key file"):
        await own.token(_NOW_MS)
    first = load_or_make_key(tmp_path / "key")
    assert jwt.get_unverified_header(await own.token(_NOW_MS))["kid"] == first.id
    (tmp_path / "key").unlink()
    second = load_or_make_key(tmp_path / "key")
    assert jwt.get_unverified_header(await own.token(_NOW_MS))["kid"] == second.id


def test_a_key_that_was_made_is_used_unless_a_token_file_is_named(tmp_path: Path) -> None:
    def source(**named: Path) -> TokenSource:
        return configured_tokens(
            BridgeConfig(state_dir=tmp_path, server=ServerSection(**named))  # type: ignore[arg-type]  # the other keys are not paths
        )

    assert isinstance(source(), FileTokens)
    assert isinstance(source(key_file=tmp_path / "elsewhere"), KeyTokens)
    load_or_make_key(tmp_path / "key")
    assert isinstance(source(), KeyTokens)
    assert isinstance(source(token_file=tmp_path / "token"), FileTokens)
