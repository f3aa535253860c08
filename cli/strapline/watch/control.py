"""What the keys change: who is chosen, in which order, on which page; and what is asked of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from enum import Enum, StrEnum
from typing import Final

from strapline.watch.detail import detail
from strapline.watch.feed import Feed
from strapline.watch.history import Choice, Past, history, stretches_of
from strapline.watch.ink import Row
from strapline.watch.missing import LISTED_MS, Missing
from strapline.watch.person import Person
from strapline.watch.rate import rate_of
from strapline.watch.screen import View, help_rows
from strapline.watch.words import asked, clock_with_seconds
from strapline_client import NotConnectedError, RequestRefusedError, StoppedError
from strapline_protocol.asking import HistoryPage, SyncResult
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.metrics import HEART_RATE
from strapline_protocol.watching import Gap

_NOTICE_MS: Final = 6_000
_PAST_HOLDS_MS: Final = 20_000
#: 6 hours by minute, or a month by hour, with room.
_MOST_PAGES: Final = 3
_GAPS_PAGE: Final = 1_000
#: What is said, and no more: the screen goes on.
_NOT_ANSWERED: Final = (
    MalformedMessageError,
    NotConnectedError,
    RequestRefusedError,
    StoppedError,
)


class Page(StrEnum):
    """What fills the screen."""

    EVERYONE = "everyone"
    DETAIL = "detail"
    HISTORY = "history"
    KEYS = "keys"


class Order(Enum):
    """In which order people stand; the value is how it is said."""

    NAME = "by name"
    RATE = "by rate, the highest first"
    SILENT = "who is silent first"


class Control:
    """The screen's own state, over what the feed knows.

    Attributes:
        page: what fills the screen.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._order = Order.NAME
        self._seats: list[str] = []
        self._focus: str | None = None
        self._notice = ("", 0)
        self._choice = Choice()
        self._past = Past()
        self._asked: tuple[str, Choice] | None = None
        self._missing = Missing()
        self._under: list[Page] = []
        self.page = Page.EVERYONE

    def view(self, width: int, height: int) -> View:
        """What is drawn from, at this moment."""
        people = self._people()
        if self._focus not in {person.user for person in people}:
            self._focus = people[0].user if people else None
            if self.page in {Page.DETAIL, Page.HISTORY}:
                self.page, self._under = Page.EVERYONE, []
        session = self._feed.service.session
        now_ms = self._feed.now_ms()
        words, until_ms = self._notice
        return View(
            people,
            self._feed.people.connection,
            now_ms,
            self._feed.service.silence_ms(),
            width,
            height,
            self._focus,
            simulated=session is not None and session.simulated,
            may_mark=self.may_mark,
            notice=words if now_ms < until_ms else "",
            left_out=self._feed.people.left_out,
        )

    @property
    def may_mark(self) -> bool:
        """Whether the server takes marks of this viewer."""
        session = self._feed.service.session
        return session is not None and session.may_mark

    def whole_page(self, view: View) -> list[Row]:
        """The rows of a page other than everyone's."""
        if self.page is Page.KEYS or view.focused is None:
            return help_rows(view.width, may_mark=self.may_mark)
        if self.page is Page.HISTORY:
            return history(view.focused, view, self._choice, self._past)
        return detail(view.focused, view, self._missing)

    def _people(self) -> list[Person]:
        """As they were ordered when that was asked for: nobody moves by themselves."""
        people = {person.user: person for person in self._feed.people.all}
        seated = [people.pop(user) for user in self._seats if user in people]
        return [*seated, *people.values()]

    def step(self, by: int) -> None:
        """Choose the next person, or the one before."""
        users = [person.user for person in self._people()]
        if self._focus in users:
            at = users.index(self._focus) + by
            self._focus = users[min(max(at, 0), len(users) - 1)]

    def choose(self, user: str) -> None:
        """Choose this person."""
        self._focus = user

    def order(self) -> None:
        """The next order; it stays as it is from then on, until it is asked for again."""
        orders = list(Order)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        now_ms, stands = self._feed.now_ms(), self._feed.people.connection.stands
        people = self._feed.people.all
        if self._order is not Order.NAME:
            rates = {
                person.user: rate_of(person, now_ms, connected=stands).bpm or 0 for person in people
            }
            highest_first = self._order is Order.RATE
            people.sort(key=lambda one: -rates[one.user] if highest_first else rates[one.user] > 0)
        self._seats = [person.user for person in people]
        self.notify(f"Order: {self._order.value}.")

    def open(self, page: Page) -> None:
        """Fill the screen with this page; the same key again goes back."""
        if self.page is page:
            self.back()
        elif page is Page.KEYS or self._focus is not None:
            self._under.append(self.page)
            self.page = page

    def back(self) -> None:
        """To the page before."""
        self.page = self._under.pop() if self._under else Page.EVERYONE

    def notify(self, words: str) -> None:
        """Say what came of a key, for a few seconds."""
        self._notice = (words, self._feed.now_ms() + _NOTICE_MS)

    async def sync(self) -> None:
        """Ask the chosen person's bridges for what they still keep."""
        if self._focus is None:
            return
        try:
            result = await self._feed.service.request("sync", {"users": [self._focus]})
        except _NOT_ANSWERED as error:
            self.notify(f"Not asked: {error}.")
            return
        assert isinstance(result, SyncResult)
        self.notify(f"{asked(result.asked)}.")

    async def mark(self) -> None:
        """Mark this moment for the chosen person, where the server takes marks."""
        if self._focus is None or not self.may_mark:
            return
        user = self._focus
        try:
            mark = await self._feed.service.mark(user)
        except _NOT_ANSWERED as error:
            self.notify(f"Not marked: {error}.")
            return
        person = self._feed.people.of(user)
        name = user if person is None else person.name
        self.notify(f"Marked {clock_with_seconds(mark.at_ms)} for {name}.")

    def move(self, by: int) -> None:
        """An earlier or a later stretch of the past; 0 for the one that ends now."""
        now_ms = self._feed.now_ms()
        choice = self._choice
        self._choice = choice.moved(by, now_ms) if by else Choice(choice.span)

    def span(self, by: int) -> None:
        """A longer or a shorter stretch of the past."""
        self._choice = self._choice.spanned(by)

    @property
    def past_is_old(self) -> bool:
        """Whether what ends now was read a while ago, and is on the screen."""
        if self.page is Page.DETAIL:
            old = 0 < self._missing.read_ms < self._feed.now_ms() - _PAST_HOLDS_MS
            return old or self._missing.user != self._focus
        if self.page is not Page.HISTORY or self._choice.to_ms is not None:
            return False
        return 0 < self._past.read_ms < self._feed.now_ms() - _PAST_HOLDS_MS

    async def load(self) -> None:
        """Fetch what the page shows of the past."""
        if self.page is Page.DETAIL:
            await self._load_missing()
        else:
            await self._load_past()

    async def _load_missing(self) -> None:
        user, now_ms = self._focus, self._feed.now_ms()
        if user is None:
            return
        try:
            missing = await self._gaps(user, now_ms - LISTED_MS, now_ms)
        except _NOT_ANSWERED as error:
            missing = Missing(user, words=f"Gaps are not read: {error}.", read_ms=now_ms)
        if user == self._focus:
            self._missing = missing

    async def _gaps(self, user: str, from_ms: int, to_ms: int) -> Missing:
        gaps: list[Gap] = []
        pages = 0
        async for page in self._feed.service.gaps(
            user, from_ms=max(0, from_ms), to_ms=to_ms, limit=_GAPS_PAGE
        ):
            gaps += page.gaps
            pages += 1
            if pages >= _MOST_PAGES and page.next is not None:
                return Missing(user, gaps, whole=False, read_ms=self._feed.now_ms())
        return Missing(user, gaps, read_ms=self._feed.now_ms())

    async def _load_past(self) -> None:
        user, choice = self._focus, self._choice
        if user is None:
            return
        if (user, choice) != self._asked:
            self._asked = (user, choice)
            self._past = Past(words="Reading it.")
        from_ms, to_ms = choice.range(self._feed.now_ms())
        past = await self._read(user, choice, from_ms, to_ms)
        # Why the rest is missing is there a little later; until then what was known of it stands.
        self._show(user, choice, replace(past, missing=self._past.missing))
        with suppress(*_NOT_ANSWERED):
            missing = await self._gaps(user, from_ms, to_ms)
            self._show(user, choice, replace(past, missing=missing))

    def _show(self, user: str, choice: Choice, past: Past) -> None:
        # Another stretch may have been chosen meanwhile, and be on its way.
        if (user, choice) == (self._focus, self._choice):
            self._past = past

    async def _read(self, user: str, choice: Choice, from_ms: int, to_ms: int) -> Past:
        pages: list[HistoryPage] = []
        try:
            async for page in self._feed.service.history(
                user, HEART_RATE.name, from_ms, to_ms, resolution=choice.chosen.resolution
            ):
                pages.append(page)
                if len(pages) >= _MOST_PAGES:
                    break
        except _NOT_ANSWERED as error:
            return Past(words=f"Not read: {error}.")
        zone = pages[0].zone if pages else None
        return Past(stretches_of(pages), zone, read_ms=self._feed.now_ms())
