"""What is asked for a token, before anything is granted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strapline.errors import CommandError
from strapline.tokens import Wanted

VIEWER = Wanted(viewer="Coach Ada", users=("maren-holt",))


def test_a_viewer_and_a_bridge_of_one_name_are_two_principals() -> None:
    VIEWER.check()
    bridge = Wanted(bridge="Coach Ada", everyone=True)
    bridge.check()
    assert (VIEWER.principal, bridge.principal) == ("viewer-coach-ada", "bridge-coach-ada")


@pytest.mark.parametrize(
    ("wanted", "remedy"),
    [
        (replace(VIEWER, viewer=None), "--viewer NAME or --bridge NAME"),
        (replace(VIEWER, bridge="Pi"), "--viewer NAME or --bridge NAME"),
        (replace(VIEWER, users=()), "--all"),
        (replace(VIEWER, everyone=True), "--all"),
        (Wanted(bridge="Pi", everyone=True, link=True), "Leave --link out"),
        (Wanted(bridge="Pi", everyone=True, may_mark=True), "Leave --may-mark out"),
        (replace(VIEWER, at="coach.example.org"), "https://coach.example.org"),
        (replace(VIEWER, at="https://coach.example.org/?token=x"), "https://"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_remedy(wanted: Wanted, remedy: str) -> None:
    with pytest.raises(CommandError) as refused:
        wanted.check()
    assert remedy in str(refused.value)
