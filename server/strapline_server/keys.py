"""Ed25519 public keys: out of a file or a line, refused where they are anything else."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from strapline_protocol.keys import key_id
from strapline_server.errors import SecretError

_LOG = logging.getLogger(__name__)
_LARGEST: Final = 4_096
_OTHERS_WRITE: Final = 0o022
_PEM: Final = b"-----BEGIN"
_FORM: Final = (
    "It is to be an Ed25519 public key, as PEM or as the one line that `strapline bridge key` "
    "prints. Of a private key: openssl pkey -in private.pem -pubout"
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One Ed25519 public key. ``id`` is what a token's ``kid`` names it by."""

    id: str
    key: Ed25519PublicKey

    @classmethod
    def of(cls, raw: bytes) -> PublicKey:
        """From its 32 bytes.

        Raises:
            ValueError: they are not 32.
        """
        return cls(key_id(raw), Ed25519PublicKey.from_public_bytes(raw))

    @property
    def raw(self) -> bytes:
        """Its 32 bytes."""
        return self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def parse_public_key(text: bytes, origin: str) -> PublicKey:
    """The key in a PEM document, or in the base64 of its DER form (RFC 8410 section 4).

    Raises:
        SecretError: it holds something else; nothing of it is told.
    """
    text = text.strip()
    if b"PRIVATE" in text:
        raise SecretError(
            f"{origin}: holds a private key, which stays where it was made. {_FORM} -out public.pem"
        )
    try:
        if text.startswith(_PEM):
            key = load_pem_public_key(text)
        else:
            key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise SecretError(f"{origin}: holds no public key. {_FORM} -out public.pem") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SecretError(
            f"{origin}: is a key of another kind. {_FORM.partition('. ')[0]}. "
            "Make one: openssl genpkey -algorithm ed25519 -out private.pem"
        )
    return PublicKey.of(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def load_public_key(path: Path) -> PublicKey:
    """The key in this file.

    Raises:
        SecretError: it cannot be read, others may change it, or it holds something else.
    """
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise SecretError(
            f"{path}: the public key cannot be read ({error.strerror}). Let this user read it, or "
            "name another file."
        ) from error
    if mode & _OTHERS_WRITE:
        # Whoever may put another key there may say who anybody is.
        raise SecretError(
            f"{path}: others may change the public key (mode {mode & 0o777:04o}). "
            f"Run: chmod go-w {path}"
        )
    if len(content) > _LARGEST:
        raise SecretError(f"{path}: is over {_LARGEST} bytes and so no public key. {_FORM}")
    return parse_public_key(content, str(path))


def load_public_keys(paths: Sequence[Path]) -> dict[str, PublicKey]:
    """The keys in these files by their ids.

    Raises:
        SecretError: as :func:`load_public_key`.
    """
    found = {}
    for path in paths:
        key = load_public_key(path)
        found[key.id] = key
        _LOG.info("tokens of the key %s (%s) are good here", key.id, path)
    return found
