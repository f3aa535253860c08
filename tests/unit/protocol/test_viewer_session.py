"""The viewer's end: each change once, and a hole is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_client, encode
from strapline_protocol.errors import LocalProtocolError, RemoteProtocolError
from strapline_protocol.link import LinkState
from strapline_protocol.opening import Authenticate, Error, Heartbeat, Refresh, Request
from strapline_protocol.positions import Positions, Taken
from strapline_protocol.viewer_session import Gap, ViewerSession
from strapline_protocol.watching import (
    MOST_USERS,
    Subscribe,
    SubscriptionChanged,
    SyncAsked,
)
from tests.unit.protocol.examples import (
    CLIENT,
    SERVER_MESSAGES,
    authenticated,
    history_changed,
    subscribed,
    update,
)

GAP = Gap("ada", "heart_rate")


def session(state: LinkState, positions: Positions | None = None) -> ViewerSession:
    """A session in that state, at 0."""
    made = ViewerSession(0, CLIENT, positions or Positions())
    if state is LinkState.CLOSED:
        made.closed()
    elif state is not LinkState.WAITING:
        made.receive(encode(SERVER_MESSAGES[0]), 0)
        if state is not LinkState.GREETED:
            made.authenticate("t")
        if state is LinkState.READY:
            made.receive(encode(authenticated()), 0)
    assert made.state is state
    return made


def watching(positions: Positions | None = None, n: int = 10) -> ViewerSession:
    """A session that has Ada's snapshot at the n-th change."""
    made = session(LinkState.READY, positions)
    made.subscribe("r1")
    hear(made, subscribed("r1", ada=("e", n)))
    return made


def hear(made: ViewerSession, message: WireModel) -> list[Any]:
    return made.receive(encode(message), 1)


def since(frame: bytes) -> dict[str, tuple[str, int]]:
    message = decode_client(frame)
    assert isinstance(message, Subscribe)
    return message.since


def name(value: object) -> str:
    return value.name if isinstance(value, LinkState) else type(value).__name__


@pytest.mark.parametrize("message", SERVER_MESSAGES, ids=name)
@pytest.mark.parametrize("state", LinkState, ids=name)
def test_each_message_in_each_state(state: LinkState, message: WireModel) -> None:
    positions = Positions()
    positions.snapshot("ada", ("e", 0), reset=True)
    made = session(state, positions)
    if state is LinkState.READY:
        made.subscribe("q3")
    if type(message) in ViewerSession.EXPECTED[state]:
        assert made.receive(encode(message), 1) == [message]
        opened = {LinkState.WAITING: LinkState.GREETED}
        if message == authenticated():
            opened = {LinkState.AUTHENTICATING: LinkState.READY}
        assert made.state is opened.get(state, state)
    else:
        with pytest.raises(RemoteProtocolError, match=f"while {state.name}"):
            made.receive(encode(message), 1)


@pytest.mark.parametrize("state", LinkState, ids=name)
def test_a_message_of_a_newer_server_is_passed_over(state: LinkState) -> None:
    made = session(state)
    assert made.receive('{"type":"FUTURE"}', 1) == []
    assert made.unknown == 1


@pytest.mark.parametrize("state", LinkState, ids=name)
@pytest.mark.parametrize(
    ("say", "said"),
    [
        (lambda made: made.refresh("t"), Refresh(token="t")),
        (lambda made: made.subscribe("r"), Subscribe(request="r")),
        (lambda made: made.sync(), SyncAsked(status="syncing")),
        (
            lambda made: made.ask(Request(request="q", method="sync")),
            Request(request="q", method="sync"),
        ),
    ],
    ids=["refresh", "subscribe", "sync", "ask"],
)
def test_nothing_is_sent_before_the_session_stands(
    say: Callable[[ViewerSession], bytes], said: WireModel, state: LinkState
) -> None:
    made = session(state)
    if state is LinkState.READY:
        assert decode_client(say(made)) == said
    else:
        with pytest.raises(LocalProtocolError, match=f"in state {state.name}"):
            say(made)


@pytest.mark.parametrize("state", LinkState, ids=name)
def test_one_authenticates_once_and_after_the_greeting(state: LinkState) -> None:
    made = session(state)
    if state is LinkState.GREETED:
        assert decode_client(made.authenticate("t")) == Authenticate(token="t", client=CLIENT)
    with pytest.raises(LocalProtocolError, match="authenticate in state"):
        made.authenticate("t")


def test_silence_is_two_and_a_half_heartbeats() -> None:
    made = session(LinkState.READY)
    assert made.silence_allowed_ms == 25_000
    assert not made.silent(25_000)
    assert made.silent(25_001)
    made.receive(encode(Heartbeat(server_time=1)), 25_001)
    assert not made.silent(50_001)


