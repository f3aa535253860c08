"""Tokens: what is accepted, and all that is refused (RFC 8725, Project Wycheproof)."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strapline_protocol.keys import LONGEST_OWN_LIFE_S
from strapline_protocol.opening import Role
from strapline_server.auth import (
    LONGEST_LIFE_S,
    OWN_KEY,
    Authority,
    BridgeKey,
    Claims,
    signed_payload,
)
from strapline_server.errors import TokenError
from tests.unit.server.key_kit import Signer, encoded, forms_of, public_key, sign

SECRET = b"0123456789abcdefghijklmnopqrstuvwxyz-ABCDEF"
NOW_S = 1_795_521_600
ISSUER = Ed25519PrivateKey.generate()
BRIDGE = Ed25519PrivateKey.generate()
BRIDGE_KEY = BridgeKey("pi", public_key(BRIDGE))


def authority(now_s: float = NOW_S) -> Authority:
    return Authority(SECRET, lambda: int(now_s * 1000))


@dataclass(frozen=True)
class Family:
    """One way for a token to be good: who signs it, what its header has to say, who checks it."""

    name: str
    key: Signer
    header: dict[str, Any]
    authority: Authority
    bridge: BridgeKey | None = None

    @property
    def longest_s(self) -> int:
        return LONGEST_OWN_LIFE_S if self.bridge else LONGEST_LIFE_S

    def claims(self, **changes: Any) -> bytes:
        """Good claims but for these; None leaves one out."""
        role = "bridge" if self.bridge else "viewer"
        good = {"sub": "pi", "role": role, "aud": "strapline", "exp": NOW_S + 600, **changes}
        return json.dumps({name: one for name, one in good.items() if one is not None}).encode()

    def signed(
        self, payload: bytes, more: dict[str, Any] | None = None, key: Signer | None = None
    ) -> str:
        """A token with this header beside what belongs there, signed well."""
        header = {"typ": "JWT", **self.header, **(more or {})}
        return sign(payload, header, self.key if key is None else key)

    def verify(self, token: str) -> Claims:
        """Look the key up, as the server does, and verify with what was found."""
        key = self.authority.bridge_key_of(token)
        found = self.bridge if self.bridge and key == self.bridge.key.id else None
        return self.authority.verify(token, found)


def _families() -> list[Family]:
    issuers = {public_key(ISSUER).id: public_key(ISSUER)}
    both = Authority(SECRET, lambda: NOW_S * 1000, issuers)
    bridge_header = {"alg": "EdDSA", "kid": BRIDGE_KEY.key.id}
    return [
        Family("secret", SECRET, {"alg": "HS256"}, authority()),
        Family("own secret", SECRET, {"alg": "HS256", "kid": OWN_KEY}, both),
        Family("issuer", ISSUER, {"alg": "EdDSA"}, both),
        Family("issuer by kid", ISSUER, {"alg": "EdDSA", "kid": public_key(ISSUER).id}, both),
        Family("bridge", BRIDGE, bridge_header, both, BRIDGE_KEY),
    ]


FAMILIES = _families()


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    found = request.param
    assert isinstance(found, Family)
    return found


def test_a_token_that_was_issued_is_verified() -> None:
    found = authority().verify(authority().issue("coach", Role.VIEWER, 600))
    assert (found.sub, found.role) == ("coach", Role.VIEWER)
    assert found.expires_ms == (NOW_S + 600) * 1000
    assert found.lifetime_s == 600


def test_a_token_that_was_issued_here_says_so_and_others_do_not(family: Family) -> None:
    assert family.authority.verify(authority().issue("coach", Role.VIEWER, 600)).issued_here
    found = family.verify(family.signed(family.claims()))
    assert found.issued_here == (family.name == "own secret")
    assert found.bridge_key == (BRIDGE_KEY.key.id if family.bridge else None)


@pytest.mark.parametrize("value", ["g1", 7, None])
def test_only_a_token_of_ours_names_a_generation(family: Family, value: object) -> None:
    found = family.verify(family.signed(family.claims(gen=value)))
    assert found.generation == ("g1" if family.name == "own secret" and value == "g1" else None)
    assert authority().verify(authority().issue("pi", Role.BRIDGE, 9, "g2")).generation == "g2"


def test_a_token_of_another_maker_is_verified(family: Family) -> None:
    found = family.verify(family.signed(family.claims(nbf=NOW_S + 5, extra={"a": 1})))
    assert (found.sub, found.lifetime_s) == ("pi", 600)
    assert found.role is (Role.BRIDGE if family.bridge else Role.VIEWER)


@pytest.mark.parametrize("lifetime_s", [0, -1, LONGEST_LIFE_S + 1])
def test_no_token_is_issued_for_a_wrong_lifetime(lifetime_s: int) -> None:
    with pytest.raises(TokenError, match="lives 1 to"):
        authority().issue("coach", Role.VIEWER, lifetime_s)


@pytest.mark.parametrize(
    "name",
    ["none", "None", "NONE", "nOnE", "", None, "hs256", "eddsa", "HS512", "RS256", "ES256", 1, []],
    ids=repr,
)
def test_another_algorithm_is_refused_though_the_signature_fits(
    family: Family, name: object
) -> None:
    token = family.signed(family.claims(), {"alg": name})
    for attempt in (token, token.rpartition(".")[0] + "."):
        with pytest.raises(TokenError):
            family.verify(attempt)


def test_the_other_familys_algorithm_is_refused(family: Family) -> None:
    name = "EdDSA" if isinstance(family.key, bytes) else "HS256"
    with pytest.raises(TokenError, match="as its key is"):
        family.verify(family.signed(family.claims(), {"alg": name}))


def test_both_names_of_the_algorithm_are_good() -> None:
    for family in FAMILIES[2:]:
        assert family.verify(family.signed(family.claims(), {"alg": "Ed25519"})).sub == "pi"


@pytest.mark.parametrize("form", forms_of(ISSUER.public_key()))
def test_a_token_keyed_with_a_public_key_in_any_form_is_refused(family: Family, form: str) -> None:
    for private in (ISSUER, BRIDGE, Ed25519PrivateKey.generate()):
        key = forms_of(private.public_key())[form]
        for more in ({}, {"alg": "HS256"}, {"alg": "EdDSA"}):
            with pytest.raises(TokenError):
                family.verify(family.signed(family.claims(), more, key))


def test_a_verifier_of_one_family_never_tries_the_other() -> None:
    """The library takes raw bytes for either where both algorithms are allowed."""
    public = ISSUER.public_key()
    for key in forms_of(public).values():
        for alg in ("HS256", "EdDSA", "Ed25519"):
            with pytest.raises(TokenError):
                signed_payload(sign(b"{}", {"alg": alg}, key), public)
        for alg in ("EdDSA", "Ed25519"):
            with pytest.raises(TokenError, match="as its key is"):
                signed_payload(sign(b"{}", {"alg": alg}, ISSUER), key)


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
    ],
    ids=str,
)
def test_a_header_that_changes_the_reading_is_refused(family: Family, more: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        family.verify(family.signed(family.claims(), more))


def test_keys_in_the_header_are_ignored(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_request(*_: object) -> None:
        raise AssertionError("a request went out")

    monkeypatch.setattr("socket.create_connection", no_request)
    monkeypatch.setattr("socket.socket.connect", no_request)
    other: Signer = b"another secret of more than thirty-two bytes"
    jwk = {"kty": "oct", "k": encoded(b"another secret of more than thirty-two bytes")}
    if not isinstance(family.key, bytes):
        other = Ed25519PrivateKey.generate()
        jwk = json.loads(forms_of(other.public_key())["jwk"])
    for more in ({"jwk": jwk}, {"jku": "https://x.example"}, {"x5u": "https://x"}, {"x5c": ["x"]}):
        with pytest.raises(TokenError, match="signature is not ours"):
            family.verify(family.signed(family.claims(), more, other))
        assert family.verify(family.signed(family.claims(), more)).sub == "pi"


@pytest.mark.parametrize(
    "kid",
    [
        "",
        "../../etc/passwd",
        "/dev/null",
        "x' OR '1'='1",
        "'; DROP TABLE bridge_keys; --",
        "Strapline",
        "strapline ",
        "strapline\x00",
        "x" * 8_000,
        "A" * 43,
        "A" * 44,
        "é" * 43,
        1,
        None,
        [],
        {},
    ],
    ids=lambda kid: f"{str(kid)[:16]!r} {len(str(kid))}",
)
def test_a_key_id_that_no_key_has_is_refused(family: Family, kid: object) -> None:
    with pytest.raises(TokenError):
        family.verify(family.signed(family.claims(), {"kid": kid}))


def test_a_key_id_of_a_megabyte_is_refused_before_it_is_read(family: Family) -> None:
    token = family.signed(family.claims(), {"kid": "x" * 1_000_000})
    began = time.process_time()
    with pytest.raises(TokenError, match="over 16384"):
        family.verify(token)
    assert time.process_time() - began < 0.005


def test_what_is_looked_up_has_the_form_of_a_key_id() -> None:
    house = FAMILIES[-1].authority
    for family in FAMILIES[:-1]:
        assert house.bridge_key_of(family.signed(b"{}")) is None
    assert house.bridge_key_of(FAMILIES[-1].signed(b"{}")) == BRIDGE_KEY.key.id
    for kid in ("x' OR '1'='1", "A" * 42, "A" * 44):
        with pytest.raises(TokenError, match="not known here"):
            house.bridge_key_of(sign(b"{}", {"alg": "EdDSA", "kid": kid}, BRIDGE))


def test_a_key_is_good_under_its_own_name_alone(family: Family) -> None:
    for other in FAMILIES[1:]:
        named = {"kid": other.header.get("kid", OWN_KEY), "alg": other.header["alg"]}
        if other.key is family.key:
            continue
        with pytest.raises(TokenError):
            family.verify(family.signed(family.claims(), named))


def test_several_issuers_are_told_apart_by_name_alone() -> None:
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]
    house = Authority(
        SECRET, lambda: NOW_S * 1000, {public_key(key).id: public_key(key) for key in keys}
    )
    payload = FAMILIES[0].claims()
    for key in keys:
        with pytest.raises(TokenError, match="names none"):
            house.verify(sign(payload, {"alg": "EdDSA"}, key))
        assert house.verify(sign(payload, {"alg": "EdDSA", "kid": public_key(key).id}, key))
    with pytest.raises(TokenError, match="names none"):
        house.verify(sign(payload, {"alg": "HS256"}, SECRET))


@pytest.mark.parametrize(
    ("field", "value"),
    [("sub", "pi-2"), ("sub", "coach"), ("sub", "A" * 43), ("role", "viewer")],
)
def test_a_bridges_key_speaks_for_that_bridge_alone(field: str, value: str) -> None:
    family = FAMILIES[-1]
    with pytest.raises(TokenError, match="speaks for that bridge alone"):
        family.verify(family.signed(family.claims(**{field: value})))


def test_a_bridge_that_knows_its_key_alone_is_told_who_it_is() -> None:
    family = FAMILIES[-1]
    assert family.verify(family.signed(family.claims(sub=BRIDGE_KEY.key.id))).sub == "pi"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exp", None),
        ("exp", str(NOW_S + 600)),
        ("exp", 1e30),
        ("exp", NOW_S + 600.5),
        ("exp", True),
        ("exp", NOW_S),
        ("exp", NOW_S - 1),
        ("exp", -1),
        ("exp", NOW_S + LONGEST_LIFE_S + 86_401),
        ("nbf", NOW_S + 6),
        ("nbf", "0"),
        ("iat", 1e300),
        ("aud", None),
        ("aud", "other"),
        ("aud", "strap"),
        ("aud", "strapline2"),
        ("aud", ["strapline"]),
        ("aud", {"strapline": 1}),
        ("sub", None),
        ("sub", ""),
        ("sub", 7),
        ("sub", "a b"),
        ("sub", "x" * 129),
        ("role", None),
        ("role", "admin"),
        ("role", "Viewer"),
        ("role", ["viewer"]),
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(family: Family, field: str, value: object) -> None:
    with pytest.raises(TokenError) as caught:
        family.verify(family.signed(family.claims(**{field: value})))
    assert "pi" not in str(caught.value).split()


def test_a_life_is_capped(family: Family) -> None:
    with pytest.raises(TokenError, match="days away"):
        family.verify(family.signed(family.claims(exp=NOW_S + family.longest_s + 86_401)))
    found = family.verify(family.signed(family.claims(exp=NOW_S + family.longest_s)))
    assert found.lifetime_s == family.longest_s


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    token = authority().issue("coach", Role.VIEWER, LONGEST_LIFE_S)
    earlier = Authority(SECRET, lambda: (NOW_S - 3_600) * 1_000)
    assert earlier.verify(token).lifetime_s == LONGEST_LIFE_S


def test_a_moment_of_making_that_cannot_be_shortens_no_successor(family: Family) -> None:
    found = family.verify(family.signed(family.claims(iat=NOW_S + 9_999, exp=NOW_S + 600)))
    assert found.lifetime_s == 600


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"exp": NaN}',
        b"[" * 4_000 + b"]" * 4_000,
        b'{"sub":' + b'{"a":' * 2_000 + b"1" + b"}" * 2_001,
    ],
    ids=lambda payload: payload[:12].hex(),
)
def test_what_is_no_object_of_claims_is_refused(family: Family, payload: bytes) -> None:
    with pytest.raises(TokenError):
        family.verify(family.signed(payload))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.b.c", "\ud800.b.c", " . . ", "x" * 16_384],
    ids=lambda token: repr(token[:8]),
)
def test_what_is_no_token_is_refused(family: Family, token: str) -> None:
    for look in (family.verify, family.authority.verify, family.authority.bridge_key_of):
        with pytest.raises(TokenError) as caught:
            look(token)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("part", range(3))
def test_padding_is_refused(family: Family, part: int) -> None:
    parts = family.signed(family.claims()).split(".")
    parts[part] += "=" * (-len(parts[part]) % 4 or 4)
    with pytest.raises(TokenError):
        family.verify(".".join(parts))


def test_a_huge_token_is_refused_before_it_is_read(family: Family) -> None:
    token = family.signed(family.claims(padding="x" * 1_000_000))
    began = time.process_time()
    with pytest.raises(TokenError, match="over 16384"):
        family.verify(token)
    assert time.process_time() - began < 0.005


def test_no_error_holds_the_token(family: Family) -> None:
    other = b"x" * 40 if isinstance(family.key, bytes) else Ed25519PrivateKey.generate()
    tokens = (
        family.signed(family.claims(exp=1)),
        family.signed(family.claims(), key=other),
        family.signed(family.claims(), {"kid": "A" * 43}),
        "secret-part.b.c",
    )
    for token in tokens:
        with pytest.raises(TokenError) as caught:
            family.verify(token)
        said = repr(caught.value)
        assert not any(part in said for part in token.split(".") if len(part) > 4)


def test_the_signature_of_rfc_8037_is_good() -> None:
    """Appendix A.4: the key of A.1, its payload as text."""
    x = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    token = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    key = Ed25519PublicKey.from_public_bytes(x)
    assert signed_payload(token, key) == b"Example of Ed25519 signing"
    body, _, signature = token.rpartition(".")
    for place in range(0, len(signature) - 1, 7):
        letter = "A" if signature[place] != "A" else "B"
        with pytest.raises(TokenError):
            signed_payload(f"{body}.{signature[:place]}{letter}{signature[place + 1 :]}", key)
    # The same with the order of the group added to S: RFC 8032 section 5.1.7 refuses it.
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 2**252 + 27742317777372353535851937790883648493
    higher = int.from_bytes(raw[32:], "little") + order
    forged = encoded(raw[:32] + higher.to_bytes(32, "little"))
    with pytest.raises(TokenError):
        signed_payload(f"{body}.{forged}", key)


def wycheproof() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(key, case) of each case of Wycheproof's JSON Web Signatures.

    The folder is named by STRAPLINE_WYCHEPROOF; these tests fail without it.
    """
    folder = os.environ.get("STRAPLINE_WYCHEPROOF")
    assert folder, "set STRAPLINE_WYCHEPROOF to the folder of Project Wycheproof's test vectors"
    text = Path(folder, "wycheproof_json_web_signature_test.json").read_text("utf-8")
    return [
        (group.get("private") or group.get("public"), case)
        for group in json.loads(text)["testGroups"]
        for case in group["tests"]
    ]


