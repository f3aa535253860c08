"""Users and grants: exactly what was granted, read anew."""

from __future__ import annotations

import pytest

from strapline_protocol.opening import Role
from strapline_server.store import people
from tests.unit.server.store_kit import Bench


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    for user in ("ana", "ben", "cleo"):
        bench.add_user(user)
    return bench


def test_a_grant_names_its_users(bench: Bench) -> None:
    grant = bench.grant("eye", Role.VIEWER, users=["cleo", "ana"])
    assert [user.id for user in grant.users] == ["ana", "cleo"]
    assert (grant.allows("ana"), grant.allows("ben"), grant.allows("nobody")) == (
        True,
        False,
        False,
    )
    assert not grant.everyone


def test_a_grant_for_all_grows_with_them(bench: Bench) -> None:
    assert len(bench.grant("eye").users) == 3
    bench.add_user("dora")
    grant = people.find_grant(bench.transaction, "eye")
    assert grant is not None
    assert grant.allows("dora")


def test_a_later_grant_replaces_the_earlier(bench: Bench) -> None:
    bench.grant("eye", Role.VIEWER, metrics=["steps"])
    grant = bench.grant("eye", Role.BRIDGE, users=["ben"])
    assert (grant.role, [user.id for user in grant.users]) == (Role.BRIDGE, ["ben"])
    assert grant.metrics is None


def test_metrics_narrow(bench: Bench) -> None:
    grant = bench.grant("eye", metrics=["steps", "battery"])
    assert (grant.sees("steps"), grant.sees("heart_rate")) == (True, False)
    assert bench.grant("eye").sees("heart_rate")
    assert not bench.grant("eye", metrics=[]).sees("heart_rate")


def test_users_that_are_not_there_are_told(bench: Bench) -> None:
    bench.grant("eye", users=["ana", "nobody"], missing=["nobody"])


def test_nobody_has_no_grant(bench: Bench) -> None:
    assert people.find_grant(bench.transaction, "eye") is None
    bench.grant("eye")
    assert people.revoke(bench.transaction, "eye")
    assert not people.revoke(bench.transaction, "eye")
    assert people.find_grant(bench.transaction, "eye") is None


def test_every_change_has_its_version(bench: Bench) -> None:
    seen = [people.rights_version(bench.transaction)]

    def is_new() -> bool:
        seen.append(people.rights_version(bench.transaction))
        return seen[-1] != seen[-2]

    bench.grant("eye")
    assert is_new()
    assert people.change_user(bench.transaction, "ana", "Ana", None)
    assert is_new()
    assert not people.change_user(bench.transaction, "nobody", "X", None)
    assert not people.add_user(bench.transaction, "ana", "Ana", "UTC")
    assert not is_new()
    bench.add_user("dora")
    assert is_new()
    assert people.revoke(bench.transaction, "eye")
    assert is_new()


def test_bridges_are_told_from_viewers(bench: Bench) -> None:
    bench.grant("eye", Role.VIEWER)
    bench.grant("pi", Role.BRIDGE, users=["ana"])
    assert [grant.sub for grant in people.bridge_grants(bench.transaction)] == ["pi"]


def enrol(bench: Bench, sub: str, key: str, users: list[str] | None = None) -> bool:
    return people.enrol(bench.transaction, sub, sub, users or ["ana"], None, (key, key.encode()))


def key_of(bench: Bench, sub: str) -> str | None:
    grant = people.find_grant(bench.transaction, sub)
    assert grant is not None
    return grant.bridge_key


def test_a_bridge_with_a_key_is_found_by_it(bench: Bench) -> None:
    assert enrol(bench, "pi", "k1", ["ana", "ben"])
    assert people.find_bridge_key(bench.transaction, "k1") == ("pi", b"k1")
    assert people.find_bridge_key(bench.transaction, "k2") is None
    (grant,) = people.bridge_grants(bench.transaction)
    assert (grant.sub, grant.role, grant.bridge_key) == ("pi", Role.BRIDGE, "k1")
    assert [user.id for user in grant.users] == ["ana", "ben"]


