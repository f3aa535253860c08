"""Keys of bridges and of an issuer against a real server: who comes in, who does not, who goes."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shlex
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strapline_bridge import key_file
from strapline_bridge.key_file import OwnKey, load_or_make_key
from strapline_bridge.uplink import KeyTokens, Link
from strapline_protocol.opening import Authenticated, Refresh, Refreshed, TokenExpiring
from strapline_server import Server
from strapline_server.clock import wall_ms
from strapline_server.errors import SecretError
from strapline_server.keys import PublicKey, parse_public_key
from strapline_server.secret import load_secret
from tests.integration.bridge_kit import an_outbox, an_uplink, until
from tests.integration.rights_kit import refusal
from tests.integration.server_kit import Run, connected, joined, serving
from tests.unit.server.key_kit import Signer, encoded, forms_of, public_key, sign

NO_KEY = (4401, "token: signed with a key that is not known here")
BAD_SIGNATURE = (4401, "token: the signature is not ours")
OTHER_KEY = (4403, "this bridge is known by another key, or by none")


def known(key: OwnKey) -> PublicKey:
    return parse_public_key(key.public_line.encode(), "a test")


def claims(principal: str, role: str, **changes: object) -> bytes:
    good = {"sub": principal, "role": role, "aud": "strapline", "exp": wall_ms() // 1000 + 600}
    return json.dumps({**good, **changes}).encode()


def by_key(key: Ed25519PrivateKey, **changes: object) -> str:
    kid = public_key(key).id
    payload = claims(kid, **{"role": "bridge", **changes})  # type: ignore[arg-type]  # a test's shorthand
    return sign(payload, {"alg": "EdDSA", "kid": kid}, key)


async def refused_whatever_its_length(server: Server, token: str) -> int:
    """The code, of a message that no client of ours would make."""
    first = {"type": "AUTHENTICATE", "token": token, "client": {"name": "x", "version": "0"}}
    async with connected(server) as peer:
        await peer.socket.send(json.dumps(first))
        return (await peer.ended())[0]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def key_document(folder: Path, key: Ed25519PrivateKey, mode: int = 0o644) -> Path:
    path = folder / f"{public_key(key).id}.pem"
    path.write_bytes(forms_of(key.public_key())["pem"])
    path.chmod(mode)
    return path


@asynccontextmanager
async def house(folder: Path, *issuers: Ed25519PrivateKey) -> AsyncIterator[Server]:
    """A server with two wearers and these issuers."""
    paths = [key_document(folder, key) for key in issuers]
    async with serving(folder / "server", public_keys=paths) as server:
        for user in ("ana", "ben"):
            await server.admin.add_user(user, user.title(), "UTC")
        yield server


async def test_a_bridge_with_a_key_of_its_own_publishes_for_its_users(tmp_path: Path) -> None:
    async with house(tmp_path) as server:
        own = load_or_make_key(tmp_path / "key")
        assert await refusal(server, own.sign(wall_ms())) == NO_KEY
        await server.admin.enrol("pi", known(own), ["ana"], name="Pi")
        async with joined(server, own.sign(wall_ms())) as bridge:
            told = bridge.heard[-1]
            assert isinstance(told, Authenticated)
            assert (told.principal, told.role, told.users) == ("pi", "bridge", ["ana"])
            run = Run(wall_ms() - 500)
            await run.declare(bridge)
            acknowledged = await run.publish(bridge, run.series([70], [0]))
            assert acknowledged.ranges == [(0, 0)]


async def test_a_bridges_key_is_refused_whatever_else_it_claims(tmp_path: Path) -> None:
    async with house(tmp_path) as server:
        key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        await server.admin.enrol("pi", public_key(key), ["ana"])
        await server.admin.enrol("pi-2", public_key(other), ["ben"])
        await server.admin.issue_token("eye", "viewer", "all")
        kid = public_key(key).id
        for changes in ({"sub": "pi-2"}, {"sub": "eye"}, {"role": "viewer"}):
            assert await refusal(server, by_key(key, **changes)) == (
                4401,
                "token: a bridge's key speaks for that bridge alone",
            )
        # Signed by one and named as the other.
        forged = sign(claims("pi-2", "bridge"), {"alg": "EdDSA", "kid": public_key(other).id}, key)
        assert await refusal(server, forged) == BAD_SIGNATURE
        # The public key, which everybody may know, as a secret.
        for form in forms_of(key.public_key()).values():
            for alg in ("HS256", "EdDSA"):
                token = sign(claims(kid, "bridge"), {"alg": alg, "kid": kid}, form)
                assert (await refusal(server, token))[0] == 4401
        for lifetime_s in (-1, 3 * 86_400):
            exp = wall_ms() // 1000 + lifetime_s
            assert (await refusal(server, by_key(key, exp=exp)))[0] == 4401
        assert server.counters.authentications_refused == 3 + 1 + 20 + 2


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../etc/passwd",
        "/proc/self/environ",
        "x' OR '1'='1",
        "'; DELETE FROM bridge_keys; --",
        "A" * 43,
        "A" * 9_000,
        "A" * 1_000_000,
    ],
    ids=["path", "proc", "or", "delete", "form", "long", "megabyte"],
)
async def test_a_strange_key_id_changes_nothing(
    tmp_path: Path, kid: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path) as server:
        own = load_or_make_key(tmp_path / "key")
        await server.admin.enrol("pi", known(own), ["ana"])
        before = names(tmp_path)
        secret = load_secret(server.config.secret_path)
        signers: list[tuple[str, Signer]] = [("HS256", secret), ("EdDSA", b"x" * 40)]
        with caplog.at_level(logging.DEBUG, logger="strapline_server"):
            for alg, signer in signers:
                token = sign(claims("pi", "bridge"), {"alg": alg, "kid": kid}, signer)
                assert await refused_whatever_its_length(server, token) in {1009, 4401}
        assert kid not in caplog.text
        assert names(tmp_path) == before
        async with joined(server, own.sign(wall_ms())):
            pass


async def test_an_issuers_tokens_are_good_beside_the_servers_own(tmp_path: Path) -> None:
    issuer = Ed25519PrivateKey.generate()
    async with house(tmp_path, issuer) as server:
        link = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        await server.admin.grant("coach", "viewer", ["ben"])
        for header in ({"alg": "EdDSA"}, {"alg": "Ed25519", "kid": public_key(issuer).id}):
            token = sign(claims("coach", "viewer"), header, issuer)
            async with joined(server, token) as coach:
                assert set((await coach.subscribe()).snapshot) == {"ben"}
        async with joined(server, link) as eye:
            assert set((await eye.subscribe()).snapshot) == {"ana"}
        # Who the issuer names without a grant here is nobody.
        token = sign(claims("nobody", "viewer"), {"alg": "EdDSA"}, issuer)
        assert (await refusal(server, token))[0] == 4403
        # Each key checks its own family, whatever the header says.
        secret = load_secret(server.config.secret_path)
        named = {"kid": public_key(issuer).id}
        public_forms = list(forms_of(issuer.public_key()).values())
        for signer in (secret, *public_forms):
            for alg in ("HS256", "EdDSA", "none"):
                for more in ({}, named):
                    token = sign(claims("coach", "viewer"), {"alg": alg, **more}, signer)
                    assert (await refusal(server, token))[0] == 4401


async def test_of_several_issuers_each_is_known_by_its_key(tmp_path: Path) -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    async with house(tmp_path, old, new) as server:
        await server.admin.grant("coach", "viewer", ["ben"])
        for key in (old, new):
            header = {"alg": "EdDSA", "kid": public_key(key).id}
            async with joined(server, sign(claims("coach", "viewer"), header, key)):
                pass
        unnamed = sign(claims("coach", "viewer"), {"alg": "EdDSA"}, new)
        assert "names none" in (await refusal(server, unnamed))[1]


async def test_keys_in_a_header_are_ignored_and_no_request_goes_out(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    stranger, key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    trap = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with trap, house(tmp_path) as server:
        await server.admin.enrol("pi", public_key(key), ["ana"])
        url = f"http://127.0.0.1:{trap.sockets[0].getsockname()[1]}/keys"
        jwk = json.loads(forms_of(stranger.public_key())["jwk"])
        kid = public_key(key).id
        for more in ({"jwk": jwk}, {"jku": url}, {"x5u": url}, {"x5c": [encoded(b"x")]}):
            header = {"alg": "EdDSA", "kid": kid, **more}
            assert await refusal(server, sign(claims(kid, "bridge"), header, stranger)) == (
                BAD_SIGNATURE
            )
            async with joined(server, sign(claims(kid, "bridge"), header, key)):
                pass
    assert asked == []


@pytest.mark.parametrize("change", ["revoked", "another key", "a token"])
async def test_a_key_that_goes_closes_open_connections_within_a_second(
    tmp_path: Path, change: str
) -> None:
    async with house(tmp_path) as server:
        own = load_or_make_key(tmp_path / "key")
        await server.admin.enrol("pi", known(own), ["ana"])
        async with joined(server, own.sign(wall_ms())) as bridge:
            began = time.monotonic()
            if change == "revoked":
                await server.admin.revoke("pi")
            elif change == "another key":
                await server.admin.enrol("pi", public_key(Ed25519PrivateKey.generate()), ["ana"])
            else:
                await server.admin.issue_token("pi", "bridge", ["ana"])
            assert (await bridge.ended())[0] == 4403
            assert time.monotonic() - began < 1.0
        code, _ = await refusal(server, own.sign(wall_ms()))
        assert code in {4401, 4403}


async def test_a_bridge_that_has_a_key_is_let_in_by_nothing_else(tmp_path: Path) -> None:
    issuer = Ed25519PrivateKey.generate()
    async with house(tmp_path, issuer) as server:
        token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        async with joined(server, token) as by_token:
            await server.admin.enrol("pi", known(load_or_make_key(tmp_path / "key")), ["ana"])
            assert await by_token.ended() == OTHER_KEY
        assert await refusal(server, token) == OTHER_KEY
        issued = sign(claims("pi", "bridge"), {"alg": "EdDSA"}, issuer)
        assert await refusal(server, issued) == OTHER_KEY


async def test_rights_that_change_leave_a_bridge_with_its_key_connected(tmp_path: Path) -> None:
    async with house(tmp_path) as server:
        own = load_or_make_key(tmp_path / "key")
        await server.admin.enrol("pi", known(own), ["ana"])
        async with joined(server, own.sign(wall_ms())) as bridge:
            await server.admin.grant("pi", "bridge", ["ana", "ben"])
            version = await server._store.rights_version()
            await until(lambda: server._rights == version)
            run = Run(wall_ms() - 500, user="ben")
            await run.declare(bridge)
            assert (await run.publish(bridge, run.series([70], [0]))).ranges == [(0, 0)]


async def test_who_signs_elsewhere_is_told_to_renew_and_brings_the_token(tmp_path: Path) -> None:
    issuer = Ed25519PrivateKey.generate()
    async with house(tmp_path, issuer) as server:
        await server.admin.grant("coach", "viewer", ["ana"])

        def token(lifetime_s: int) -> str:
            now_s = wall_ms() // 1000
            more = {"iat": now_s, "exp": now_s + lifetime_s}
            return sign(claims("coach", "viewer", **more), {"alg": "EdDSA"}, issuer)

        async with joined(server, token(2)) as coach:
            assert (await coach.expect(TokenExpiring)).token is None
            await coach.say(Refresh(token=token(600)))
            assert (await coach.expect(Refreshed)).expires_at > wall_ms() + 500_000


async def test_a_token_of_the_same_secret_made_elsewhere_is_renewed_elsewhere(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as server:
        await server.admin.grant("coach", "viewer", ["ana"])
        secret = load_secret(server.config.secret_path)
        now_s = wall_ms() // 1000
        payload = claims("coach", "viewer", iat=now_s, exp=now_s + 2)
        async with joined(server, sign(payload, {"alg": "HS256"}, secret)) as coach:
            assert (await coach.expect(TokenExpiring)).token is None


async def test_a_running_bridge_signs_its_next_token_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_file, "TOKEN_LIFE_S", 2)
    async with house(tmp_path) as server, an_outbox(tmp_path / "outbox.db") as outbox:
        own = load_or_make_key(tmp_path / "key")
        await server.admin.enrol("pi", known(own), ["ana"])
        url = f"ws://127.0.0.1:{server.port}/ws"
        uplink = an_uplink(outbox, url, tokens=KeyTokens(tmp_path / "key"))
        running = asyncio.create_task(uplink.run())
        await until(lambda: uplink.state.link is Link.ONLINE)
        (member,) = server._members["pi"]
        first = member._claims.expires_ms  # type: ignore[attr-defined]  # what only the dialogue knows
        # Twice: each is good for two seconds.
        await until(lambda: member._claims.expires_ms > first + 1_500)  # type: ignore[attr-defined]  # see above
        assert uplink.state.connections == 1
        # Taken away: closed, and where a viewer would stop it says so and tries again hourly.
        await server.admin.revoke("pi")
        await until(lambda: uplink.state.link is Link.STOPPED)
        assert "does not allow this bridge" in (uplink.state.why or "")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_nothing_starts_with_a_public_key_that_is_none(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    for path, said in (
        (tmp_path / "none.pem", "cannot be read"),
        (key_document(tmp_path, key, 0o666), "others may change"),
    ):
        with pytest.raises(SecretError, match=said):
            async with serving(tmp_path / "server", public_keys=[path]):
                pass
    assert not (tmp_path / "server" / "server.db").exists()


def token_of_the_howto(folder: Path) -> str:
    """What its commands and its program come to, run in this folder."""
    page = (Path(__file__).parents[2] / "docs" / "howto" / "keys-and-tokens.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    commands = re.findall(r"^openssl .*$", page, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command.replace("/etc/strapline/", ""))
        subprocess.run(words, cwd=folder, capture_output=True, check=True)
    (folder / "host.pem").chmod(0o644)
    words = [sys.executable, "-c", program + "print(token)"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def test_the_howtos_program_makes_a_token_that_is_good(tmp_path: Path) -> None:
    token = await asyncio.to_thread(token_of_the_howto, tmp_path)
    async with serving(tmp_path / "server", public_keys=[tmp_path / "host.pem"]) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        await server.admin.grant("viewer-coach", "viewer", ["ana"])
        async with joined(server, token) as coach:
            assert set((await coach.subscribe()).snapshot) == {"ana"}


async def test_the_log_tells_an_issuers_key_id(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    issuer = Ed25519PrivateKey.generate()
    with caplog.at_level(logging.INFO, logger="strapline_server"):
        async with house(tmp_path, issuer):
            pass
    assert f"tokens of the key {public_key(issuer).id}" in caplog.text