# ------------------------------------------------------------------------------- each change once


def test_changes_in_order_are_news() -> None:
    made = watching()
    for change in (update(11, 10), update(12, 11), history_changed(13, 12)):
        assert hear(made, change) == [change]


def test_what_is_held_already_is_no_event() -> None:
    made = watching()
    assert hear(made, update(10, 9)) == []
    assert hear(made, update(11, 10)) != []
    assert hear(made, update(11, 10)) == []
    assert hear(made, update(3, 2)) == []


def test_a_change_of_another_metric_is_no_gap() -> None:
    made = watching()
    assert hear(made, update(12, 7, metric="steps")) != []
    assert hear(made, update(13, 9)) != []
    assert hear(made, update(14, 12, metric="steps")) != []
    assert hear(made, update(15, 13)) != []


def test_a_change_before_any_snapshot_is_nothing_to_anyone() -> None:
    made = session(LinkState.READY)
    assert hear(made, update(1, 0)) == []


# --------------------------------------------------------------------------------------------- gaps


def test_a_missing_change_is_a_gap_and_what_is_held_is_what_to_resume_from() -> None:
    made = watching()
    hear(made, update(11, 10))
    assert hear(made, update(13, 12)) == [GAP]
    assert since(made.subscribe("r2")) == {"ada": ("e", 11)}
    hear(made, subscribed("r2", reset=False, ada=("e", 13)))
    for change in (update(12, 11), update(13, 12)):
        assert hear(made, change) == [change]
    assert since(made.subscribe("r3")) == {"ada": ("e", 13)}


def test_a_gap_is_told_again_until_something_is_done() -> None:
    made = watching()
    assert hear(made, update(13, 12)) == [GAP]
    assert hear(made, update(14, 13)) == [GAP]
    made.subscribe("r2")
    assert hear(made, update(15, 14)) == []
    # An answer to somebody's earlier question changes nothing about that.
    hear(made, subscribed("r1", reset=False, ada=("e", 15)))
    assert hear(made, update(16, 15)) == []
    hear(made, subscribed("r2", reset=False, ada=("e", 15)))
    assert hear(made, update(16, 15)) == [GAP]


def test_what_is_missing_again_where_it_was_asked_for_is_asked_for_whole() -> None:
    """A change that cannot be read, or that the server lost, is no reason to ask for ever."""
    made = watching()
    assert hear(made, update(13, 12)) == [GAP]
    assert since(made.subscribe("r2")) == {"ada": ("e", 10)}
    hear(made, subscribed("r2", reset=False, ada=("e", 13)))
    assert hear(made, update(13, 12)) == [GAP]
    assert since(made.subscribe("r3")) == {}
    hear(made, subscribed("r3", ada=("e", 13)))
    assert hear(made, update(14, 13)) != []


@pytest.mark.parametrize("turned", [False, True])
def test_the_earliest_of_several_gaps_is_what_to_resume_from(turned: bool) -> None:
    made = watching()
    hear(made, update(11, 10, metric="steps"))
    gaps = [(update(15, 14, metric="steps"), Gap("ada", "steps")), (update(16, 13), GAP)]
    for change, gap in reversed(gaps) if turned else gaps:
        assert hear(made, change) == [gap]
    assert since(made.subscribe("r2")) == {"ada": ("e", 10)}


def test_changes_of_other_metrics_behind_a_gap_are_held_and_not_told_twice() -> None:
    made = watching()
    assert hear(made, update(13, 12)) == [GAP]
    assert hear(made, update(14, 9, metric="steps")) != []
    assert since(made.subscribe("r2")) == {"ada": ("e", 10)}
    hear(made, subscribed("r2", reset=False, ada=("e", 14)))
    assert hear(made, update(12, 10)) != []
    assert hear(made, update(13, 12)) != []
    assert hear(made, update(14, 9, metric="steps")) == []
    # What came late does not take back what is held beyond it.
    assert since(made.subscribe("r3")) == {"ada": ("e", 14)}


def test_a_gap_outlives_its_connection() -> None:
    positions = Positions()
    made = watching(positions)
    assert hear(made, update(13, 12)) == [GAP]
    made.closed()
    assert since(session(LinkState.READY, positions).subscribe("r1")) == {"ada": ("e", 10)}


def test_a_refused_subscription_fills_no_gap() -> None:
    made = watching()
    made.subscribe("r2")
    hear(made, Error(request="other", code="failed", message="x"))
    assert hear(made, update(13, 12)) == []
    hear(made, Error(request="r2", code="tooMany", message="x"))
    assert hear(made, update(14, 13)) == [GAP]


