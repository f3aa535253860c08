"""The signing secret: made good, kept to its owner, refused when it is weak."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strapline_server.errors import SecretError
from strapline_server.secret import check_secret, load_or_make_secret, load_secret

GOOD = b"kZ3v9qLr_W0pT7sYxB2nM5cD8fGhJ1aE4uI6oQwErTy"


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_missing_secret_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = load_or_make_secret(path)
    assert len(made) >= 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]
    assert load_or_make_secret(path) == made
    assert load_or_make_secret(tmp_path / "another") != made


def test_of_two_that_make_one_at_once_both_have_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    other = write(tmp_path / "other", GOOD + b"\n")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    other.rename(path)
    assert load_or_make_secret(path) == GOOD


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "secret", GOOD, mode)
    with pytest.raises(SecretError, match=f"chmod 600 {path}"):
        load_secret(path)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_line_break_at_the_end_is_not_the_secret(tmp_path: Path, end: bytes) -> None:
    assert load_secret(write(tmp_path / "secret", GOOD + end)) == GOOD


def test_a_secret_that_is_not_there_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="strapline server run"):
        load_secret(tmp_path / "secret")


def test_a_file_that_is_no_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="over 4096 bytes"):
        load_secret(write(tmp_path / "secret", GOOD * 200))


def _keys() -> list[bytes]:
    public = Ed25519PrivateKey.generate().public_key()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    return [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        b"\x30\x81" + bytes([150]) + bytes(range(150)),
        b"\x30\x82\x01\x00" + bytes(range(256)),
        json.dumps(jwk).encode(),
        json.dumps({"keys": [jwk]}).encode(),
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7Yk8e0m",
    ]


@pytest.mark.parametrize("number", range(7))
def test_a_public_key_is_no_secret(number: int) -> None:
    with pytest.raises(SecretError, match="key document"):
        check_secret(_keys()[number], "secret")


@pytest.mark.parametrize(
    ("secret", "cause"),
    [
        (b"", "has 0 bytes"),
        (GOOD[:31], "has 31 bytes"),
        (b"your-jwt-secret", "has 15 bytes"),
        (b"your-jwt-secret-your-jwt-secret-your", "sample"),
        (b"0" * 64, "repeats"),
        (b"abcabcabc" * 9, "repeats"),
    ],
    ids=str,
)
def test_a_weak_secret_is_refused_with_the_command_for_a_good_one(
    secret: bytes, cause: str
) -> None:
    with pytest.raises(SecretError, match=cause) as caught:
        check_secret(secret, "secret")
    assert "secrets.token_urlsafe(32)" in str(caught.value)


def test_a_good_secret_is_itself() -> None:
    assert check_secret(GOOD, "secret") == GOOD


def test_a_folder_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"cannot be made .*Make the folder .*gone") as caught:
        load_or_make_secret(tmp_path / "gone" / "secret")
    assert "another secret_file" in str(caught.value)
