"""A client's states."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from strapline_protocol.base import WireModel
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.link import LinkState
from strapline_protocol.opening import GoingAway, Heartbeat, Hello
from strapline_protocol.viewer_session import ViewerSession


@pytest.mark.parametrize("table", [BridgeSession.EXPECTED, ViewerSession.EXPECTED])
def test_both_clients_say_what_they_expect_in_each_state(
    table: Mapping[LinkState, frozenset[type[WireModel]]],
) -> None:
    assert table.keys() == set(LinkState)
    assert table[LinkState.WAITING] == {Hello}
    assert table[LinkState.CLOSED] == frozenset()
    for state in (LinkState.GREETED, LinkState.AUTHENTICATING, LinkState.READY):
        assert {Heartbeat, GoingAway} <= table[state]
        assert Hello not in table[state]
