"""What is said: notes in the server's own stream, and the newest of them as a state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from strapline_protocol.asking import SessionResult, StartSessionParams
from strapline_protocol.opening import Error, Role
from strapline_protocol.publishing import Acknowledged, Rejected
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    Mark,
    MarkData,
    SessionData,
    SummaryData,
)
from strapline_server.store.commit import Outcome, Run
from strapline_server.store.notes import HOST, OWNER, Note, NoteStored, check_note
from strapline_server.store.saying import Saying
from tests.unit.server.store_kit import (
    EPOCH,
    HOUR,
    NOON,
    OWN,
    Bench,
    published,
    series_of,
    stream_named,
    zero_at,
)

A = stream_named("A")
SESSION_1, SESSION_2 = stream_named("1"), stream_named("2")


def summary(at_ms: int = NOON, user: str = "ana", **fields: Any) -> Note:
    return Note(user, "summary", HOST, at_ms, {"summary": fields})


def bench_of(*users: str) -> Bench:
    bench = Bench()
    for user in users or ("ana",):
        bench.add_user(user)
    return bench


def receipt(outcome: Outcome, index: int = 0) -> NoteStored:
    (answer,) = outcome.answers[index]
    assert isinstance(answer, NoteStored)
    return answer


def test_a_note_of_the_host_is_stored_shown_and_told() -> None:
    bench = bench_of()
    bench.grant("eye", Role.VIEWER)
    outcome = bench.commit(Saying(None, summary(steps=10_000, heartRate={"average": 75})))
    assert receipt(outcome) == NoteStored(stream=OWN, seq=0, position=(EPOCH, 1), committed_ms=NOON)
    (change,) = outcome.changes
    assert isinstance(change.message, HealthDataUpdate)
    assert change.message.position == (EPOCH, 1)
    assert change.message.stream == OWN
    told = SummaryData(summary={"steps": 10_000, "heartRate": {"average": 75}}, at_ms=NOON)
    assert change.message.data == told
    assert bench.state() == {"summary": told}
    assert change.message.series.device == HOST
    page = bench.history("eye", metric="summary")
    (series,) = page.series
    assert series.value == [None]
    assert (series.model_extra or {})["summary"] == [
        {"steps": 10_000, "heartRate": {"average": 75}}
    ]
    assert series.at() == [NOON]
    assert bench.rows("SELECT owner, next_seq FROM streams") == [(OWNER, 1)]
    assert bench.rows("SELECT kind, first, last FROM accounts") == [(1, 0, 0)]
    assert " " in OWNER, "no principal's name has a space"


def test_numbers_go_on_and_each_note_has_the_position_it_is_told_with() -> None:
    bench = bench_of("ana", "ben")
    outcome = bench.commit(
        Saying(None, summary(steps=1)),
        Saying(None, summary(NOON - HOUR, steps=0)),
        Saying(None, summary(NOON, "ben", steps=5)),
    )
    receipts = [receipt(outcome, index) for index in range(3)]
    assert [one.seq for one in receipts] == [0, 1, 2]
    told = {change.payload: change.message for change in outcome.changes}
    assert [(change.user, change.message.position[1]) for change in outcome.changes] == [
        ("ana", 1),
        ("ana", 2),
        ("ben", 1),
    ]
    (old,) = (one for one in told.values() if isinstance(one, HistoryChanged))
    assert receipts[1].position == old.position
    assert (old.from_ms, old.to_ms) == (NOON - HOUR, NOON - HOUR + 1)
    assert receipts[0].position != receipts[1].position
    assert {one.position for one in receipts} == {one.position for one in told.values()}
    assert receipts[2].position == (EPOCH, 1)
    bench.now_ms += 1000
    assert receipt(bench.commit(Saying(None, summary(bench.now_ms, steps=2)))).seq == 3


def test_a_summary_keeps_of_each_field_what_was_said_last() -> None:
    bench = bench_of()
    bench.commit(Saying(None, summary(NOON, steps=100, weight=61.5)))
    bench.commit(Saying(None, summary(NOON - 60_000, steps=90, mood="good")))
    assert bench.state()["summary"] == SummaryData(
        summary={"steps": 90, "weight": 61.5, "mood": "good"}, at_ms=NOON - 60_000
    )
    bench.now_ms += 5_000
    bench.commit(Saying(None, summary(bench.now_ms, steps=None, heartRate={"max": 180})))
    assert bench.state()["summary"] == SummaryData(
        summary={"steps": None, "heartRate": {"max": 180}, "weight": 61.5, "mood": "good"},
        at_ms=bench.now_ms,
    )


def test_a_summary_is_what_was_said_last_though_the_clock_was_set_back_and_it_began_anew() -> None:
    bench = bench_of()
    bench.now_ms = NOON + 6 * HOUR
    for number in range(64):
        fields: dict[str, Any] = {f"field{number}": number}
        bench.commit(Saying(None, summary(bench.now_ms, **fields)))
    bench.now_ms = NOON
    bench.run = Run("P" * 22)
    outcome = bench.commit(Saying(None, summary(NOON, field1=-1, steps=200)))
    told = outcome.changes[0].message.data
    assert isinstance(told, SummaryData)
    assert (told.summary["steps"], told.summary["field1"], told.at_ms) == (200, -1, NOON)
    assert "field0" not in told.summary, "the one that was said first goes"
    assert bench.state()["summary"] == told


def test_a_mark_is_shown_though_the_clock_was_set_back() -> None:
    bench = bench_of()
    bench.now_ms = NOON + 6 * HOUR
    ahead = Note("ana", "mark", "viewer", bench.now_ms, {"label": "ahead"})
    bench.commit(Saying(None, ahead), Saying(None, replace(ahead, device=HOST)))
    bench.now_ms = NOON
    bench.commit(Saying(None, Note("ana", "mark", "viewer", NOON, {"label": "now"})))
    assert bench.state()["mark"] == MarkData(mark=Mark(at_ms=NOON, label="now"))


def test_a_summary_is_bounded_and_the_oldest_fields_go() -> None:
    bench = bench_of()
    for number in range(70):
        fields: dict[str, Any] = {f"field{number}": number}
        bench.commit(Saying(None, summary(NOON + number, **fields)))
    data = bench.state()["summary"]
    assert isinstance(data, SummaryData)
    assert sorted(data.summary.values(), key=str) == sorted(range(6, 70), key=str)
    for number in range(6):
        fields = {f"long{number}": "x" * 15_000}
        bench.commit(Saying(None, summary(NOON + 100 + number, **fields)))
    data = bench.state()["summary"]
    assert isinstance(data, SummaryData)
    assert {"long5", "long4", "long3", "long2"} <= data.summary.keys()
    assert "field69" not in data.summary
    assert len(data.model_dump_json()) < 70_000


@pytest.mark.parametrize(
    ("note", "fault"),
    [
        (Note("ana", "heart_rate", HOST, NOON, {}), "is measured"),
        (Note("ana", "mark", HOST, NOON, {}), "those of mark are label"),
        (Note("ana", "mark", HOST, NOON, {"label": "x", "more": 1}), "those of mark are label"),
        (Note("ana", "mark", HOST, NOON, {"label": 5}), "label"),
        (Note("ana", "mark", HOST, NOON, {"label": "a\nb"}), "label"),
        (Note("ana", "mark", HOST, -1, {"label": "x"}), "atMs"),
        (Note("ana", "mark", "a device", NOON, {"label": "x"}), "device"),
        (Note("a b", "mark", HOST, NOON, {"label": "x"}), "user"),
        (Note("ana", "summary", HOST, NOON, {"summary": [1]}), "summary"),
        (Note("ana", "summary", HOST, NOON, {"summary": {"x": float("nan")}}), "summary"),
        (Note("ana", "summary", HOST, NOON, {"summary": {"x": "y" * 20_000}}), "over 16384 bytes"),
    ],
)
def test_a_note_with_a_fault_is_refused_by_name(note: Note, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        check_note(note)


def test_notes_of_a_user_that_there_is_not_and_of_the_future_are_refused() -> None:
    bench = bench_of()
    outcome = bench.commit(
        Saying(None, summary(user="nobody", x=1)), Saying(None, summary(NOON + 5_001, x=1))
    )
    (unknown,), (future,) = outcome.answers
    assert isinstance(unknown, Error)
    assert isinstance(future, Error)
    assert unknown.code == "notGranted"
    assert "strapline server user add nobody" in unknown.message
    assert future.code == "badRequest"
    assert outcome.changes == []
    assert bench.rows("SELECT * FROM streams") == []


def test_a_viewer_needs_the_right_to_mark() -> None:
    bench = bench_of("ana", "ben")
    mark = Note("ana", "mark", "viewer", NOON, {"label": "x"})
    may_not = bench.grant("eye", Role.VIEWER, users=["ana"])
    other = bench.grant("other", Role.VIEWER, users=["ben"], may_mark=True)
    limited = bench.grant(
        "limited", Role.VIEWER, users=["ana"], metrics=["heart_rate"], may_mark=True
    )
    may = bench.grant("coach", Role.VIEWER, users=["ana"], may_mark=True)
    bridge = bench.grant("pi", Role.BRIDGE, users=["ana"], may_mark=True)
    outcome = bench.commit(*(Saying(one, mark) for one in (may_not, other, limited, bridge, may)))
    codes = [answer.code for (answer,) in outcome.answers if isinstance(answer, Error)]
    assert codes == ["notAllowed", "notGranted", "notGranted", "notAllowed"]
    assert receipt(outcome, 4).seq == 0


def test_a_bridges_notes_are_shown_like_ours() -> None:
    bench = bench_of()
    pi = bench.grant("pi", users=["ana"])
    bench.declare(pi, A, zero_at(NOON - 1_000))
    bench.publish(
        pi,
        A,
        series_of([None], [0], metric="mark", label=["button"]),
        series_of(
            [None],
            [500],
            first=1,
            metric="session",
            id=[SESSION_1],
            name=["ride"],
            durationMs=[None],
        ),
    )
    state = bench.state()
    mark, session = state["mark"], state["session"]
    assert isinstance(mark, MarkData)
    assert isinstance(session, SessionData)
    assert mark.mark is not None
    assert (mark.mark.at_ms, mark.mark.label) == (NOON - 1_000, "button")
    assert session.session is not None
    assert (session.session.name, session.session.start_ms) == ("ride", NOON - 500)


def test_a_bridge_gives_no_summary_and_its_nonsense_is_stored_and_not_shown() -> None:
    bench = bench_of()
    pi = bench.grant("pi", users=["ana"])
    bench.declare(pi, A, zero_at(NOON - 1_000))
    outcome = bench.publish(
        pi,
        A,
        series_of([None], [0], metric="summary", summary=[{"steps": 1}]),
        series_of([None], [0], first=1, metric="mark", label=[7]),
        series_of([None], [9_000], first=2, metric="mark", label=["ahead of time"]),
        series_of([None], [0], first=3, metric="session", id=[SESSION_1], name=["no duration"]),
    )
    refused = [answer for answer in outcome.answers[0] if isinstance(answer, Rejected)]
    assert [(one.code, one.ranges) for one in refused] == [("denied", [(0, 0)])]
    assert bench.state() == {"mark": MarkData(mark=None), "session": SessionData(session=None)}
    assert [len(one) for one in bench.history(metric="mark").series] == [2]


@pytest.mark.parametrize("device", ["host", "viewer"])
@pytest.mark.parametrize("metric", ["session", "mark", "heart_rate", "battery"])
def test_a_bridge_does_not_speak_in_place_of_a_viewer_or_the_host(device: str, metric: str) -> None:
    bench = bench_of()
    pi = bench.grant("pi", users=["ana"])
    bench.declare(pi, A, zero_at(NOON - 1_000))
    said: dict[str, dict[str, Any]] = {
        "session": {"id": [SESSION_1], "name": ["ride"], "durationMs": [None]},
        "mark": {"label": ["button"]},
    }
    series = series_of([None], [0], metric=metric, device=device, **said.get(metric, {}))
    fine = series_of([60], [0], first=1)
    outcome = bench.publish(pi, A, series, fine)
    acknowledged, refused = outcome.answers[0]
    assert isinstance(acknowledged, Acknowledged)
    assert isinstance(refused, Rejected)
    assert acknowledged.ranges == [(1, 1)]
    assert (refused.code, refused.ranges) == ("denied", [(0, 0)])
    assert "as that device" in refused.message
    assert list(bench.state()) == ["heart_rate"]
    assert bench.history(metric=metric).series == [] or metric == "heart_rate"


def test_a_bridges_session_that_ends_ahead_of_time_is_stored_and_shows_nothing() -> None:
    bench = bench_of()
    pi = bench.grant("pi", users=["ana"])
    coach = bench.grant("coach", Role.VIEWER, users=["ana"], may_mark=True)
    bench.declare(pi, A, zero_at(NOON - HOUR))
    for number, lasts_ms in enumerate((HOUR + 5_001, 2**53 - 1)):
        columns: dict[str, Any] = {"id": [SESSION_1], "name": ["x"], "durationMs": [lasts_ms]}
        bench.publish(pi, A, series_of([None], [0], first=number, metric="session", **columns))
    assert bench.state()["session"] == SessionData(session=None)
    assert sum(len(one) for one in bench.history(metric="session").series) == 2
    begun = bench.commit(Saying(coach, StartSessionParams(user="ana", name="y"))).answers[0][0]
    assert isinstance(begun, SessionResult)
    assert begun.session.start_ms == NOON
    # Its time is known better: it ended before now.
    bench.declare(pi, A, zero_at(NOON - HOUR - 5_001, version=2))
    data = bench.state()["session"]
    assert isinstance(data, SessionData)
    assert data.last is not None
    assert (data.last.name, data.last.end_ms) == ("x", NOON)


def test_a_bridge_that_knows_a_viewers_session_neither_names_nor_ends_it() -> None:
    bench = bench_of()
    pi = bench.grant("pi", users=["ana"])
    coach = bench.grant("coach", Role.VIEWER, users=["ana"], may_mark=True)
    bench.declare(pi, A, zero_at(NOON - HOUR))
    begun = bench.commit(Saying(coach, StartSessionParams(user="ana", name="mine"))).answers[0][0]
    assert isinstance(begun, SessionResult)
    columns: dict[str, Any] = {"id": [begun.session.id], "name": ["its"], "durationMs": [1]}
    for number, device in enumerate(("viewer", "strap-1")):
        series = series_of(
            [None], [HOUR - 1], first=number, metric="session", device=device, **columns
        )
        bench.publish(pi, A, series)
    data = bench.state()["session"]
    assert isinstance(data, SessionData)
    assert data.session == begun.session


def test_of_a_session_what_was_said_last_counts_in_whatever_order_it_comes() -> None:
    bench = bench_of()
    pi = bench.grant("pi", users=["ana"])
    bench.declare(pi, A, zero_at(NOON - 10_000))
    ends = series_of(
        [None], [0], first=5, metric="session", id=[SESSION_1], name=["run"], durationMs=[9_000]
    )
    begins = series_of(
        [None], [0], first=2, metric="session", id=[SESSION_1], name=["run"], durationMs=[None]
    )
    bench.commit(published(pi, A, ends))
    bench.commit(published(pi, A, begins))
    data = bench.state()["session"]
    assert isinstance(data, SessionData)
    assert data.session is None
    assert data.last is not None
    assert (data.last.start_ms, data.last.end_ms) == (NOON - 10_000, NOON - 1_000)


def test_a_session_lasts_no_longer_than_to_the_next() -> None:
    bench = bench_of()
    pi = bench.grant("pi", users=["ana"])
    bench.declare(pi, A, zero_at(NOON - 10_000))
    bench.publish(
        pi,
        A,
        series_of(
            [None, None],
            [0, 4_000],
            metric="session",
            id=[SESSION_1, SESSION_2],
            name=["one", "two"],
            durationMs=[None, None],
        ),
    )
    data = bench.state()["session"]
    assert isinstance(data, SessionData)
    assert data.session is not None
    assert data.last is not None
    assert (data.session.name, data.session.end_ms) == ("two", None)
    assert (data.last.name, data.last.end_ms) == ("one", NOON - 6_000)
