"""What the keys change."""

from types import SimpleNamespace
from typing import Any

from strapline.watch.control import Control, Page
from strapline.watch.history import Choice
from strapline.watch.ink import plain
from strapline.watch.people import People
from strapline.watch.person import Person
from strapline_client import NotConnectedError, RequestRefusedError, StoppedError
from strapline_protocol.asking import GapsPage, HistoryPage, SyncResult
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.watching import Gap, Mark
from tests.unit.cli.watch_kit import LIVE, NOW_MS, a_rate, maren, tomas


class Service:
    """Answers what a test says."""

    def __init__(self) -> None:
        self.session = SimpleNamespace(simulated=False, may_mark=True)
        self.asked: list[Any] = []
        self.pages: list[HistoryPage] = []
        self.gaps_asked: list[tuple[str, int, int]] = []
        self.gaps_pages: list[GapsPage] = []
        self.error: Exception | None = None

    def silence_ms(self) -> int:
        return 100

    async def request(self, method: str, params: Any) -> SyncResult:
        self.asked.append((method, params))
        if self.error is not None:
            raise self.error
        return SyncResult(asked=1)

    async def mark(self, user: str) -> Mark:
        self.asked.append(("mark", user))
        if self.error is not None:
            raise self.error
        return Mark(at_ms=NOW_MS, label="")

    async def history(self, *params: Any, **more: Any) -> Any:
        self.asked.append((*params, more))
        if self.error is not None:
            raise self.error
        for page in self.pages:
            yield page

    async def gaps(self, user: str, **asked: Any) -> Any:
        self.gaps_asked.append((user, asked["from_ms"], asked["to_ms"]))
        if self.error is not None:
            raise self.error
        for page in self.gaps_pages:
            yield page


class Feed:
    """People as they stand, at a moment."""

    def __init__(self, *people: Person) -> None:
        self.service = Service()
        self.people = People()
        self.people.connection = LIVE
        self.people._people = {person.user: person for person in people}

    def now_ms(self) -> int:
        return NOW_MS


def silent(user: str) -> Person:
    return Person(user, user.title(), {"heart_rate": a_rate(None, None)})


def a_control(*people: Person) -> tuple[Control, Feed]:
    feed = Feed(*people)
    return Control(feed), feed  # type: ignore[arg-type]  # as much of a feed as it needs


def order_of(control: Control) -> list[str]:
    return [person.user for person in control.view(100, 32).people]


def test_choosing_stops_at_both_ends() -> None:
    control, _ = a_control(maren(), tomas())
    assert control.view(100, 32).focus == "maren"
    control.step(1)
    control.step(1)
    assert control.view(100, 32).focus == "tomas"
    control.step(-5)
    assert control.view(100, 32).focus == "maren"
    control.choose("tomas")
    assert control.view(100, 32).focus == "tomas"


def test_who_leaves_is_chosen_no_more() -> None:
    control, feed = a_control(maren(), tomas())
    control.view(100, 32)
    control.step(1)
    control.open(Page.DETAIL)
    del feed.people._people["tomas"]
    assert control.view(100, 32).focus == "maren"
    assert control.page is Page.EVERYONE
    del feed.people._people["maren"]
    assert control.view(100, 32).focus is None
    control.step(1)
    control.open(Page.DETAIL)
    assert control.page is Page.EVERYONE


def test_orders_follow_one_another_and_hold_until_asked_again() -> None:
    control, feed = a_control(silent("ana"), maren(), tomas())
    control.order()
    assert order_of(control) == ["tomas", "maren", "ana"]
    feed.people._people["zoe"] = silent("zoe")
    assert order_of(control) == ["tomas", "maren", "ana", "zoe"]
    control.order()
    assert order_of(control) == ["ana", "zoe", "maren", "tomas"]
    assert control.view(100, 32).notice == "Order: who is silent first."
    control.order()
    assert order_of(control) == ["ana", "maren", "tomas", "zoe"]


def test_pages_lie_over_one_another() -> None:
    control, _ = a_control(maren())
    control.view(100, 32)
    for page in (Page.DETAIL, Page.HISTORY, Page.KEYS):
        control.open(page)
        assert control.page is page
        assert control.whole_page(control.view(100, 32))
    control.open(Page.KEYS)
    left = [control.page]
    for _ in range(3):
        control.back()
        left.append(control.page)
    assert left == [Page.HISTORY, Page.DETAIL, Page.EVERYONE, Page.EVERYONE]


async def test_what_came_of_a_key_is_said_for_a_few_seconds() -> None:
    control, feed = a_control(maren())
    control.view(100, 32)
    await control.sync()
    assert feed.service.asked == [("sync", {"users": ["maren"]})]
    assert control.view(100, 32).notice == "1 bridge asked."
    feed.now_ms = lambda: NOW_MS + 6_000  # type: ignore[method-assign]  # later
    assert control.view(100, 32).notice == ""


