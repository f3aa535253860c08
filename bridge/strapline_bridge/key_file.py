"""The bridge's own Ed25519 key: made once, kept for its owner alone, never sent anywhere."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from strapline_bridge.errors import BridgeError
from strapline_bridge.private_file import read_private
from strapline_protocol.keys import key_id
from strapline_protocol.opening import Role

#: How long a token lives that the bridge signs for a connection; renewed in it at half of that.
TOKEN_LIFE_S: Final = 3_600
_MOST_BYTES: Final = 4 * 1_024
_ALGORITHM: Final = "EdDSA"
_AUDIENCE: Final = "strapline"
_MAKE_ONE: Final = (
    "Make one with `strapline bridge key`, and tell the server of it with the command that this "
    "prints"
)


class KeyFileError(BridgeError):
    """The key cannot be had, or not safely. The text never holds any of it."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A bridge's key pair."""

    _private: Ed25519PrivateKey

    @property
    def id(self) -> str:
        """What the server knows it by: its thumbprint."""
        public = self._private.public_key()
        return key_id(public.public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def public_line(self) -> str:
        """The public key in one line: the base64 of its DER form (RFC 8410 section 4)."""
        der = self._private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def sign(self, now_ms: int) -> str:
        """A token of this bridge from ``now_ms`` wall time on, for :data:`TOKEN_LIFE_S`."""
        now_s = now_ms // 1_000
        claims = {
            # What the server calls this bridge is its own affair.
            "sub": self.id,
            "role": Role.BRIDGE.value,
            "aud": _AUDIENCE,
            "iat": now_s,
            "exp": now_s + TOKEN_LIFE_S,
        }
        return jwt.encode(claims, self._private, _ALGORITHM, {"kid": self.id})


def load_key(path: Path) -> OwnKey:
    """The key in this file (PEM, PKCS #8).

    Raises:
        KeyFileError: there is none, others can read it, or it holds something else.
    """
    content = read_private(path, "key file", _MOST_BYTES, _MAKE_ONE, KeyFileError)
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"the key file {path} holds no private key", _remake(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"the key file {path} holds a key that is not Ed25519", _remake(path))
    return OwnKey(key)


def load_or_make_key(path: Path) -> OwnKey:
    """The key in this file, which is made when there is none.

    Raises:
        KeyFileError: it cannot be made, or as :func:`load_key`.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
    except OSError as error:
        raise KeyFileError(
            f"the key file {path} cannot be made: {error.strerror}",
            f"Let this user write to {path.parent}, or run this as the user that runs the bridge",
        ) from error
    return load_key(path)


def _remake(path: Path) -> str:
    return (
        f"Remove it and make another with `strapline bridge key`, if nobody needs what is in {path}"
    )


def _make(path: Path, chown: Callable[[int, int, int], None] = os.fchown) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if os.geteuid() == 0:
                # Made by an administrator for a service: whose the folder is, runs the bridge.
                owner = path.parent.stat()
                chown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: a key that came meanwhile stays.
        os.link(scratch, path)
    except FileExistsError:
        return
    finally:
        scratch.unlink()
