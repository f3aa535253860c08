"""Everyone in their seats, update by update."""

from types import MappingProxyType

from strapline.watch.causes import Spell, Why
from strapline.watch.link_state import LINK_REVOKED, SERVER_AWAY
from strapline.watch.people import MOST_PEOPLE, People
from strapline_client import (
    HealthDataUpdate,
    HistoryChanged,
    Subscribed,
    SubscriptionChanged,
    SyncStatusUpdate,
    Update,
    UserState,
    WebSocketEventType,
)
from strapline_client.events import ConnectionState, ConnectionStatus, Reason
from strapline_protocol.publishing import DeviceState
from strapline_protocol.series import TimedSeries
from strapline_protocol.watching import Gap, GapData, HistoryChange, SyncStatus
from tests.unit.cli.watch_kit import EPOCH, NOW_MS, a_point, a_rate, a_status

CONNECTED = ConnectionState(ConnectionStatus.CONNECTED)


class Told:
    """A service's state, and the updates that it would hand on."""

    def __init__(self) -> None:
        self.people = People()
        self.users: dict[str, UserState] = {}
        self.now_ms = NOW_MS

    def link(self, state: ConnectionState) -> None:
        self._take(Update(WebSocketEventType.CONNECTION_STATUS_UPDATE, state))

    def subscribed(self, *names: str) -> None:
        self.users = {
            name.lower(): self.users.get(name.lower())
            or UserState(name.lower(), name, status=a_status())
            for name in names
        }
        message = Subscribed(request="r1", snapshot={}, server_time=NOW_MS)
        self._take(Update(WebSocketEventType.SUBSCRIBED, message))

    def reading(self, user: str, at_ms: int, value: float = 60) -> None:
        rate = a_rate(value, at_ms)
        state = self.users[user]
        metrics = MappingProxyType({**state.metrics, "heart_rate": rate})
        self.users[user] = UserState(user, state.name, metrics, state.status)
        message = HealthDataUpdate(
            user=user,
            metric="heart_rate",
            stream="s" * 22,
            data=rate,
            series=TimedSeries(
                user=user,
                device="strap",
                metric="heart_rate",
                seq=[1],
                at_ms=[at_ms],
                value=[value],
                received_ms=at_ms,
                time_source="system",
            ),
            position=(EPOCH, 2),
            previous=(EPOCH, 1),
            server_time=at_ms,
        )
        self._take(Update(WebSocketEventType.HEALTH_DATA_UPDATE, message, user, self.users[user]))

    def status(self, user: str, device: DeviceState) -> None:
        state = self.users[user]
        status = a_status(SyncStatus.SYNCED, device, device_since_ms=self.now_ms)
        self.users[user] = UserState(user, state.name, state.metrics, status)
        message = SyncStatusUpdate(user=user, server_time=self.now_ms, **dict(status))
        self._take(Update(WebSocketEventType.SYNC_STATUS_UPDATE, message, user))

    def changed(self, user: str, from_ms: int, to_ms: int) -> None:
        message = HistoryChanged(
            user=user,
            metric="heart_rate",
            data=a_rate(60),
            from_ms=from_ms,
            to_ms=to_ms,
            count=9,
            position=(EPOCH, 3),
            previous=(EPOCH, 2),
            server_time=NOW_MS,
            why=HistoryChange.BACKFILLED,
        )
        self._take(Update(WebSocketEventType.HISTORY_CHANGED, message, user))

    def gap(self, user: str, gap: Gap) -> None:
        series = TimedSeries(
            user=user,
            device="strap",
            metric="gap",
            seq=[2],
            at_ms=[gap.from_ms],
            value=[None],
            received_ms=gap.to_ms,
            time_source="system",
        )
        message = HealthDataUpdate(
            user=user,
            metric="gap",
            stream="s" * 22,
            data=GapData(gap=gap),
            series=series,
            position=(EPOCH, 4),
            previous=(EPOCH, 3),
            server_time=NOW_MS,
        )
        self._take(Update(WebSocketEventType.HEALTH_DATA_UPDATE, message, user, self.users[user]))

    def removed(self, user: str) -> None:
        del self.users[user]
        message = SubscriptionChanged(added=[], removed=[user])
        self._take(Update(WebSocketEventType.SUBSCRIPTION_CHANGED, message))

    def _take(self, update: Update) -> None:
        self.people.take(update, self.users, self.now_ms)

    @property
    def names(self) -> list[str]:
        return [person.name for person in self.people.all]


def test_seats_are_by_name_and_newcomers_join_at_the_end() -> None:
    told = Told()
    told.subscribed("Tomas", "ilse", "Maren")
    assert told.names == ["ilse", "Maren", "Tomas"]
    told.subscribed("Tomas", "ilse", "Maren", "Ana")
    assert told.names == ["ilse", "Maren", "Tomas", "Ana"]
    told.subscribed("Tomas", "Ana")
    assert told.names == ["Tomas", "Ana"]