def test_another_key_takes_the_place_of_the_first(bench: Bench) -> None:
    before = people.rights_version(bench.transaction)
    assert enrol(bench, "pi", "k1")
    assert enrol(bench, "pi", "k2")
    assert enrol(bench, "pi", "k2")
    assert people.find_bridge_key(bench.transaction, "k1") is None
    assert key_of(bench, "pi") == "k2"
    assert people.rights_version(bench.transaction) > before


def test_a_key_is_one_bridges_alone(bench: Bench) -> None:
    assert enrol(bench, "pi", "k1")
    bench.grant("pi-2", Role.BRIDGE, users=["ben"])
    assert not enrol(bench, "pi-2", "k1", ["cleo"])
    grant = people.find_grant(bench.transaction, "pi-2")
    assert grant is not None
    assert ([user.id for user in grant.users], grant.bridge_key) == (["ben"], None)
    assert people.find_bridge_key(bench.transaction, "k1") == ("pi", b"k1")


def test_other_rights_keep_the_key_and_another_role_or_none_does_not(bench: Bench) -> None:
    enrol(bench, "pi", "k1")
    bench.grant("pi", Role.BRIDGE, users=["ben"])
    assert key_of(bench, "pi") == "k1"
    bench.grant("pi", Role.VIEWER)
    assert key_of(bench, "pi") is None
    enrol(bench, "pi", "k1")
    assert people.revoke(bench.transaction, "pi")
    assert people.find_bridge_key(bench.transaction, "k1") is None


def by_token(bench: Bench, sub: str, role: Role = Role.BRIDGE) -> str | None:
    return people.grant_by_token(bench.transaction, sub, role, sub, ["ana"], None)


def test_a_key_that_a_token_replaces_is_a_change_of_rights(bench: Bench) -> None:
    enrol(bench, "pi", "k1")
    before = people.rights_version(bench.transaction)
    by_token(bench, "pi")
    assert key_of(bench, "pi") is None
    assert people.rights_version(bench.transaction) > before


def generations(bench: Bench, sub: str) -> tuple[str | None, str | None]:
    grant = people.find_grant(bench.transaction, sub)
    return people.generation_of(bench.transaction, sub), grant.generation if grant else None


def test_a_generation_begins_at_each_revocation_and_outlives_it(bench: Bench) -> None:
    assert by_token(bench, "eye", Role.VIEWER) is None
    seen: list[str | None] = [None]
    for _ in range(2):
        people.revoke(bench.transaction, "eye")
        later, granted = generations(bench, "eye")
        assert (later not in seen, granted) == (True, None)
        seen.append(later)
        # Other rights are no new generation, nor is another token.
        bench.grant("eye", Role.VIEWER)
        assert by_token(bench, "eye", Role.VIEWER) == later
        assert generations(bench, "eye") == (later, later)
    assert people.grants_of(bench.transaction, ["eye"])["eye"].generation == seen[-1]
    assert by_token(bench, "other") is None


def test_a_name_that_nobody_has_gets_no_generation(bench: Bench) -> None:
    assert not people.revoke(bench.transaction, "nobody")
    assert generations(bench, "nobody") == (None, None)


def test_a_key_begins_a_generation_of_tokens(bench: Bench) -> None:
    assert by_token(bench, "pi") is None
    assert enrol(bench, "pi", "k1")
    later = by_token(bench, "pi")
    assert later is not None
    assert generations(bench, "pi") == (later, later)


def test_grants_of_several_are_those_of_each(bench: Bench) -> None:
    bench.grant("one", users=["cleo", "ana"], metrics=["steps"])
    bench.grant("all")
    bench.grant("none", users=[])
    enrol(bench, "pi", "k1", ["ben"])
    subs = ["one", "all", "none", "pi"]
    alone = {sub: people.find_grant(bench.transaction, sub) for sub in subs}
    assert people.grants_of(bench.transaction, [*subs, "nobody"]) == alone
    assert {grant.sub: grant for grant in people.all_grants(bench.transaction)} == alone


def test_who_is_not_there_is_told_by_id(bench: Bench) -> None:
    assert people.missing_users(bench.transaction, ["zoe", "ana", "eli", "zoe"]) == ["eli", "zoe"]
    assert people.missing_users(bench.transaction, []) == []
