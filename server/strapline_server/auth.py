"""Tokens: JSON Web Tokens (RFC 7519), each checked with one key and that key's algorithm alone.

A token says who (`sub`), in which role, for this audience, until when. What that principal may
see or publish stands in the store. PyJWT checks form and signature; the claims are checked
here, since its defaults accept a token without `exp`, with one as text, or one far away.

Which key a token is checked with, by the `kid` of its header; its `alg` decides nothing and has
to be that key's (RFC 8725 section 3.1):

============= =================================================================================
`strapline`   the server's own secret, HS256: this server made it, and makes the next one too
none          the only key of the host application's issuer, Ed25519; without any, the secret
an issuer's   that key, Ed25519
another       a bridge's own key, Ed25519, if the store has it; it speaks for that bridge alone
============= =================================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt import PyJWTError
from jwt.algorithms import OKPAlgorithm
from jwt.api_jws import PyJWS
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from strapline_protocol.keys import KEY_ID_PATTERN, LONGEST_OWN_LIFE_S
from strapline_protocol.opening import Role
from strapline_server.errors import TokenError
from strapline_server.keys import PublicKey
from strapline_server.secret import check_secret

HS256: Final = "HS256"
#: Both names of one algorithm: RFC 8037 section 3.1, and RFC 9864 section 2.2 in its place.
EDDSA: Final = ("EdDSA", "Ed25519")
#: The `kid` of the server's own secret.
OWN_KEY: Final = "strapline"
AUDIENCE: Final = "strapline"
LARGEST_TOKEN: Final = 16_384
#: No token lives longer, whoever made it.
LONGEST_LIFE_S: Final = 400 * 86_400
#: A dashboard link's token.
LINK_LIFE_S: Final = 30 * 86_400
#: How far a maker's clock may be ahead of ours. `exp` has no leeway.
LEEWAY_S: Final = 5
#: By how much our clock may have been set back since the longest-lived token was made.
_SET_BACK_S: Final = 86_400

#: RFC 7515 section 7.1: three parts in base64url, which has no padding (section 2).
_FORM: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
#: RFC 7515 section 4.1, RFC 7797, RFC 7516: what changes how a token is to be read.
_REFUSED_HEADERS: Final = frozenset({"crit", "b64", "zip", "enc"})
_KEY_ID: Final = re.compile(KEY_ID_PATTERN)
_NO_KEY: Final = "token: signed with a key that is not known here"
_NO_KEYS: Final[Mapping[str, PublicKey]] = MappingProxyType({})

Key = bytes | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says.

    Attributes:
        lifetime_s: how long it was made for.
        bridge_key: the id of the bridge's own key that signed it.
        issued_here: this server made it, and so makes the next one.
        generation: of one that this server made, which it is of: it is good while the store has
            the same one for its principal.
    """

    sub: str
    role: Role
    expires_ms: int
    lifetime_s: int
    bridge_key: str | None = None
    issued_here: bool = False
    generation: str | None = None


@dataclass(frozen=True, slots=True)
class BridgeKey:
    """A bridge's own key and the principal that it speaks for."""

    sub: str
    key: PublicKey


class _Payload(BaseModel):
    """The claims that count; all others are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)

    sub: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]
    role: Literal["bridge", "viewer"]
    aud: Literal["strapline"]
    exp: int
    nbf: int | None = None
    iat: int | None = None
    #: Ours; another maker may say anything by this name.
    gen: JsonValue = None


class Authority:
    """Makes tokens with one secret, and checks them with that or with public keys.

    Args:
        secret: see :func:`~strapline_server.secret.check_secret`.
        clock: wall time, ms.
        issuers: public keys of the host application's issuer, by their ids.
    """

    def __init__(
        self,
        secret: bytes,
        clock: Callable[[], int],
        issuers: Mapping[str, PublicKey] = _NO_KEYS,
    ) -> None:
        self._secret = check_secret(secret, "secret")
        self._clock = clock
        self._issuers = MappingProxyType(dict(issuers))

    def issue(self, sub: str, role: Role, lifetime_s: int, generation: str | None = None) -> str:
        """A token for this principal from now on.

        Args:
            sub: the principal.
            role: bridge or viewer.
            lifetime_s: for how long.
            generation: what the store has for this principal; without any the token names none.

        Raises:
            TokenError: the lifetime is not between a second and the longest.
        """
        check_life(lifetime_s)
        now_s = self._clock() // 1000
        claims = {
            "sub": sub,
            "role": role.value,
            "aud": AUDIENCE,
            "iat": now_s,
            "exp": now_s + lifetime_s,
        }
        if generation is not None:
            claims["gen"] = generation
        _Payload.model_validate(claims)
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return _checker((HS256,)).encode(payload, self._secret, HS256, {"kid": OWN_KEY})

    def is_issuers(self, key: PublicKey) -> bool:
        """Whether this is a key of the host application's issuer."""
        return key.id in self._issuers

    def bridge_key_of(self, token: str) -> str | None:
        """The id of the bridge's key that this token is to be checked with, to be looked up.

        None where it is checked with a key that is known here. Nothing is verified by this.

        Raises:
            TokenError: it is no token, or names a key in a form that no key has.
        """
        kid = _header(token).get("kid")
        if kid is None or kid == OWN_KEY or kid in self._issuers:
            return None
        if not isinstance(kid, str) or not _KEY_ID.fullmatch(kid):
            raise TokenError(_NO_KEY)
        return kid

    def verify(self, token: str, bridge: BridgeKey | None = None) -> Claims:
        """What a good token says.

        Args:
            token: whatever came.
            bridge: the store's key of the id that :meth:`bridge_key_of` gave.

        Raises:
            TokenError: anything is wrong with it; the text does not hold the token.
        """
        kid = _header(token).get("kid")
        longest_s = LONGEST_LIFE_S
        if kid is not None and bridge is not None and kid == bridge.key.id:
            payload = _of_bridge(_payload(signed_payload(token, bridge.key.key)), bridge)
            longest_s = LONGEST_OWN_LIFE_S
        else:
            bridge = None
            payload = _payload(signed_payload(token, self._key(kid)))
        lifetime_s = self._check_times(payload, longest_s)
        return Claims(
            sub=payload.sub,
            role=Role(payload.role),
            expires_ms=payload.exp * 1000,
            lifetime_s=lifetime_s,
            bridge_key=bridge.key.id if bridge is not None else None,
            issued_here=kid == OWN_KEY,
            generation=payload.gen if kid == OWN_KEY and isinstance(payload.gen, str) else None,
        )

    def _key(self, kid: object) -> Key:
        if kid is None and len(self._issuers) == 1:
            return next(iter(self._issuers.values())).key
        if kid is None and self._issuers:
            raise TokenError("token: there are several keys here, and its header names none (kid)")
        if kid is None or kid == OWN_KEY:
            return self._secret
        issuer = self._issuers.get(kid) if isinstance(kid, str) else None
        if issuer is None:
            raise TokenError(_NO_KEY)
        return issuer.key

    def _check_times(self, payload: _Payload, longest_s: int) -> int:
        """For how long it was made, in s."""
        now_s = self._clock() / 1000
        if payload.exp <= now_s:
            raise TokenError("token: expired")
        if payload.exp > now_s + longest_s + _SET_BACK_S:
            raise TokenError(f"token: exp is more than {longest_s // 86_400} days away")
        if payload.nbf is not None and payload.nbf > now_s + LEEWAY_S:
            raise TokenError("token: nbf is in the future")
        # `iat` refuses nothing (RFC 7519 section 4.1.6): after a clock was set back, every token
        # made before seems to come from the future, and nobody could come in any more.
        made_s = now_s
        if payload.iat is not None and payload.iat < payload.exp:
            made_s = payload.iat
        return max(1, min(longest_s, int(payload.exp - made_s)))


