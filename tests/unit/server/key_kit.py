"""Tokens of any header and any payload, signed well with whatever key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strapline_server.keys import PublicKey

Signer = bytes | Ed25519PrivateKey


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sign(payload: bytes, header: Mapping[str, object], key: Signer) -> str:
    """A secret signs HS256 and a private key Ed25519, whatever the header says."""
    body = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
    if isinstance(key, bytes):
        signature = hmac.digest(key, body.encode(), hashlib.sha256)
    else:
        signature = key.sign(body.encode())
    return f"{body}.{encoded(signature)}"


def public_key(key: Ed25519PrivateKey) -> PublicKey:
    return PublicKey.of(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def forms_of(key: Ed25519PublicKey) -> dict[str, bytes]:
    """All that a public key may be written as, each of which was once taken for a secret."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps({"kty": "OKP", "crv": "Ed25519", "x": encoded(raw)}).encode()
    return {
        "pem": pem,
        "pem without its end": pem.strip(),
        "der": der,
        "der in base64": base64.b64encode(der),
        "ssh": key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": jwk,
        "jwks": b'{"keys":[' + jwk + b"]}",
        "raw": raw,
        "raw in base64url": encoded(raw).encode(),
        "raw in hex": raw.hex().encode(),
    }
