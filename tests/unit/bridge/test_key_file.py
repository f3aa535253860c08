"""The bridge's own key: made once, for its owner alone, and what it signs."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from strapline_bridge import key_file
from strapline_bridge.key_file import TOKEN_LIFE_S, KeyFileError, load_key, load_or_make_key


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "key"
    made = load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert _names(path.parent) == ["key"]
    content = path.read_bytes()
    assert load_or_make_key(path).id == load_key(path).id == made.id
    assert path.read_bytes() == content
    assert load_or_make_key(tmp_path / "other").id != made.id


def test_of_two_that_make_it_at_once_one_wins_for_both(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(load_or_make_key(tmp_path / "key").id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert _names(tmp_path) == ["key"]


def test_what_an_administrator_makes_belongs_to_whom_the_folder_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("os.geteuid", lambda: 0)
    folder = tmp_path.stat()
    key_file._make(tmp_path / "key", lambda _, user, group: given.append((user, group)))
    assert given == [(folder.st_uid, folder.st_gid)]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_or_make_key(path)
    path.chmod(mode)
    for look in (load_key, load_or_make_key):
        with pytest.raises(KeyFileError, match="chmod 600"):
            look(path)


def test_a_missing_key_is_named_with_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"no key file .*`strapline bridge key`"):
        load_key(tmp_path / "key")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileError, match="cannot be made: File exists"):
        load_or_make_key(tmp_path / "file" / "key")


OTHER = ec.generate_private_key(ec.SECP256R1())
CONTENTS = {
    "nothing": (b"", "no private key"),
    "text": (b"secret words", "no private key"),
    "another kind": (
        OTHER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "not Ed25519",
    ),
    "encrypted": (
        Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"words")
        ),
        "no private key",
    ),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_no_key_is_refused_and_not_told(tmp_path: Path, kind: str) -> None:
    content, said = CONTENTS[kind]
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=said) as refused:
        load_key(path)
    assert "words" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_token_says_who_until_when_and_for_whom(tmp_path: Path) -> None:
    key = load_or_make_key(tmp_path / "key")
    public = load_der_public_key(base64.b64decode(key.public_line))
    assert isinstance(public, Ed25519PublicKey)
    token = key.sign(1_795_521_600_999)
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": key.id, "typ": "JWT"}
    told = jwt.decode(token, public, ["EdDSA"], audience="strapline", options={"verify_exp": False})
    assert told == {
        "sub": key.id,
        "role": "bridge",
        "aud": "strapline",
        "iat": 1_795_521_600,
        "exp": 1_795_521_600 + TOKEN_LIFE_S,
    }


def test_nothing_shows_the_private_key(tmp_path: Path) -> None:
    key = load_or_make_key(tmp_path / "key")
    secret = (tmp_path / "key").read_text().splitlines()[1]
    raw = base64.b64decode(secret)[-32:]
    for shown in (repr(key), str(key), key.public_line, key.id):
        assert secret not in shown
        assert raw.hex() not in shown
