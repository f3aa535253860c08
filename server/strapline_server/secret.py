"""The secret that signs tokens: made once, kept in a file that nobody else can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from strapline_server.errors import SecretError

SHORTEST_BYTES: Final = 32
_LEAST_DISTINCT: Final = 10
_SAMPLE: Final = b"your-jwt-secret"
_MAKE: Final = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
_LARGEST_FILE: Final = 4_096


def check_secret(secret: bytes, origin: str) -> bytes:
    """The secret, if it is fit to sign with.

    Raises:
        SecretError: it is short, the documentation's sample, too simple, or a public key, which
            everybody knows (RFC 8725 section 2.1).
    """
    reason = None
    if len(secret) < SHORTEST_BYTES:
        reason = f"has {len(secret)} bytes and needs {SHORTEST_BYTES}"
    elif _SAMPLE in secret:
        reason = "is the documentation's sample, which everybody knows"
    elif len(set(secret)) < _LEAST_DISTINCT:
        reason = "repeats a few characters"
    elif _is_key_document(secret):
        reason = "is a key document (PEM, DER or JWK), whose content may be public"
    if reason is not None:
        raise SecretError(f"{origin}: the secret {reason}. Make a good one: {_MAKE}")
    return secret


def _is_key_document(secret: bytes) -> bool:
    text = secret.lstrip()
    if text.startswith((b"-----BEGIN", b"ssh-")) or (text.startswith(b"{") and b'"kty"' in text):
        return True
    if text.startswith(b"{") and b'"keys"' in text:
        return True
    # DER: a SEQUENCE whose length is the rest of the file (X.690 section 8.1).
    short = secret[0] == 0x30 and secret[1] == len(secret) - 2
    long = secret[:2] == b"\x30\x82" and int.from_bytes(secret[2:4], "big") == len(secret) - 4
    return short or long or (secret[:2] == b"\x30\x81" and secret[2] == len(secret) - 3)


def load_secret(path: Path) -> bytes:
    """The secret in this file, one trailing line break apart.

    Raises:
        SecretError: there is none, others may read it, or it is not fit to sign with.
    """
    try:
        mode = path.stat().st_mode
        if mode & 0o077:
            raise SecretError(
                f"{path}: others may read the secret (mode {mode & 0o777:04o}). "
                f"Run: chmod 600 {path}"
            )
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise SecretError(
            f"{path}: the secret cannot be read ({error.strerror}). Let this user read it, or "
            "remove it and let `strapline server run` make one."
        ) from error
    if len(content) > _LARGEST_FILE:
        raise SecretError(f"{path}: is over {_LARGEST_FILE} bytes and so no secret. Make: {_MAKE}")
    return check_secret(content.removesuffix(b"\n").removesuffix(b"\r"), str(path))


def load_or_make_secret(path: Path) -> bytes:
    """The secret in this file, which is made when there is none: 32 random bytes, base64url.

    Raises:
        SecretError: it cannot be made, or as :func:`load_secret`.
    """
    try:
        if not path.exists():
            _make(path)
    except OSError as error:
        raise SecretError(
            f"{path}: the secret cannot be made ({error.strerror}). Make the folder {path.parent}, "
            "let this user write to it, or set another secret_file."
        ) from error
    return load_secret(path)


def _make(path: Path) -> None:
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(SHORTEST_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, not a rename: of two processes that start at once, one wins for both.
            os.link(scratch, path)
        except FileExistsError:
            return
    finally:
        scratch.unlink()
