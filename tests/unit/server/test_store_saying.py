"""Sessions and marks: what may be said, what it changes, and what viewers are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from strapline_protocol.asking import (
    EndSessionParams,
    MarkParams,
    MarkResult,
    SessionResult,
    StartSessionParams,
)
from strapline_protocol.base import WireModel
from strapline_protocol.opening import Error, Role
from strapline_protocol.publishing import Stream
from strapline_protocol.watching import (
    HealthDataUpdate,
    HeartRateData,
    HistoryChange,
    HistoryChanged,
    MarkData,
    SessionData,
)
from strapline_server.store.commit import Outcome, Work
from strapline_server.store.people import Grant
from strapline_server.store.saying import Said, Saying
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
RIDE = stream_named("R")
SECOND, MINUTE = 1_000, 60_000


class Gym(Bench):
    """A bench with a wearer, a bridge, and a coach who may mark."""

    coach: Grant
    pi: Grant

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user()
        self.coach = self.grant("coach", Role.VIEWER, users=["ana"], may_mark=True)
        self.pi = self.grant("pi", users=["ana"])

    def say(self, what: Said) -> tuple[WireModel, Outcome]:
        outcome = self.commit(Saying(self.coach, what))
        return outcome.answers[0][0], outcome

    def start(self, name: str = "ride", at_ms: int | None = None) -> WireModel:
        return self.say(StartSessionParams(user="ana", name=name, at_ms=at_ms))[0]

    def end(self, at_ms: int | None = None) -> WireModel:
        return self.say(EndSessionParams(user="ana", at_ms=at_ms))[0]

    def sessions(self) -> SessionData:
        data = self.state()["session"]
        assert isinstance(data, SessionData)
        return data

    def rate(self) -> HeartRateData:
        data = self.state()["heart_rate"]
        assert isinstance(data, HeartRateData)
        return data


def refused(answer: WireModel) -> str:
    assert isinstance(answer, Error)
    assert answer.code == "badRequest"
    return answer.message


def test_a_session_begins_and_ends() -> None:
    gym = Gym()
    begun = gym.start()
    assert isinstance(begun, SessionResult)
    assert (begun.session.name, begun.session.start_ms, begun.session.end_ms) == (
        "ride",
        NOON,
        None,
    )
    assert begun.position == (EPOCH, 1)
    assert gym.sessions() == SessionData(session=begun.session)
    gym.now_ms += MINUTE
    ended = gym.end()
    assert isinstance(ended, SessionResult)
    assert ended.session == begun.session.model_copy(update={"end_ms": NOON + MINUTE})
    assert ended.position == (EPOCH, 2)
    assert gym.sessions() == SessionData(session=None, last=ended.session)
    # Both notes stand in the history, of one moment and one id.
    (series,) = gym.history(metric="session").series
    assert series.at() == [NOON, NOON]
    extra = series.model_extra or {}
    assert extra["id"] == [begun.session.id] * 2
    assert extra["durationMs"] == [None, MINUTE]


def test_the_next_session_ends_the_one_that_runs() -> None:
    gym = Gym()
    gym.start("one")
    gym.now_ms += MINUTE
    answer, outcome = gym.say(StartSessionParams(user="ana", name="two"))
    assert isinstance(answer, SessionResult)
    assert {change.metric for change in outcome.changes} == {"session"}
    data = gym.sessions()
    assert data.session == answer.session
    assert data.last is not None
    assert (data.last.name, data.last.end_ms) == ("one", NOON + MINUTE)


def test_sessions_begin_and_end_at_moments_that_are_past() -> None:
    gym = Gym()
    begun = gym.start(at_ms=NOON - HOUR)
    assert isinstance(begun, SessionResult)
    ended = gym.end(at_ms=NOON - MINUTE)
    assert isinstance(ended, SessionResult)
    assert (ended.session.start_ms, ended.session.end_ms) == (NOON - HOUR, NOON - MINUTE)
    again = gym.start("next", at_ms=NOON - MINUTE)
    assert isinstance(again, SessionResult)
    assert isinstance(gym.end(at_ms=NOON - MINUTE), SessionResult), "an empty one is one"


def test_what_cannot_be_says_what_to_do() -> None:
    gym = Gym()
    assert "no session runs. Begin one first" in refused(gym.end())
    assert "6 s ahead of the server's clock. Leave it out" in refused(gym.start(at_ms=NOON + 6_000))
    gym.start(at_ms=NOON - MINUTE)
    assert "ahead of the server's clock" in refused(gym.end(at_ms=NOON + 5_001))
    assert "30 s before the session began. Give a moment since then, or leave atMs out" in refused(
        gym.end(at_ms=NOON - 90 * SECOND)
    )
    assert (
        "before the session that runs began. Begin the next one after that, or leave atMs out"
    ) in refused(gym.start("early", at_ms=NOON - MINUTE))
    gym.end()
    assert (
        "the last session went on for 500 ms after that. "
        "Begin the next one where it ended or later, or leave atMs out"
    ) in refused(gym.start("over", at_ms=NOON - 500))
    answer, outcome = gym.say(MarkParams(user="ana", at_ms=NOON + 5_001))
    assert "ahead of the server's clock" in refused(answer)
    assert outcome.changes == []
    assert gym.sessions().session is None
    # Refused ones take no number.
    assert gym.rows("SELECT next_seq FROM streams") == [(2,)]


def test_where_the_clock_was_set_back_sessions_end_and_begin_all_the_same() -> None:
    gym = Gym()
    ahead_ms = gym.now_ms = NOON + 6 * HOUR
    gym.start("one")
    gym.now_ms = NOON
    # What the errors say helps: atMs is left out.
    assert "or leave atMs out" in refused(gym.end(at_ms=NOON))
    assert "or leave atMs out" in refused(gym.start("two", at_ms=NOON))
    two = gym.start("two")
    assert isinstance(two, SessionResult)
    assert two.session.start_ms == ahead_ms + 1
    data = gym.sessions()
    assert data.session == two.session
    assert data.last is not None
    assert (data.last.name, data.last.end_ms) == ("one", ahead_ms + 1)
    ended = gym.end()
    assert isinstance(ended, SessionResult)
    assert (ended.session.id, ended.session.end_ms) == (two.session.id, ahead_ms + 2)
    assert gym.sessions() == SessionData(session=None, last=ended.session)
    assert "or leave atMs out" in refused(gym.start("three", at_ms=NOON))
    three = gym.start("three")
    assert isinstance(three, SessionResult)
    assert three.session.start_ms == ahead_ms + 2
    assert gym.sessions().session == three.session
    # The rates since then are none yet, and the state says so.
    gym.declare(gym.pi, A, zero_at(NOON))
    publish(gym, (NOON, 60))
    assert (gym.rate().over, gym.rate().average) == ("session", None)


def test_a_session_that_ends_now_is_not_empty() -> None:
    gym = Gym()
    gym.start()
    ended = gym.end()
    assert isinstance(ended, SessionResult)
    assert (ended.session.start_ms, ended.session.end_ms) == (NOON, NOON + 1)
    begun = gym.start("next")
    assert isinstance(begun, SessionResult)
    assert begun.session.start_ms == NOON + 1


def test_what_is_refused_ends_nothing() -> None:
    gym = Gym()
    gym.declare(gym.pi, A, zero_at(NOON - HOUR))
    columns: dict[str, Any] = {"id": [RIDE], "name": ["long"], "durationMs": [HOUR]}
    gym.publish(gym.pi, A, series_of([None], [0], metric="session", **columns))
    later: dict[str, Any] = {"id": [stream_named("S")], "name": ["runs"], "durationMs": [None]}
    gym.publish(gym.pi, A, series_of([None], [MINUTE], first=1, metric="session", **later))
    running = gym.sessions().session
    assert running is not None
    assert "the last session went on" in refused(gym.start("x", at_ms=NOON - MINUTE))
    assert gym.sessions().session == running


def test_several_sayings_of_one_commit_follow_one_another() -> None:
    gym = Gym()
    outcome = gym.commit(
        Saying(gym.coach, StartSessionParams(user="ana", name="one", at_ms=NOON - SECOND)),
        Saying(gym.coach, EndSessionParams(user="ana")),
        Saying(gym.coach, EndSessionParams(user="ana")),
        Saying(gym.coach, StartSessionParams(user="ana", name="two")),
        Saying(gym.coach, MarkParams(user="ana", label="hill")),
    )
    kinds = [type(answer) for (answer,) in outcome.answers]
    assert kinds == [SessionResult, SessionResult, Error, SessionResult, MarkResult]
    assert gym.sessions().session is not None
    told = {change.metric: change.message.position for change in outcome.changes}
    assert told == {"session": (EPOCH, 1), "mark": (EPOCH, 2)}


def test_a_mark_points_at_a_moment() -> None:
    gym = Gym()
    answer, outcome = gym.say(MarkParams(user="ana", label="hill"))
    assert isinstance(answer, MarkResult)
    assert (answer.mark.at_ms, answer.mark.label) == (NOON, "hill")
    assert (answer.stream, answer.seq, answer.position) == (OWN, 0, (EPOCH, 1))
    (change,) = outcome.changes
    assert isinstance(change.message, HealthDataUpdate)
    assert change.message.series.device == "viewer"
    answer, outcome = gym.say(MarkParams(user="ana", at_ms=NOON - HOUR))
    (change,) = outcome.changes
    assert isinstance(change.message, HistoryChanged)
    assert change.message.why is HistoryChange.BACKFILLED
    # The newest is that of the latest moment, whatever was said last.
    assert gym.state()["mark"] == MarkData(mark=change.message.data.mark)  # type: ignore[union-attr]  # told by its metric
    data = gym.state()["mark"]
    assert isinstance(data, MarkData)
    assert data.mark is not None
    assert data.mark.label == "hill"


@pytest.mark.parametrize(
    "what",
    [
        StartSessionParams(user="ana", name="x"),
        EndSessionParams(user="ana"),
        MarkParams(user="ana"),
        StartSessionParams(user="nobody", name="x"),
        EndSessionParams(user="nobody"),
        MarkParams(user="nobody"),
    ],
)
def test_who_may_not_is_told_the_same_of_everybody(what: Said) -> None:
    gym = Gym()
    gym.start()
    looker = gym.grant("looker", Role.VIEWER, users=["ana"])
    stranger = gym.grant("stranger", Role.VIEWER, users=[], may_mark=True)
    outcome = gym.commit(Saying(looker, what), Saying(stranger, what))
    (first,), (second,) = outcome.answers
    assert isinstance(first, Error)
    assert isinstance(second, Error)
    assert first.code == "notAllowed"
    assert "--may-mark" in first.message
    assert (second.code, second.message) == ("notGranted", "not granted")
    assert outcome.changes == []


def publish(gym: Gym, *readings: tuple[int, int], device: str = "strap-1", first: int = 0) -> Any:
    """(wall time, bpm) each; the stream's zero is at noon."""
    at_ms = [at - NOON for at, _ in readings]
    return gym.publish(
        gym.pi, A, series_of([bpm for _, bpm in readings], at_ms, first=first, device=device)
    )


