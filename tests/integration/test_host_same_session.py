"""The server's own tests, against one that is mounted in a host application: the same session.

Of them all that look at what is said and done, and a bridge with a backlog; those of frames,
handshakes and plain files are of the server's own sockets.
"""

from __future__ import annotations

from types import MappingProxyType, ModuleType
from typing import Any

import pytest

from tests.integration import (
    test_bridge_to_server,
    test_server_line,
    test_server_resume,
    test_server_rights,
    test_server_rights_change,
    test_server_socket,
)
from tests.integration.host_kit import mounted

WHOLE = (test_server_line, test_server_resume, test_server_rights, test_server_rights_change)
#: How a host's own server ends its sockets is not ours; both servers would have one secret, which
#: is no file of the state folder; and a connection that is closed is lost at once.
NOT_HERE = (
    "test_a_stop_gives_each_client_its_own_moment",
    "test_tokens_that_are_not_good_here_are_refused",
    "test_too_much_while_a_snapshot_is_read_ends_the_connection",
    "test_what_an_application_signed_lives_until_it_expires",
)
OF_BRIDGES = (
    "test_live_and_backlog_of_two_runs_are_on_the_server_once",
    "test_a_stream_of_another_bridge_is_kept_and_holds_nothing_back",
)
OF_SOCKETS = (
    "test_a_flood_is_cut_and_the_others_do_not_feel_it",
    "test_a_good_origin_without_a_token_gets_no_data",
    "test_a_quiet_viewer_hears_a_heartbeat",
    "test_a_longer_message_than_agreed_is_refused",
    "test_a_message_in_a_few_fragments_is_one_message",
    "test_a_page_of_another_host_gets_no_socket",
    "test_a_session_has_a_name_of_its_own",
    "test_a_version_that_will_be_refused_is_accepted_first",
    "test_an_unknown_message_is_answered_and_nothing_closes",
    "test_connections_of_one_principal_are_capped",
    "test_two_origins_are_refused",
)


def found_in(module: ModuleType) -> dict[str, Any]:
    return {name: one for name, one in vars(module).items() if name.startswith("test_")}


TESTS = MappingProxyType(
    {
        name: one
        for module in WHOLE
        for name, one in found_in(module).items()
        if name not in NOT_HERE
    }
    | {name: found_in(test_server_socket)[name] for name in OF_SOCKETS}
    | {name: found_in(test_bridge_to_server)[name] for name in OF_BRIDGES}
)
# Found here by their names, they are collected once more; which server they get is a fixture's.
globals().update(TESTS)


@pytest.fixture(autouse=True)
def in_a_host_application(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (*WHOLE, test_server_socket, test_bridge_to_server):
        monkeypatch.setattr(module, "serving", mounted)