def _secret_of(key: dict[str, Any]) -> bytes:
    text = key.get("k") or key.get("n") or key.get("x")
    assert text is not None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.wycheproof
def test_every_invalid_signature_of_wycheproof_is_refused() -> None:
    cases = [(key, case) for key, case in wycheproof() if case["result"] == "invalid"]
    assert len(cases) == 355
    # Two cases of padding lost it in that file: they are a valid case to the byte.
    valid = [(key, case["jws"]) for key, case in wycheproof() if case["result"] == "valid"]
    cases = [(key, case) for key, case in cases if (key, case["jws"]) not in valid]
    assert len(cases) == 353
    accepted = []
    for key, case in cases:
        token = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
        try:
            # The claims of these are no JSON: what is asked is the signature alone.
            signed_payload(token, _secret_of(key))
        except TokenError:
            continue
        accepted.append((case["tcId"], case["comment"]))
    assert accepted == []


@pytest.mark.wycheproof
def test_no_signature_of_wycheproof_is_one_of_a_public_key() -> None:
    """None of them is Ed25519: valid or not, a verifier of that family refuses each."""
    public = ISSUER.public_key()
    for _, case in wycheproof():
        token = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
        with pytest.raises(TokenError):
            signed_payload(token, public)


@pytest.mark.wycheproof
def test_every_valid_hs256_signature_of_wycheproof_is_good() -> None:
    good = 0
    for key, case in wycheproof():
        if case["result"] == "valid" and key.get("alg") == "HS256" and key["kty"] == "oct":
            try:
                signed_payload(case["jws"], _secret_of(key))
                good += 1
            except TokenError:
                # Wycheproof calls these valid: lenient decoders may accept them.
                assert case["comment"].startswith("InvalidCharacterInserted")
    assert good >= 6