def test_while_a_session_runs_average_is_since_its_very_beginning() -> None:
    gym = Gym()
    gym.declare(gym.pi, A, zero_at(NOON))
    gym.now_ms = NOON + 90 * SECOND
    publish(gym, (NOON + 30_000, 60), (NOON + 61_499, 70), (NOON + 61_500, 80), (NOON + 62_500, 90))
    answer, outcome = gym.say(StartSessionParams(user="ana", name="ride", at_ms=NOON + 61_500))
    assert isinstance(answer, SessionResult)
    session, rate = (change.message for change in outcome.changes)
    assert isinstance(rate, HistoryChanged)
    assert rate.metric == "heart_rate"
    assert (rate.why, rate.count, rate.from_ms) == (HistoryChange.SESSION, 0, rate.to_ms)
    assert rate.position[1] == session.position[1] + 1
    assert isinstance(rate.data, HeartRateData)
    assert (rate.data.over, rate.data.session_began_ms) == ("session", NOON + 61_500)
    assert (rate.data.average, rate.data.min, rate.data.max) == (85, 80, 90)
    outcome = publish(gym, (NOON + 63_000, 101), first=10)
    told = outcome.changes[0].message.data
    assert (told.average, told.min, told.max) == (90.3, 80, 101)
    assert gym.rate() == told
    # What comes late counts too; what is of before does not.
    outcome = publish(gym, (NOON + 61_600, 40), (NOON + 61_499, 200), first=11)
    told = outcome.changes[0].message.data
    assert (told.average, told.min, told.max) == (77.8, 40, 101)
    assert gym.rate() == told
    _, outcome = gym.say(EndSessionParams(user="ana"))
    rate = outcome.changes[-1].message
    assert isinstance(rate, HistoryChanged)
    assert isinstance(rate.data, HeartRateData)
    assert (rate.data.over, rate.data.session_began_ms) == ("day", None)
    assert rate.data.max == 200
    assert gym.rate() == rate.data


