"""Tokens: JSON Web Tokens (RFC 7519) signed with HS256 and with nothing else (RFC 8725).

A token says who (`sub`), in which role, for this audience, until when. What that principal may
see or publish stands in the store. PyJWT checks form and signature; the claims are checked
here, since its defaults accept a token without `exp`, with one as text, or one far away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NoReturn

from jwt import PyJWTError
from jwt.api_jws import PyJWS
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from strapline_protocol.opening import Role
from strapline_server.errors import TokenError
from strapline_server.secret import check_secret

ALGORITHM: Final = "HS256"
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


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says. ``lifetime_s`` is how long it was made for."""

    sub: str
    role: Role
    expires_ms: int
    lifetime_s: int


class _Payload(BaseModel):
    """The claims that count; all others are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)

    sub: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]
    role: Literal["bridge", "viewer"]
    aud: Literal["strapline"]
    exp: int
    nbf: int | None = None
    iat: int | None = None


class Authority:
    """Makes and checks tokens with one secret.

    Args:
        secret: see :func:`~strapline_server.secret.check_secret`.
        clock: wall time, ms.
    """

    def __init__(self, secret: bytes, clock: Callable[[], int]) -> None:
        self._secret = check_secret(secret, "secret")
        self._clock = clock

    def issue(self, sub: str, role: Role, lifetime_s: int) -> str:
        """A token for this principal from now on.

        Raises:
            TokenError: the lifetime is not between a second and the longest.
        """
        if not 1 <= lifetime_s <= LONGEST_LIFE_S:
            raise TokenError(f"a token lives 1 to {LONGEST_LIFE_S} s, not {lifetime_s}")
        now_s = self._clock() // 1000
        claims = {
            "sub": sub,
            "role": role.value,
            "aud": AUDIENCE,
            "iat": now_s,
            "exp": now_s + lifetime_s,
        }
        _Payload.model_validate(claims)
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return PyJWS(algorithms=[ALGORITHM]).encode(payload, self._secret, ALGORITHM)

    def verify(self, token: str) -> Claims:
        """What a good token says.

        Raises:
            TokenError: anything is wrong with it; the text does not hold the token.
        """
        if len(token) > LARGEST_TOKEN:
            raise TokenError(f"token: over {LARGEST_TOKEN} characters")
        payload = _payload(signed_payload(token, self._secret))
        now_s = self._clock() / 1000
        if payload.exp <= now_s:
            raise TokenError("token: expired")
        if payload.exp > now_s + LONGEST_LIFE_S + _SET_BACK_S:
            raise TokenError(f"token: exp is more than {LONGEST_LIFE_S // 86_400} days away")
        if payload.nbf is not None and payload.nbf > now_s + LEEWAY_S:
            raise TokenError("token: nbf is in the future")
        # `iat` refuses nothing (RFC 7519 section 4.1.6): after a clock was set back, every token
        # made before seems to come from the future, and nobody could come in any more.
        made_s = now_s
        if payload.iat is not None and payload.iat < payload.exp:
            made_s = payload.iat
        return Claims(
            sub=payload.sub,
            role=Role(payload.role),
            expires_ms=payload.exp * 1000,
            lifetime_s=max(1, min(LONGEST_LIFE_S, int(payload.exp - made_s))),
        )


def signed_payload(token: str, secret: bytes) -> bytes:
    """What was signed with this secret and :data:`ALGORITHM`, before any claim is looked at.

    Raises:
        TokenError: it was not, or something in the header changes how it is to be read.
    """
    if not _FORM.fullmatch(token):
        raise TokenError("token: not a signed token")
    jws = PyJWS(algorithms=[ALGORITHM])
    try:
        header = jws.get_unverified_header(token)
        if refused := _REFUSED_HEADERS & header.keys():
            raise TokenError(f"token: header {', '.join(sorted(refused))} is not supported")
        if header.get("alg") != ALGORITHM:
            raise TokenError(f"token: not signed with {ALGORITHM}")
        payload: bytes = jws.decode(token, secret, [ALGORITHM])
    except (PyJWTError, ValueError, RecursionError) as error:
        # The cause could quote the token.
        raise TokenError(f"token: {_plain(error)}") from None
    return payload


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
