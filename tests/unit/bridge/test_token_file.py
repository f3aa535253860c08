"""The token file: real files, real modes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from strapline_bridge.token_file import TokenFileError, read_token

_TOKEN = "abc.def-ghi_jkl"


def _file(tmp_path: Path, content: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "bridge.token"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("content", [_TOKEN, _TOKEN + "\n", f"  {_TOKEN}\r\n"])
def test_reads_what_stands_there(tmp_path: Path, content: str) -> None:
    assert read_token(_file(tmp_path, content.encode())) == _TOKEN


def test_reads_anew(tmp_path: Path) -> None:
    path = _file(tmp_path, b"one")
    assert read_token(path) == "one"
    path.write_text("two")
    assert read_token(path) == "two"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o644])
def test_refuses_what_others_can_read(tmp_path: Path, mode: int) -> None:
    with pytest.raises(TokenFileError, match="chmod 600"):
        read_token(_file(tmp_path, _TOKEN.encode(), mode))


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xc3\xa9", b"a" * 16_385, b"a\0b"])
def test_refuses_what_is_no_token(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(TokenFileError, match="holds no token") as refused:
        read_token(_file(tmp_path, content))
    assert "words" not in str(refused.value)


def test_takes_the_longest_token(tmp_path: Path) -> None:
    assert len(read_token(_file(tmp_path, b"a" * 16_384))) == 16_384


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        TokenFileError,
        match=r"no token file .*bridge.token.*"
        r"`strapline server token --bridge NAME --users ID,...`.*`chmod 600 .*bridge.token`",
    ):
        read_token(tmp_path / "bridge.token")


def test_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match="not a file"):
        read_token(tmp_path)


def test_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(TokenFileError, match="not a file"):
        read_token(tmp_path / "pipe")
