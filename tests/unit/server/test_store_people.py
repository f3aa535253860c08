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
