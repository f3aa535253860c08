"""Whose rights are meant, before any is taken."""

from __future__ import annotations

import pytest

from strapline.errors import CommandError
from strapline.revoking import meant
from strapline_protocol.opening import Role
from strapline_server import Grant


def grant(sub: str, name: str, role: Role = Role.VIEWER) -> Grant:
    return Grant(sub, role, name, True, (), frozenset(), None)


MAREN = grant("viewer-maren", "Maren")
LINKS = [grant("link-a", "dashboard link"), grant("link-b", "dashboard link")]
PI = grant("bridge-maren", "Maren", Role.BRIDGE)


def test_a_principal_is_meant_by_its_id_or_its_name() -> None:
    there = [MAREN, *LINKS]
    assert meant(there, "viewer-maren") == [MAREN]
    assert meant(there, "Maren") == [MAREN]
    assert meant(there, "link-b") == LINKS[1:]
    assert meant(there, "dashboard link") == LINKS


def test_a_bridge_and_a_viewer_of_one_name_are_not_taken_together() -> None:
    with pytest.raises(CommandError, match="viewer-maren or bridge-maren"):
        meant([MAREN, PI], "Maren")


def test_who_is_not_there_is_told_who_is() -> None:
    with pytest.raises(CommandError, match=r"'Tomas'.*viewer-maren \(Maren\)"):
        meant([MAREN], "Tomas")
    with pytest.raises(CommandError, match="to anybody here"):
        meant([], "Tomas")
