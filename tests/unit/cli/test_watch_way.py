"""The way of the readings, hop by hop."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.ink import Tone, plain
from strapline.watch.link_state import SERVER_AWAY, Connection
from strapline.watch.person import Person
from strapline.watch.way import way_of
from strapline_client.events import ConnectionStatus
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import HopState, ServerState, SyncStatus
from tests.unit.cli.watch_kit import LIVE, NOW_MS, a_status, at, ilse, maren, zone


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def told(person: Person, connection: Connection = LIVE) -> str:
    return plain(way_of(person, connection, NOW_MS, 100))


def test_a_whole_way_says_each_hops_age() -> None:
    assert told(maren()) == (
        "strap ──1 s── bridge ──0.2 s── server ──0.1 s──● you   nothing waiting"
    )
    live = way_of(maren(), LIVE, NOW_MS, 100)
    assert ("●", Tone.NOW) in live


def test_a_strap_that_is_away_is_a_broken_line_and_nothing_is_orange() -> None:
    assert told(ilse()) == (
        "strap ╌╌since 14:03╌╌ bridge ──0.2 s── server ──0.1 s──○ you   "
        "strap out of range, nothing waiting"
    )
    assert Tone.NOW not in {tone for _, tone in way_of(ilse(), LIVE, NOW_MS, 100)}


def test_what_waits_is_a_double_line() -> None:
    waiting = replace(maren(), status=a_status(SyncStatus.SYNCING, pending=1))
    assert "bridge ══0.2 s══ server" in told(waiting)
    assert told(waiting).endswith("1 reading waiting")


def test_a_bridge_that_is_offline_keeps_what_it_has() -> None:
    status = a_status(
        SyncStatus.OFFLINE,
        DeviceState.NOT_WORN,
        bridge=HopState.OFFLINE,
        bridge_since_ms=at("14:02:00"),
        pending=312,
    )
    said = told(replace(maren(), status=status))
    assert "bridge ╌╌since 14:02╌╌ server" in said
    assert said.endswith("not worn, 312 readings waiting")


def test_a_server_that_cannot_store_says_so() -> None:
    status = a_status(SyncStatus.ERROR, server=ServerState.NOT_STORING)
    assert told(replace(maren(), status=status)).endswith("server cannot store")


def test_of_what_is_beyond_a_lost_server_nothing_is_claimed() -> None:
    lost = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY, at("14:04:00"))
    assert told(maren(), lost) == (
        "strap ··not known·· bridge ··not known·· server ╌╌since 14:04╌╌○ you   server away"
    )
    assert "server ··connecting··○ you" in told(maren(), Connection())
    never = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY)
    assert "server ╌╌not reached╌╌○ you" in told(maren(), never)


def test_without_a_strap_there_is_no_hop_to_speak_of() -> None:
    assert told(Person("ana", "Ana")) == (
        "strap ··none yet·· bridge ··none yet·· server ──0.1 s──○ you"
    )