async def test_a_refusal_is_said_in_the_servers_words() -> None:
    control, feed = a_control(maren())
    control.view(100, 32)
    feed.service.error = RequestRefusedError("notAllowed", "not for this viewer")
    await control.sync()
    assert control.view(100, 32).notice == "Not asked: not for this viewer (notAllowed)."
    await control.mark()
    assert control.view(100, 32).notice == "Not marked: not for this viewer (notAllowed)."
    feed.service.error = NotConnectedError("no session to ask history in")
    control.open(Page.HISTORY)
    await control.load()
    rows = control.whole_page(control.view(100, 32))
    assert any("Not read: no session to ask history in." in plain(row) for row in rows)


async def test_an_answer_that_is_none_is_said_and_the_screen_goes_on() -> None:
    control, feed = a_control(maren())
    control.view(100, 32)
    for error in (
        MalformedMessageError("the answer to history has another shape"),
        StoppedError(4400, "not understood"),
    ):
        feed.service.error = error
        await control.sync()
        assert control.view(100, 32).notice == f"Not asked: {error}."
        await control.mark()
        assert control.view(100, 32).notice == f"Not marked: {error}."
        control.page = Page.HISTORY
        await control.load()
        rows = control.whole_page(control.view(200, 32))
        assert any(f"Not read: {error}." in plain(row) for row in rows)


async def test_a_mark_is_made_only_where_the_server_takes_marks() -> None:
    control, feed = a_control(maren())
    control.view(100, 32)
    await control.mark()
    assert feed.service.asked == [("mark", "maren")]
    assert control.view(100, 32).notice.endswith("for Maren Holt.")
    feed.service.session.may_mark = False
    await control.mark()
    assert len(feed.service.asked) == 1
    assert not control.view(100, 32).may_mark


async def test_the_past_is_read_as_it_was_chosen() -> None:
    control, feed = a_control(maren())
    control.view(100, 32)
    control.open(Page.HISTORY)
    control.span(2)
    control.move(-1)
    await control.load()
    user, metric, from_ms, to_ms, more = feed.service.asked[-1]
    assert (user, metric, more["resolution"]) == ("maren", "heart_rate", "hour")
    assert to_ms - from_ms == 24 * 3_600_000
    assert to_ms <= NOW_MS - 11 * 3_600_000
    control.move(0)
    await control.load()
    assert feed.service.asked[-1][2:4] == Choice(3).range(NOW_MS)
    old = [control.past_is_old]
    feed.now_ms = lambda: NOW_MS + 20_001  # type: ignore[method-assign]  # later
    old.append(control.past_is_old)
    control.move(-1)
    old.append(control.past_is_old)
    assert old == [False, True, False]


def gaps(after: str | None, *lengths_ms: int) -> GapsPage:
    """One that lasts until now, or ended an hour ago, for each length."""
    found = [
        Gap(from_ms=NOW_MS - 3_600_000 - length, to_ms=NOW_MS - 3_600_000, cause="notWorn")
        for length in lengths_ms
    ]
    return GapsPage(
        user="maren",
        metric="heart_rate",
        gaps=found,
        complete_through_ms=None,
        position=("e", 1),
        next=after,
    )


def shown(control: Control) -> str:
    return "\n".join(plain(row) for row in control.whole_page(control.view(100, 40)))


async def test_the_chosen_persons_gaps_of_a_day_are_read_and_read_again() -> None:
    control, feed = a_control(maren(), tomas())
    feed.service.gaps_pages = [gaps("c1", 90_000), gaps(None, 60_000)]
    control.view(100, 40)
    control.open(Page.DETAIL)
    old = [control.past_is_old]
    await control.load()
    assert feed.service.gaps_asked == [("maren", NOW_MS - 24 * 3_600_000, NOW_MS)]
    assert "Last 24 hours: 2 min 30 s without a reading" in shown(control)
    old.append(control.past_is_old)
    feed.now_ms = lambda: NOW_MS + 20_001  # type: ignore[method-assign]  # later
    old.append(control.past_is_old)
    assert old == [True, False, True]
    # Another person's are not shown for those of the one before.
    control.step(1)
    assert "without a reading" not in shown(control)


async def test_more_gaps_than_are_read_are_said_to_be_more() -> None:
    control, feed = a_control(maren())
    feed.service.gaps_pages = [gaps("c", 60_000)] * 4
    control.view(100, 40)
    control.open(Page.DETAIL)
    await control.load()
    assert "Last 24 hours: at least 3 min without a reading" in shown(control)


async def test_gaps_that_are_not_answered_are_said_so() -> None:
    control, feed = a_control(maren())
    feed.service.error = RequestRefusedError("unknownMethod", "no method gaps")
    control.view(100, 40)
    control.open(Page.DETAIL)
    await control.load()
    assert "Gaps are not read: no method gaps (unknownMethod)." in shown(control)
    assert not control.past_is_old


async def test_a_history_sums_what_is_missing_of_it() -> None:
    control, feed = a_control(maren())
    feed.service.pages = [
        HistoryPage(user="maren", metric="heart_rate", series=[], position=("e", 1))
    ]
    feed.service.gaps_pages = [gaps(None, 90_000, 30_000)]
    control.view(100, 40)
    control.open(Page.HISTORY)
    await control.load()
    assert feed.service.gaps_asked == [("maren", *Choice().range(NOW_MS))]
    assert "  Without a reading 2 min: not worn 2 min." in shown(control)
