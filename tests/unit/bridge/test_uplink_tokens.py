"""Tokens: from a file that is read anew, or signed for the moment."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from strapline_bridge.errors import BridgeError
from strapline_bridge.uplink import FileTokens, SignedTokens, tokens


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
