"""Listeners, readers and the last event of each kind."""

import gc

from strapline_client.events import ConnectionState, ConnectionStatus, Update, WebSocketEventType
from strapline_client.telling import Teller

HEALTH = WebSocketEventType.HEALTH_DATA_UPDATE


def of(user: str | None) -> Update:
    return Update(HEALTH, None, user)


def test_a_listener_is_told_once_however_often_it_is_added() -> None:
    teller = Teller()
    told: list[Update] = []
    teller.add(HEALTH, told.append)
    listener = told.append
    teller.remove(HEALTH, listener)
    teller.add(HEALTH, listener)
    teller.add(HEALTH, listener)
    teller.tell(of("maren"))
    teller.remove(HEALTH, listener)
    teller.remove(HEALTH, listener)
    teller.tell(of("maren"))
    assert told == [of("maren")]


def test_the_latest_is_kept_by_user_until_that_user_goes() -> None:
    teller = Teller()
    assert teller.latest(HEALTH, None) is None
    teller.tell(of("maren"))
    teller.tell(of("ilse"))
    assert teller.latest(HEALTH, "maren") == of("maren")
    assert teller.latest(HEALTH, None) == of("ilse")
    teller.keep_only(["maren"])
    assert teller.latest(HEALTH, "ilse") is None
    assert teller.latest(HEALTH, None) is None
    assert teller.latest(HEALTH, "maren") == of("maren")


def test_a_reader_that_nobody_holds_any_more_takes_no_room() -> None:
    teller = Teller()
    reader = teller.reader(1)
    teller.tell(of("maren"))
    teller.tell(of("maren"))
    assert teller.left_out == 1
    del reader
    gc.collect()
    teller.tell(of("maren"))
    assert teller.left_out == 1


async def test_after_the_end_nothing_comes_until_it_begins_again() -> None:
    teller = Teller()
    state = ConnectionState(ConnectionStatus.CONNECTING)
    reader = teller.reader(5)
    teller.end(None)
    teller.tell(Update(WebSocketEventType.CONNECTION_STATUS_UPDATE, state))
    assert [one async for one in reader] == []
    assert [one async for one in teller.reader(5)] == []
    teller.begin()
    again = teller.reader(5)
    teller.tell(of("maren"))
    assert await anext(again) == of("maren")