def test_a_reading_of_the_same_commit_tells_of_the_session_too() -> None:
    gym = Gym()
    gym.declare(gym.pi, A, zero_at(NOON))
    publish(gym, (NOON - 2, 50))
    outcome = gym.commit(
        Saying(gym.coach, StartSessionParams(user="ana", name="x", at_ms=NOON - 1)),
        published(gym.pi, A, series_of([60], [0], first=1)),
    )
    (rate,) = (change.message for change in outcome.changes if change.metric == "heart_rate")
    assert isinstance(rate, HealthDataUpdate)
    assert isinstance(rate.data, HeartRateData)
    assert (rate.data.over, rate.data.average) == ("session", 60)


def test_a_session_of_nothing_has_no_average() -> None:
    gym = Gym()
    gym.declare(gym.pi, A, zero_at(NOON))
    publish(gym, (NOON - 1, 60))
    gym.start()
    data = gym.rate()
    assert (data.over, data.average, data.min, data.max) == ("session", None, None, None)


def test_a_bridges_session_counts_like_ours_and_moves_with_its_stream() -> None:
    gym = Gym()
    gym.declare(gym.pi, A, zero_at(NOON - MINUTE))
    columns: dict[str, Any] = {"id": [RIDE], "name": ["ride"], "durationMs": [None]}
    gym.publish(
        gym.pi,
        A,
        series_of([60, 70], [0, 2_000]),
        series_of([None], [1_000], first=5, metric="session", **columns),
    )
    assert (gym.rate().over, gym.rate().average) == ("session", 70)
    outcome = gym.declare(gym.pi, A, zero_at(NOON - 10 * MINUTE, version=2))
    data = gym.sessions().session
    assert data is not None
    assert data.start_ms == NOON - 10 * MINUTE + SECOND
    assert (gym.rate().session_began_ms, gym.rate().average) == (data.start_ms, 70)
    assert {change.metric for change in outcome.changes} == {"heart_rate", "session"}
    # A viewer who ends it ends that one.
    ended = gym.end()
    assert isinstance(ended, SessionResult)
    assert ended.session.id == RIDE
    assert gym.sessions() == SessionData(session=None, last=ended.session)


