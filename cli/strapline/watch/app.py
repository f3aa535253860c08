"""The screen of `strapline watch`: keys and widgets; what they show is made elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from strapline.watch.band import HEIGHT, band
from strapline.watch.control import Control, Page
from strapline.watch.feed import Feed
from strapline.watch.ink import Look
from strapline.watch.screen import View, axis_row, bottom, header, in_the_middle, message_rows
from strapline.watch.trace import Levels
from strapline.watch.widgets import BandRows, Rows

_TICK_S: Final = 1.0


class WatchApp(App[None]):
    """Draws what the feed knows, once a second, and hands keys to the control."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "Strapline"
    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    #people { height: 1fr; scrollbar-size: 0 0; background: ansi_default; }
    #everyone, #page { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "quit", priority=True),
        Binding("up,k", "vertical(-1)", priority=True),
        Binding("down,j", "vertical(1)", priority=True),
        Binding("left,less_than_sign", "horizontal(-1)", priority=True),
        Binding("right,greater_than_sign", "horizontal(1)", priority=True),
        Binding("n", "horizontal(0)", priority=True),
        Binding("enter,d", "open('detail')", priority=True),
        Binding("h", "open('history')", priority=True),
        Binding("question_mark", "open('keys')", priority=True),
        Binding("escape", "back", priority=True),
        Binding("m", "mark", priority=True),
        Binding("s", "sync", priority=True),
        Binding("o", "order", priority=True),
    ]

    def __init__(self, feed: Feed, look: Look) -> None:
        # The terminal's own ground and ink, whatever they are.
        super().__init__(ansi_color=True)
        self._look = look
        self._control = Control(feed)
        self._levels: dict[str, Levels | None] = {}
        self._loading = False
        self._bands: list[BandRows] = []
        self._place: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with Vertical(id="everyone"):
            yield Rows(self._look, id="header")
            with VerticalScroll(id="people", can_focus=False):
                yield Rows(self._look, id="message")
            yield Rows(self._look, id="axis")
            yield Rows(self._look, id="bottom")
        yield Rows(self._look, id="page")

    def on_mount(self) -> None:
        """Begin to draw."""
        self.set_interval(_TICK_S, self.draw)
        people = self.query_one("#people", VerticalScroll)
        self.watch(people, "scroll_y", self._scrolled, init=False)
        self.call_after_refresh(self.draw)

    def _scrolled(self) -> None:
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """A terminal of another size shows other rows."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show how it is now; a row that has not changed is not drawn again."""
        if not self.is_running or not self.size.width:
            return
        view = self._control.view(self.size.width, self.size.height)
        everyone = self._control.page is Page.EVERYONE
        self.query_one("#everyone").display = everyone
        page = self.query_one("#page", Rows)
        page.display = not everyone
        if everyone:
            self._draw_everyone(view)
        else:
            page.show(self._control.whole_page(view))
        if self._control.past_is_old and not self._loading:
            self._load()

    def _draw_everyone(self, view: View) -> None:
        self.query_one("#header", Rows).show(header(view))
        self.query_one("#axis", Rows).show([axis_row(view)])
        self.query_one("#bottom", Rows).show(bottom(view))
        said = [] if view.people else message_rows(in_the_middle(view), view.width)
        self.query_one("#message", Rows).show(said)
        self._draw_bands(view)

    def _draw_bands(self, view: View) -> None:
        people = self.query_one("#people", VerticalScroll)
        shown = self._bands
        if [one.user for one in shown] != [person.user for person in view.people]:
            for one in shown:
                one.remove()
            shown = self._bands = [BandRows(self._look, person.user) for person in view.people]
            people.mount_all(shown)
        self._follow_focus(people, view)
        # Of a hundred people those are drawn who are on the screen.
        first = int(people.scroll_offset.y) // HEIGHT
        last = first + view.height // HEIGHT + 1
        for person, rows in list(zip(view.people, shown, strict=True))[first : last + 1]:
            drawn = band(
                person,
                view.frame,
                self._levels.get(person.user),
                focused=person.user == view.focus,
                last=person is view.people[-1],
            )
            self._levels[person.user] = drawn.levels
            rows.show(drawn.rows)
        self._forget(view)

    def _follow_focus(self, people: VerticalScroll, view: View) -> None:
        """Bring the chosen one into sight when that changes; in between a wheel may scroll."""
        users = tuple(person.user for person in view.people)
        place = (view.focus, users, view.width, view.height)
        if view.focus is None or place == self._place:
            return
        self._place = place
        at = users.index(view.focus) * HEIGHT
        room = people.size.height or view.height
        top = people.scroll_offset.y
        if at < top or at + HEIGHT > top + room:
            wanted = at if at < top else at + HEIGHT - room
            # Where it was just mounted it has no height yet to be scrolled through.
            people.call_after_refresh(people.scroll_to, y=wanted, animate=False, immediate=True)
            self.call_after_refresh(self.draw)

    def _forget(self, view: View) -> None:
        there = {person.user for person in view.people}
        for user in self._levels.keys() - there:
            del self._levels[user]

    def on_band_rows_chosen(self, pressed: BandRows.Chosen) -> None:
        """Somebody pressed on a person."""
        self._control.choose(pressed.user)
        self.draw()

    async def action_vertical(self, by: int) -> None:
        """Another person; on the page of history a longer or shorter stretch."""
        if self._control.page is Page.HISTORY:
            self._control.span(-by)
            self._load()
        else:
            self._control.step(by)
        self.draw()

    def action_horizontal(self, by: int) -> None:
        """On the page of history an earlier or later stretch."""
        if self._control.page is Page.HISTORY:
            self._control.move(by)
            self._load()
            self.draw()

    def action_open(self, page: str) -> None:
        """A page over everyone."""
        self._control.open(Page(page))
        if self._control.page is Page.HISTORY:
            self._control.move(0)
        if self._control.page in {Page.HISTORY, Page.DETAIL}:
            self._load()
        self.draw()

    async def action_back(self) -> None:
        """To the page before."""
        self._control.back()
        self.draw()

    def action_order(self) -> None:
        """Another order."""
        self._control.order()
        self.draw()

    def action_sync(self) -> None:
        """Ask the bridges."""
        self.run_worker(self._then_draw(self._control.sync()), group="sync", exclusive=True)

    def action_mark(self) -> None:
        """Mark this moment."""
        self.run_worker(self._then_draw(self._control.mark()), group="mark")

    def _load(self) -> None:
        self._loading = True
        self.run_worker(self._then_draw(self._loaded()), group="history", exclusive=True)

    async def _loaded(self) -> None:
        await self._control.load()
        self._loading = False

    async def _then_draw(self, doing: Awaitable[None]) -> None:
        await doing
        self.draw()
