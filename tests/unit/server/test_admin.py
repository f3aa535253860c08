"""Users, grants and tokens by hand: every input checked, every error with its remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strapline_protocol.opening import Role
from strapline_server.admin import Admin, open_admin, prepare_folder
from strapline_server.auth import LINK_LIFE_S, Authority
from strapline_server.config import ServerConfig
from strapline_server.days import machine_zone
from strapline_server.errors import AdminError, StoreError, TokenError
from strapline_server.secret import load_secret
from tests.unit.server.key_kit import forms_of, public_key
from tests.unit.server.store_kit import NOON


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return ServerConfig(state_folder=tmp_path / "state")


@pytest.fixture
async def admin(config: ServerConfig) -> AsyncIterator[Admin]:
    async with open_admin(config, lambda: NOON) as found:
        yield found


def authority(config: ServerConfig) -> Authority:
    return Authority(load_secret(config.secret_path), lambda: NOON)


async def test_the_state_folder_is_made_for_its_owner_alone(
    admin: Admin, config: ServerConfig
) -> None:
    assert config.state_folder.stat().st_mode & 0o777 == 0o700
    assert {entry.name for entry in config.state_folder.iterdir()} >= {"server.db", "secret"}
    assert await admin.users() == []


async def test_a_user_has_a_name_and_a_zone_the_machines_by_default(admin: Admin) -> None:
    assert await admin.add_user("ana")
    assert await admin.add_user("ben@example.org", "Ben", "Asia/Tokyo")
    assert not await admin.add_user("ana", "Another", "UTC")
    assert [(user.id, user.name, user.zone) for user in await admin.users()] == [
        ("ana", "ana", machine_zone()),
        ("ben@example.org", "Ben", "Asia/Tokyo"),
    ]
    await admin.change_user("ana", zone="Europe/Vienna")
    await admin.change_user("ana", name="Ana")
    (user, _) = await admin.users()
    assert (user.name, user.zone) == ("Ana", "Europe/Vienna")


@pytest.mark.parametrize(
    ("user", "name", "zone", "said"),
    [
        ("", None, None, "user: '' is not allowed"),
        ("a b", None, None, "letters, digits"),
        ("../x", None, None, "user"),
        ("x" * 129, None, None, "at most 128"),
        ("ana", "a\x1b[31mred", None, "name"),
        ("ana", "x" * 129, None, "name"),
        ("ana", None, "Vienna", "Europe/Vienna"),
    ],
    ids=range(7),
)
async def test_a_user_that_makes_no_sense_is_refused(
    admin: Admin, user: str, name: str | None, zone: str | None, said: str
) -> None:
    with pytest.raises(AdminError, match=said):
        await admin.add_user(user, name, zone)
    assert await admin.users() == []


async def test_changing_someone_who_is_not_there_is_an_error(admin: Admin) -> None:
    with pytest.raises(AdminError, match="strapline server user list"):
        await admin.change_user("ana", name="Ana")
    with pytest.raises(AdminError, match="nothing was granted"):
        await admin.revoke("ana")


async def test_a_token_comes_with_its_grant(admin: Admin, config: ServerConfig) -> None:
    await admin.add_user("ana")
    token = await admin.issue_token("pi", "bridge", ["ana"], 60)
    claims = authority(config).verify(token)
    assert (claims.sub, claims.role, claims.lifetime_s) == ("pi", Role.BRIDGE, 60)
    grant = await admin._store.grant("pi")
    assert grant is not None
    assert (grant.allows("ana"), grant.allows("ben"), grant.everyone) == (True, False, False)
    await admin.add_user("ben")
    await admin.grant("pi", Role.BRIDGE, "all", name="Kitchen")
    grant = await admin._store.grant("pi")
    assert grant is not None
    assert (grant.allows("ben"), grant.name) == (True, "Kitchen")
    await admin.revoke("pi")
    assert await admin._store.grant("pi") is None


async def test_a_token_is_granted_and_its_key_forgotten_at_once_or_neither(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admin.add_user("ana")
    key = public_key(Ed25519PrivateKey.generate())
    await admin.enrol("pi", key, ["ana"])
    before = await admin._store.grant("pi")
    writes = []
    write = admin._store._database.write

    async def counted(work: Any) -> Any:
        writes.append(work)
        return await write(work)

    monkeypatch.setattr(admin._store._database, "write", counted)
    with pytest.raises(AdminError, match="a bridge sends its marks itself"):
        await admin.issue_token("pi", "bridge", "all", 60, may_mark=True)
    assert await admin._store.grant("pi") == before
    await admin.issue_token("pi", "bridge", "all", 60)
    after = await admin._store.grant("pi")
    assert after is not None
    assert (len(writes), after.everyone, after.bridge_key) == (1, True, None)


async def test_a_token_after_a_revocation_is_of_another_generation(
    admin: Admin, config: ServerConfig
) -> None:
    verify = authority(config).verify
    stolen = verify(await admin.issue_token("pi", "bridge", "all", 60))
    await admin.revoke("pi")
    good = verify(await admin.issue_token("pi", "bridge", "all", 60))
    another = verify(await admin.issue_token("pi", "bridge", "all", 60))
    assert stolen.generation != good.generation == another.generation
    assert await admin.generation("pi") == good.generation


async def test_each_link_is_a_viewer_of_its_own(admin: Admin, config: ServerConfig) -> None:
    await admin.add_user("ana")
    first = authority(config).verify(await admin.issue_link_token(["ana"]))
    second = authority(config).verify(await admin.issue_link_token("all"))
    assert first.sub != second.sub
    assert (first.role, first.lifetime_s) == (Role.VIEWER, LINK_LIFE_S)


async def test_a_link_is_renewed_as_one_viewer_until_it_is_revoked(
    admin: Admin, config: ServerConfig
) -> None:
    subs = [
        authority(config).verify(await admin.renew_link_token("all", name=name)).sub
        for name in ("dashboard link", "dashboard link", "another")
    ]
    assert subs[0] == subs[1] != subs[2]
    assert {grant.sub for grant in await admin.principals()} == set(subs)
    await admin.revoke(subs[0])
    later = authority(config).verify(await admin.renew_link_token("all")).sub
    assert later not in subs
    with pytest.raises(AdminError, match="nothing to revoke"):
        await admin.revoke(subs[0])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"role": "admin"}, "there are bridge and viewer"),
        ({"users": ["nobody"]}, "strapline server user add nobody"),
        ({"sub": ""}, "sub"),
        ({"sub": "a b"}, "sub"),
        ({"name": "\x07"}, "name"),
        ({"metrics": ["Heart Rate"]}, "heart_rate"),
    ],
    ids=range(6),
)
async def test_a_grant_that_makes_no_sense_is_refused_whole(
    admin: Admin, fields: dict[str, object], said: str
) -> None:
    asked: dict[str, object] = {"sub": "pi", "role": "bridge", "users": "all", **fields}
    with pytest.raises(AdminError, match=said):
        await admin.grant(**asked)  # type: ignore[arg-type]  # that is what is tested
    assert await admin._store.grant("pi") is None


async def test_a_token_for_too_long_grants_nothing(admin: Admin) -> None:
    with pytest.raises(TokenError, match="lives"):
        await admin.issue_token("pi", "bridge", "all", 10**9)
    assert await admin._store.grant("pi") is None


def test_a_folder_that_cannot_be_made_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Set state_folder"):
        prepare_folder(ServerConfig(state_folder=tmp_path / "file" / "state"))


async def test_a_bridge_is_enrolled_with_its_key_and_a_token_takes_its_place(admin: Admin) -> None:
    await admin.add_user("ana")
    key = public_key(Ed25519PrivateKey.generate())
    await admin.enrol("pi", key, ["ana"], name="Pi")
    (grant,) = await admin.principals()
    assert (grant.sub, grant.role, grant.name, grant.bridge_key) == (
        "pi",
        Role.BRIDGE,
        "Pi",
        key.id,
    )
    await admin.grant("pi", "bridge", "all")
    assert (await admin.principals())[0].bridge_key == key.id
    await admin.issue_token("pi", "bridge", "all")
    assert (await admin.principals())[0].bridge_key is None


async def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    issuer = Ed25519PrivateKey.generate()
    path = tmp_path / "host.pem"
    path.write_bytes(forms_of(issuer.public_key())["pem"])
    path.chmod(0o644)
    config = ServerConfig(state_folder=tmp_path / "state", public_keys=(path,))
    async with open_admin(config) as admin:
        await admin.add_user("ana")
        key = public_key(Ed25519PrivateKey.generate())
        await admin.enrol("pi", key, ["ana"])
        with pytest.raises(AdminError, match="another bridge's"):
            await admin.enrol("pi-2", key, ["ana"])
        with pytest.raises(AdminError, match="the issuer's"):
            await admin.enrol("pi-2", public_key(issuer), ["ana"])
        with pytest.raises(AdminError, match="no user 'ben'"):
            await admin.enrol("pi-2", public_key(Ed25519PrivateKey.generate()), ["ben"])
        assert [grant.sub for grant in await admin.principals()] == ["pi"]