def test_what_a_viewer_says_stays_where_a_bridge_corrects_its_time_in_the_same_commit() -> None:
    gym = Gym()
    gym.declare(gym.pi, A, zero_at(NOON - MINUTE))
    columns: dict[str, Any] = {"id": [RIDE], "name": ["ride"], "durationMs": [None]}
    gym.publish(gym.pi, A, series_of([None], [0], metric="session", **columns))
    outcome = gym.commit(
        Saying(gym.coach, EndSessionParams(user="ana")),
        Work(gym.pi, Stream(stream=A, next_seq=1, zero=zero_at(NOON - MINUTE + 7, version=2))),
    )
    ended = outcome.answers[0][0]
    assert isinstance(ended, SessionResult)
    assert gym.sessions() == SessionData(session=None, last=ended.session)


def test_what_a_viewer_said_of_a_bridges_session_stays_though_the_clock_was_set_back() -> None:
    gym = Gym()
    gym.now_ms = NOON + 6 * HOUR
    gym.declare(gym.pi, A, zero_at(gym.now_ms))
    columns: dict[str, Any] = {"id": [RIDE], "name": ["ride"], "durationMs": [None]}
    gym.publish(gym.pi, A, series_of([None], [0], metric="session", **columns))
    gym.now_ms = NOON
    ended = gym.end()
    assert isinstance(ended, SessionResult)
    gym.declare(gym.pi, A, zero_at(NOON + 6 * HOUR + 7, version=2))
    assert gym.sessions() == SessionData(session=None, last=ended.session)