def check_life(lifetime_s: int) -> None:
    """Whether a token can be made for so long.

    Raises:
        TokenError: it is not between a second and the longest.
    """
    if not 1 <= lifetime_s <= LONGEST_LIFE_S:
        raise TokenError(f"a token lives 1 to {LONGEST_LIFE_S} s, not {lifetime_s}")


@cache
def _checker(algorithms: tuple[str, ...]) -> PyJWS:
    """What checks these and no other; to make one costs more than to check with it."""
    jws = PyJWS(algorithms=algorithms)
    if EDDSA[1] in algorithms:
        jws.register_algorithm(EDDSA[1], OKPAlgorithm())
    return jws


def _header(token: str) -> Mapping[str, Any]:
    """The header, of which nothing is verified yet.

    Raises:
        TokenError: it is none, or something in it changes how the token is to be read.
    """
    if len(token) > LARGEST_TOKEN:
        raise TokenError(f"token: over {LARGEST_TOKEN} characters")
    if not _FORM.fullmatch(token):
        raise TokenError("token: not a signed token")
    try:
        header = _checker(()).get_unverified_header(token)
    except (PyJWTError, ValueError, RecursionError) as error:
        # The cause could quote the token.
        raise TokenError(f"token: {_plain(error)}") from None
    if refused := _REFUSED_HEADERS & header.keys():
        raise TokenError(f"token: header {', '.join(sorted(refused))} is not supported")
    return header


def signed_payload(token: str, key: Key) -> bytes:
    """What was signed with this key, before any claim is looked at.

    A secret checks HS256 and a public key Ed25519, whatever the header says.

    Raises:
        TokenError: it was not, or something in the header changes how it is to be read.
    """
    header = _header(token)
    algorithms = (HS256,) if isinstance(key, bytes) else EDDSA
    if header.get("alg") not in algorithms:
        raise TokenError(f"token: not signed with {algorithms[0]}, as its key is")
    try:
        payload: bytes = _checker(algorithms).decode(token, key, algorithms)
    except (PyJWTError, ValueError, RecursionError) as error:
        raise TokenError(f"token: {_plain(error)}") from None
    return payload


def _of_bridge(payload: _Payload, bridge: BridgeKey) -> _Payload:
    """A bridge knows itself by its key alone, or by its principal as well; and nobody else."""
    if payload.role != Role.BRIDGE.value or payload.sub not in {bridge.sub, bridge.key.id}:
        raise TokenError("token: a bridge's key speaks for that bridge alone")
    return payload.model_copy(update={"sub": bridge.sub})


def _plain(error: Exception) -> str:
    names = {"InvalidSignatureError": "the signature is not ours"}
    return names.get(type(error).__name__, "not a signed token")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _payload(data: bytes) -> _Payload:
    try:
        claims: Any = json.loads(data, parse_constant=_no_constant)
        return _Payload.model_validate(claims)
    except ValidationError as error:
        fields = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]})
        names = ", ".join(fields) or "claims"
        raise TokenError(f"token: {names}: missing, of another form or not for us") from None
    except (ValueError, RecursionError):
        raise TokenError("token: the claims are not readable JSON") from None