def test_whoever_is_new_or_changed_on_the_screen_is_fetched_once() -> None:
    told = Told()
    told.subscribed("Ana", "Ben")
    assert sorted(told.people.wanted()) == ["ana", "ben"]
    assert told.people.wanted() == []
    told.changed("ana", NOW_MS - 900_000, NOW_MS - 800_000)
    assert told.people.wanted() == []
    told.changed("ana", NOW_MS - 900_000, NOW_MS - 100_000)
    assert told.people.wanted() == ["ana"]


def test_news_of_a_gap_and_its_end_ask_for_its_causes() -> None:
    told = Told()
    told.subscribed("Ana")
    told.reading("ana", NOW_MS - 20_000)
    told.people.wanted()
    told.gap("ana", Gap(from_ms=NOW_MS - 90_000, to_ms=NOW_MS - 30_000, cause="notWorn"))
    assert told.people.wanted() == ["ana"]
    (ana,) = told.people.all
    assert [point.value for point in ana.line] == [60]
    told.reading("ana", NOW_MS - 19_000)
    assert told.people.wanted() == []
    told.reading("ana", NOW_MS)
    assert told.people.wanted() == ["ana"]


def test_what_the_server_says_of_gaps_is_kept_of_who_is_there() -> None:
    told = Told()
    told.subscribed("Ana")
    gap = Gap(from_ms=NOW_MS - 90_000, to_ms=NOW_MS - 30_000, cause="notWorn")
    told.people.gaps("ana", [gap])
    told.people.gaps("nobody", [gap])
    told.reading("ana", NOW_MS)
    (ana,) = told.people.all
    assert ana.gaps == (gap,)


def test_readings_make_the_line_and_history_replaces_it() -> None:
    told = Told()
    told.subscribed("Ana")
    told.reading("ana", NOW_MS - 1_000, 61)
    told.reading("ana", NOW_MS, 62)
    (ana,) = told.people.all
    assert [point.value for point in ana.line] == [61, 62]
    read = [a_point(NOW_MS - 2_000, 55), a_point(NOW_MS - 1_000, 61)]
    told.people.history("ana", (NOW_MS - 300_000, NOW_MS), read, (EPOCH, 2))
    (ana,) = told.people.all
    assert [point.value for point in ana.line] == [55, 61, 62]
    told.people.history("nobody", (0, NOW_MS), read, (EPOCH, 2))


def test_what_stood_in_the_way_is_remembered_with_its_time() -> None:
    told = Told()
    told.subscribed("Ana")
    told.reading("ana", NOW_MS)
    told.now_ms += 10_000
    told.status("ana", DeviceState.SEARCHING)
    told.now_ms += 30_000
    told.status("ana", DeviceState.CONNECTED)
    (ana,) = told.people.all
    assert ana.spells == (Spell(Why.OUT_OF_RANGE, NOW_MS + 10_000, NOW_MS + 40_000),)


def test_a_lost_server_is_a_spell_of_everyone_and_ends_with_the_next_session() -> None:
    told = Told()
    told.link(CONNECTED)
    told.subscribed("Ana")
    lost = ConnectionState(
        ConnectionStatus.RECONNECTING, "gone", Reason.SERVER_AWAY, 1006, lost_at_ms=NOW_MS - 400
    )
    told.link(lost)
    assert told.people.connection.trouble is SERVER_AWAY
    assert told.people.all[0].spells == (Spell(Why.SERVER_AWAY, NOW_MS - 400),)
    told.now_ms += 5_000
    told.link(CONNECTED)
    assert told.people.all[0].spells == (Spell(Why.SERVER_AWAY, NOW_MS - 400, NOW_MS + 5_000),)


def test_what_a_revoked_link_showed_leaves_the_screen() -> None:
    told = Told()
    told.link(CONNECTED)
    told.subscribed("Ana")
    told.link(ConnectionState(ConnectionStatus.STOPPED, "revoked", Reason.LINK_REVOKED, 4403))
    assert told.people.all == []
    assert told.people.connection.trouble is LINK_REVOKED
    assert told.people.connection.ended


def test_a_right_that_goes_takes_its_person_along() -> None:
    told = Told()
    told.subscribed("Ana", "Ben")
    told.removed("ana")
    assert told.names == ["Ben"]
    assert told.people.of("ana") is None
    assert told.people.wanted() == ["ben"]


def test_the_seats_are_bounded_and_it_is_counted() -> None:
    told = Told()
    told.subscribed(*(f"P{number:05}" for number in range(MOST_PEOPLE + 7)))
    assert len(told.people.all) == MOST_PEOPLE
    assert told.people.left_out == 7
