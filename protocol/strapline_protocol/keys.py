"""How an Ed25519 public key is named: the same at the bridge that signs and at the server."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

#: An Ed25519 public key's length in bytes (RFC 8032 section 5.1.5).
PUBLIC_KEY_BYTES: Final = 32
#: The form of :func:`key_id`, by which a header's ``kid`` is told from anything else.
KEY_ID_PATTERN: Final = r"[A-Za-z0-9_-]{43}"
#: How long a token lives at most that a bridge signed with a key of its own, in s.
LONGEST_OWN_LIFE_S: Final = 86_400


def key_id(public_key: bytes) -> str:
    """The key's JWK thumbprint (RFC 7638, RFC 8037 appendix A.3), which a token's ``kid`` carries.

    Args:
        public_key: its 32 bytes.
    """
    x = base64.urlsafe_b64encode(public_key).decode().rstrip("=")
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(jwk.encode()).digest()).decode().rstrip("=")
