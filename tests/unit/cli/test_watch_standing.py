"""The connection as a whole, in the words of the page."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.ink import Tone, plain
from strapline.watch.link_state import LINK_REVOKED, SERVER_AWAY, Connection
from strapline.watch.person import Person
from strapline.watch.standing import complete_through, standing_of, summary_of
from strapline_client.events import ConnectionStatus
from strapline_protocol.watching import HopState, SyncStatus
from tests.unit.cli.watch_kit import (
    LIVE,
    NOW_MS,
    a_rate,
    a_status,
    at,
    ilse,
    maren,
    tomas,
    zone,
)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def words(people: list[Person], connection: Connection = LIVE, now_ms: int = NOW_MS) -> str:
    return standing_of(connection, people, now_ms).words


def having(status: SyncStatus, **more: object) -> Person:
    return replace(ilse(), status=a_status(status, **more))  # type: ignore[arg-type]  # as given


def test_live_says_the_age_of_the_newest_reading() -> None:
    assert words([maren(), tomas(), ilse()]) == "Live  1 s ago"


def test_a_server_that_has_not_noticed_a_silence_is_not_believed() -> None:
    assert words([maren()], now_ms=NOW_MS + 9_000) == "Live  10 s ago"
    assert words([maren()], now_ms=NOW_MS + 9_001) == "Not known yet  silent for 10 s"


def test_what_is_still_on_its_way_comes_first() -> None:
    people = [maren(), having(SyncStatus.SYNCING, pending=1_204)]
    assert words(people) == "Catching up  1,204 left"


@pytest.mark.parametrize(
    ("person", "told"),
    [
        (having(SyncStatus.SYNCED), "Up to date  nothing since 14:03"),
        (having(SyncStatus.ERROR), "Stopped  server cannot store"),
        (having(SyncStatus.OFFLINE, bridge=HopState.OFFLINE), "Offline  bridge offline"),
        (having(SyncStatus.OFFLINE, bridge=HopState.OFFLINE, pending=312), "Offline  312 waiting"),
        (having(SyncStatus.CONNECTING), "Not known yet"),
        (Person("ana", "Ana"), "Up to date  no strap yet"),
        (Person("ana", "Ana", status=a_status(SyncStatus.SYNCED)), "Up to date  no reading yet"),
        (
            Person("ana", "Ana", {"heart_rate": a_rate(None, None)}, a_status()),
            "Live",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_status_has_its_words(person: Person, told: str) -> None:
    assert words([person]) == told


def test_a_bridge_that_several_share_is_counted_once() -> None:
    people = [having(SyncStatus.SYNCING, pending=40), having(SyncStatus.SYNCING, pending=40)]
    assert words(people) == "Catching up  40 left"


def test_this_screens_own_link_comes_before_all_that_is_beyond() -> None:
    lost = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY, at("14:01:10"))
    assert words([maren()], lost) == "Offline  server away since 14:01"
    never = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY)
    assert words([], never) == "Offline  server away"
    assert words([], Connection()) == "Not known yet"
    assert words([], Connection(ConnectionStatus.STOPPED, LINK_REVOKED)) == "Stopped  link revoked"


def test_glyphs_speak_the_grammar_of_the_trace() -> None:
    def glyph(status: SyncStatus) -> str:
        return plain(standing_of(LIVE, [having(status)], NOW_MS).row)[:3]

    assert glyph(SyncStatus.SYNCING) == "══◐"
    assert glyph(SyncStatus.SYNCED) == "──✓"
    assert glyph(SyncStatus.OFFLINE) == "╌╌○"
    assert glyph(SyncStatus.CONNECTING) == "··?"
    live = standing_of(LIVE, [maren()], NOW_MS).row
    assert live[:2] == [("──", Tone.INK), ("●", Tone.NOW)]
    stopped = standing_of(LIVE, [having(SyncStatus.ERROR)], NOW_MS).row
    assert stopped[0] == (" Stopped ", Tone.PLATE)


def test_how_many_are_live() -> None:
    people = [ilse(), maren(), tomas()]
    assert summary_of(people, NOW_MS, connected=True) == "3 people: 2 live, 1 out of range"
    assert summary_of([maren()], NOW_MS, connected=True) == "1 person, live"
    assert summary_of([], NOW_MS, connected=True) == "nobody yet"
    never = Person("ana", "Ana")
    assert summary_of([never], NOW_MS, connected=True) == "1 person, not measured yet"
    later = NOW_MS + 60_000
    told = summary_of(people, later, connected=True)
    assert told == "3 people: 1 out of range, 2 silent"


def test_everything_is_here_up_to_the_earliest_that_holds_for_all() -> None:
    early = replace(tomas(), status=a_status(complete_through_ms=at("14:00:00")))
    assert complete_through([maren(), early, ilse()]) == at("14:00:00")
    assert complete_through([ilse()]) is None
