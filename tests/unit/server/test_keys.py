"""Public keys out of files and lines: Ed25519 and nothing else, and nobody else may change them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from strapline_server.errors import SecretError
from strapline_server.keys import PublicKey, load_public_key, load_public_keys, parse_public_key
from tests.unit.server.key_kit import forms_of, public_key

PRIVATE = Ed25519PrivateKey.generate()
FORMS = forms_of(PRIVATE.public_key())


def pem_file(path: Path, content: bytes = FORMS["pem"], mode: int = 0o644) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("form", ["pem", "pem without its end", "der in base64"])
def test_a_document_or_a_line_is_a_key(form: str) -> None:
    assert parse_public_key(FORMS[form] + b"\r\n", "it").raw == public_key(PRIVATE).raw


def test_the_id_is_the_thumbprint_of_rfc_8037() -> None:
    """Appendix A.3."""
    raw = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    assert PublicKey.of(raw).id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


OTHERS: dict[str, ec.EllipticCurvePublicKey | x25519.X25519PublicKey | ed448.Ed448PublicKey] = {
    "P-256": ec.generate_private_key(ec.SECP256R1()).public_key(),
    "X25519": x25519.X25519PrivateKey.generate().public_key(),
    "Ed448": ed448.Ed448PrivateKey.generate().public_key(),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_key_of_another_kind_is_refused(kind: str) -> None:
    pem = OTHERS[kind].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(SecretError, match="it: is a key of another kind"):
        parse_public_key(pem, "it")


def test_a_private_key_is_refused_and_not_told() -> None:
    pem = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(SecretError, match="holds a private key") as caught:
        parse_public_key(pem, "it")
    assert pem.splitlines()[1].decode() not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [b"", b"x", b"-----BEGIN PUBLIC KEY-----", *(FORMS[f] for f in ("raw", "jwk", "jwks", "ssh"))],
    ids=["nothing", "letter", "head", "raw", "jwk", "jwks", "ssh"],
)
def test_what_is_no_key_is_refused_with_what_makes_one(text: bytes) -> None:
    with pytest.raises(SecretError, match="openssl pkey") as caught:
        parse_public_key(text, "it")
    assert caught.value.__suppress_context__


def test_keys_are_found_by_their_ids(tmp_path: Path) -> None:
    other = Ed25519PrivateKey.generate()
    paths = [
        pem_file(tmp_path / "one.pem"),
        pem_file(tmp_path / "two.pem", forms_of(other.public_key())["pem"]),
        pem_file(tmp_path / "one again.pem"),
    ]
    assert load_public_keys(paths).keys() == {public_key(PRIVATE).id, public_key(other).id}


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o622])
def test_a_file_that_others_may_change_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SecretError, match=r"others may change .* chmod go-w"):
        load_public_key(pem_file(tmp_path / "host.pem", mode=mode))


def test_a_file_that_is_not_there_or_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="cannot be read"):
        load_public_key(tmp_path / "none.pem")
    with pytest.raises(SecretError, match="over 4096 bytes"):
        load_public_key(pem_file(tmp_path / "large.pem", FORMS["pem"] + b" " * 4_096))
