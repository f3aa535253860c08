"""Lines for people who read along, and JSON for programs."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.lines import Narrator, json_line, table
from strapline.watch.link_state import LINK_REVOKED, SERVER_AWAY, Connection
from strapline_client import Lagged, SyncStatusUpdate, Update, UserState, WebSocketEventType
from strapline_client.events import ConnectionState, ConnectionStatus, Reason
from tests.unit.cli.watch_kit import LIVE, NOW_MS, a_status, ilse, maren, tomas, zone

USERS = {"maren": UserState("maren", "Maren Holt")}
STATUS = SyncStatusUpdate(user="maren", server_time=NOW_MS, **dict(a_status()))
TOLD = Update(WebSocketEventType.SYNC_STATUS_UPDATE, STATUS, "maren", USERS["maren"])


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def test_a_table_of_everyone() -> None:
    first, second, third = table([maren(), tomas(), ilse()], LIVE, NOW_MS)
    assert first == "Maren Holt   145  1 s ago   4,127 steps so far   battery 82 %"
    assert second == "Tomás Reyes  158  2 s ago   6,412 steps so far   battery 64 %"
    assert third == (
        "Ilse Brandt    —  72 at 14:03, strap out of range for 2 min 31 s   "
        "1,038 steps so far   battery 31 % at 14:02"
    )
    assert table([], LIVE, NOW_MS) == ["Nobody is shown yet."]


def test_a_line_of_json_is_the_servers_message_with_the_name() -> None:
    told = json.loads(json_line(TOLD, USERS) or "")
    assert list(told)[:3] == ["type", "user", "name"]
    assert told["name"] == "Maren Holt"
    assert told["serverTime"] == NOW_MS
    assert told["hops"]["devices"][0]["sinceMs"] == NOW_MS - 600_000


def test_names_in_json_are_one_line_whatever_is_in_them() -> None:
    users = {"maren": UserState("maren", "Ma\u2028ren\n[red]")}
    line = json_line(TOLD, users)
    assert line is not None
    assert "\n" not in line
    assert json.loads(line)["name"] == "Ma\u2028ren\n[red]"


def test_the_link_and_what_was_left_out_are_told_too() -> None:
    lost = ConnectionState(ConnectionStatus.RECONNECTING, "gone", Reason.SERVER_AWAY, 1006)
    update = Update(WebSocketEventType.CONNECTION_STATUS_UPDATE, lost)
    assert json.loads(json_line(update, {}) or "") == {
        "type": "CONNECTION_STATUS_UPDATE",
        "status": "reconnecting",
        "why": "serverAway",
        "reason": "gone",
    }
    lagged = Update(WebSocketEventType.LAGGED, Lagged(7))
    assert json.loads(json_line(lagged, {}) or "") == {"type": "LAGGED", "leftOut": 7}


def test_what_another_line_says_already_is_no_line() -> None:
    again = Update(WebSocketEventType.HEALTH_DATA_UPDATE, STATUS, "maren")
    assert json_line(again, USERS) is None
    assert json_line(Update(WebSocketEventType.HEALTH_DATA_UPDATE, None, "maren"), USERS) is None


def test_a_narrator_tells_each_reading_once() -> None:
    narrator = Narrator()
    people = [maren(), ilse()]
    assert narrator.lines(TOLD, people, LIVE, NOW_MS) == [
        "14:05:40  Maren Holt                145  1 s ago"
    ]
    assert narrator.lines(TOLD, people, LIVE, NOW_MS) == []


def test_a_rate_that_becomes_the_past_is_told_without_a_message_and_once() -> None:
    narrator = Narrator()
    narrator.lines(TOLD, [maren()], LIVE, NOW_MS)
    assert narrator.silence([maren()], LIVE, NOW_MS + 1_000) == []
    assert narrator.silence([maren()], LIVE, NOW_MS + 4_001) == [
        "14:05:44  Maren Holt                —  145 at 14:05, no reading"
    ]
    assert narrator.silence([maren()], LIVE, NOW_MS + 60_000) == []


def test_the_way_to_the_server_is_told_once() -> None:
    narrator = Narrator()
    update = Update(
        WebSocketEventType.CONNECTION_STATUS_UPDATE, ConnectionState(ConnectionStatus.CONNECTED)
    )
    assert narrator.lines(update, [], LIVE, NOW_MS) == ["14:05:40  connected"]
    assert narrator.lines(update, [], LIVE, NOW_MS) == []
    away = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY)
    (line,) = narrator.lines(update, [], away, NOW_MS)
    assert line.startswith("14:05:40  The server is away. ")
    assert narrator.lines(update, [], replace(away, lost_at_ms=1), NOW_MS) == []
    assert narrator.lines(update, [], Connection(), NOW_MS) == []
    revoked = Connection(ConnectionStatus.STOPPED, LINK_REVOKED)
    assert "revoked" in narrator.lines(update, [], revoked, NOW_MS)[0]