def test_a_jump_on_a_conflated_subscription_is_no_gap() -> None:
    made = session(LinkState.READY)
    assert b'"minIntervalMs":1000' in made.subscribe("r1", min_interval_ms=1_000)
    hear(made, subscribed("r1", ada=("e", 10)))
    assert hear(made, update(19, 18)) != []
    assert hear(made, update(19, 18)) == []
    assert hear(made, update(5, 4)) == []


def test_a_message_that_says_what_it_left_out_is_no_gap() -> None:
    made = watching()
    assert hear(made, update(19, 18, conflated=8)) != []
    assert hear(made, update(21, 20)) == [GAP]


# ------------------------------------------------------------------------------ resume and restart


def test_a_new_connection_resumes_from_the_last_change_of_each_user() -> None:
    positions = Positions()
    made = watching(positions)
    hear(made, update(11, 10))
    hear(made, update(12, 3, metric="steps"))
    made.closed()
    made = session(LinkState.READY, positions)
    assert since(made.subscribe("r1")) == {"ada": ("e", 12)}
    hear(made, subscribed("r1", reset=False, ada=("e", 12)))
    assert hear(made, update(12, 3, metric="steps")) == []
    assert hear(made, update(13, 11)) != []


def test_a_reset_starts_anew_even_further_back() -> None:
    made = watching()
    hear(made, update(11, 10))
    made.subscribe("r2")
    hear(made, subscribed("r2", ada=("e2", 4)))
    assert since(made.subscribe("r3")) == {"ada": ("e2", 4)}
    assert hear(made, update(5, 4, epoch="e2")) == [update(5, 4, epoch="e2")]


@pytest.mark.parametrize("n", [3, 11, 900])
@pytest.mark.parametrize("conflated", [0, 5])
def test_another_epoch_is_a_gap_whatever_its_numbers(n: int, conflated: int) -> None:
    made = watching()
    assert hear(made, update(n, n - 1, epoch="e2", conflated=conflated)) == [GAP]
    assert since(made.subscribe("r2")) == {"ada": ("e", 10)}


def test_only_what_is_asked_for_is_resumed() -> None:
    positions = Positions()
    for user in ("ada", "bob", "eve"):
        positions.snapshot(user, ("e", 1), reset=True)
    made = session(LinkState.READY, positions)
    frame = made.subscribe("r1", users=["bob", "new"], metrics=["steps"])
    assert since(frame) == {"bob": ("e", 1)}
    message = decode_client(frame)
    assert isinstance(message, Subscribe)
    assert (message.users, message.metrics) == (["bob", "new"], ["steps"])


def test_more_users_than_one_message_may_name_start_anew() -> None:
    positions = Positions()
    for number in range(MOST_USERS + 5):
        positions.snapshot(f"u{number}", ("e", number), reset=True)
    frame = session(LinkState.READY, positions).subscribe("r1")
    assert len(since(frame)) == MOST_USERS


def test_who_is_no_longer_granted_is_forgotten() -> None:
    positions = Positions()
    made = watching(positions)
    gone = SubscriptionChanged(added=["eve"], removed=["ada"])
    assert hear(made, gone) == [gone]
    assert positions.users() == []
    assert hear(made, update(11, 10)) == []


def test_who_was_revoked_in_absence_is_forgotten() -> None:
    positions = Positions()
    for user in ("ada", "bob", "eve"):
        positions.snapshot(user, ("e", 1), reset=True)
    made = session(LinkState.READY, positions)
    made.subscribe("r1", users=["ada", "bob"])
    hear(made, subscribed("r1", reset=False, ada=("e", 1)))
    assert positions.users() == ["ada", "eve"]
    made.subscribe("r2")
    hear(made, subscribed("r2", reset=False, ada=("e", 1)))
    assert positions.users() == ["ada"]


def test_the_answer_to_a_subscription_that_was_replaced_is_no_event() -> None:
    positions = Positions()
    made = watching(positions)
    made.subscribe("r2")
    assert since(made.subscribe("r3")) == {"ada": ("e", 10)}
    # When r2 was answered she was not granted; r3 goes on from what is held.
    assert hear(made, subscribed("r2")) == []
    assert positions.users() == ["ada"]
    answer = subscribed("r3", reset=False, ada=("e", 12))
    assert hear(made, answer) == [answer]
    assert hear(made, update(11, 10)) != []
    assert hear(made, answer) == []


def test_a_session_is_useful_once_a_snapshot_has_come() -> None:
    made = session(LinkState.READY)
    made.subscribe("r1")
    assert not made.useful
    hear(made, subscribed("r1", ada=("e", 1)))
    assert made.useful


def test_a_snapshot_that_goes_on_from_nothing_begins_there() -> None:
    positions = Positions()
    positions.snapshot("ada", ("e", 5), reset=False)
    assert positions.since() == {"ada": ("e", 5)}
    assert positions.take(update(6, 5), conflated=False) is Taken.NEWS
