"""What stands above and below the bands, and the whole as in the mock-up."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.band import HEIGHT, band
from strapline.watch.ink import Row, Tone, plain, width
from strapline.watch.link_state import LINK_ENDED, SERVER_AWAY, Connection
from strapline.watch.person import Person
from strapline.watch.screen import (
    View,
    axis_row,
    bottom,
    first_name,
    footer,
    header,
    help_rows,
    in_the_middle,
    message_rows,
    notes,
)
from strapline_client.events import ConnectionStatus
from strapline_protocol.watching import HopState
from tests.unit.cli.watch_kit import (
    LIVE,
    NOW_MS,
    a_status,
    a_view,
    at,
    ilse,
    maren,
    text,
    tomas,
    zone,
)

EVERYONE = [maren(), tomas(), ilse()]
AWAY = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY, at("14:05:00"))


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def whole(view: View) -> list[Row]:
    rows = header(view)
    for person in view.people:
        focused, last = person.user == view.focus, person is view.people[-1]
        rows += band(person, view.frame, None, focused=focused, last=last).rows
    return [*rows, axis_row(view), *bottom(view)]


def test_the_screen_of_the_mock_up() -> None:
    rows = text(whole(a_view(EVERYONE)))
    assert rows[0] == (
        " ──●  Strapline     3 people: 2 live, 1 out of range              "
        "──● Live  1 s ago        14:05:40"
    )
    assert rows[20].split() == ["14:01", "14:02", "14:03", "14:04", "14:05", "now"]
    assert rows[21:] == [
        "  ─ live   ═ filled in later   ╌ time estimated   ░ gap, with its cause",
        "",
        "  Tomás: Gap of 38 s at 14:01: strap out of range. 58 s filled in at 14:04:41.",
        "  Everything up to 14:05:39 is here.",
        "",
        "  Maren: strap ──1 s── bridge ──0.2 s── server ──0.1 s──● you   nothing waiting",
        "",
        "",
        "",
        "─" * 100,
        f"  ↑↓ person   ⏎ detail   h history   s sync now   o order   ? keys{' ' * 27}q quit",
    ]


@pytest.mark.parametrize("cells", [24, 40, 60, 80, 100, 200])
@pytest.mark.parametrize("height", [10, 24, 32, 60])
def test_every_size_is_filled_to_the_last_cell(cells: int, height: int) -> None:
    for people in ([], EVERYONE[:1], EVERYONE, EVERYONE * 4):
        for connection in (LIVE, AWAY):
            view = a_view(people, width=cells, height=height, connection=connection)
            rows = [*header(view), axis_row(view), *bottom(view)]
            assert {width(row) for row in rows} == {cells}
            room = height - len(rows)
            # What does not fit scrolls; what fits is there whole, and the keys stand at the end.
            needed = HEIGHT * max(1, len(people))
            spare = (height - 5) % HEIGHT if height - 5 >= HEIGHT else 0
            assert room == needed if needed + 5 <= height else len(bottom(view)) == 2 + spare
            assert "q quit" in plain(bottom(view)[-1])


def test_rows_that_are_free_tell_of_everybodys_gaps() -> None:
    people = [replace(tomas(), user=f"t{n}", name=f"Tomás{n} Reyes") for n in range(4)]
    rows = text(bottom(a_view(people, width=70, height=40)))
    assert len(rows) == 40 - 3 - 4 * HEIGHT
    # Each takes two rows here.
    for n in range(4):
        assert any(row.startswith(f"  Tomás{n}: Gap of 38 s") for row in rows)


def test_bands_that_scroll_leave_no_row_empty() -> None:
    people = [replace(tomas(), user=f"t{n}", name=f"Tomás{n} Reyes") for n in range(4)]
    rows = text(bottom(a_view(people, width=60, height=24)))
    assert len(rows) == 3
    assert (24 - 3 - 3) % HEIGHT == 0
    assert rows[0].startswith("  Tomás0: Gap of 38 s at 14:01")
    assert "you" in rows[1]


def test_a_narrow_way_is_whole_to_its_end_and_what_waits_on_it_is_cut() -> None:
    long = replace(maren(), status=a_status(bridge=HopState.OFFLINE, pending=12_345))
    ways = []
    for cells in (56, 60, 64, 80):
        rows = bottom(a_view([long, *EVERYONE[1:]], width=cells, height=24))
        assert {width(row) for row in rows} == {cells}
        ways.append(text(rows)[-2])
    assert all("○ you" in way or "● you" in way for way in ways), ways
    assert "server ─0.1 s─" in ways[0]
    assert ways[0].endswith("…")


def test_a_low_terminal_keeps_the_way_and_the_keys() -> None:
    rows = text(bottom(a_view(EVERYONE, height=23)))
    assert len(rows) == 2
    assert rows[0].startswith("  Maren: strap ──1 s──")


def test_what_is_wrong_comes_before_the_way() -> None:
    rows = text(bottom(a_view(EVERYONE, height=23, connection=AWAY)))
    assert rows[0].startswith("  The server is away. Bridges that still run keep recording;")
    rows = text(bottom(a_view(EVERYONE, height=23, notice="1 bridge asked.")))
    assert rows[0] == "  1 bridge asked."


def test_a_narrow_header_keeps_the_connection() -> None:
    assert text(header(a_view(EVERYONE, width=60)))[0] == (
        " ──●  Strapline     2 of 3 live            ──● Live  1 s ago"
    )
    assert text(header(a_view(EVERYONE, width=40)))[0] == (
        " ──●  Strapline        ──● Live  1 s ago"
    )


def test_simulated_hearts_are_called_so() -> None:
    row = text(header(a_view(EVERYONE, simulated=True, width=120)))[0]
    assert "simulated   3 people: 2 live" in row


def test_a_lost_server_takes_the_orange_away() -> None:
    tones = {tone for row in header(a_view(EVERYONE, connection=AWAY)) for _, tone in row}
    assert Tone.NOW not in tones
    assert "now" in plain(axis_row(a_view(EVERYONE, connection=AWAY)))


def test_the_chosen_persons_sentences_come_first() -> None:
    other = replace(tomas(), user="other", name="Other Person")
    view = a_view([tomas(), other], focus="other")
    assert [line.split(":")[0] for line in notes(view)] == ["Other", "Tomás"]


def test_who_has_no_seat_is_counted() -> None:
    view = a_view([maren()], left_out=7)
    assert notes(view)[0] == "7 more people have no room on this screen."


def test_two_of_one_first_name_are_told_apart() -> None:
    people = [
        Person("a", "Ana Ruiz"),
        Person("b", "Ana Berg"),
        Person("c", "Ben"),
        Person("d", " "),
    ]
    assert [first_name(one, people) for one in people] == ["Ana Ruiz", "Ana Berg", "Ben", "d"]


def test_marking_is_offered_only_where_the_server_takes_marks() -> None:
    assert "m mark" not in plain(footer(a_view(EVERYONE)))
    assert "m mark" in plain(footer(a_view(EVERYONE, may_mark=True)))
    assert not any("mark this" in line for line in text(help_rows(80, may_mark=False)))
    assert any("mark this" in line for line in text(help_rows(80, may_mark=True)))


def test_without_anybody_it_says_why() -> None:
    assert in_the_middle(a_view())[0] == "Nobody is shown yet."
    assert in_the_middle(a_view(connection=AWAY)) == ["Looking for the server."]
    ended = Connection(ConnectionStatus.RECONNECTING, LINK_ENDED)
    title, remedy = in_the_middle(a_view(connection=ended))
    assert title == "This link no longer holds."
    assert "strapline watch -" in remedy
    rows = message_rows([title, remedy], 40)
    assert text(rows)[1] == "  This link no longer holds."
    assert max(width(row) for row in rows) <= 40


def test_without_a_trace_there_is_no_axis() -> None:
    assert plain(axis_row(a_view(EVERYONE, width=40))) == ""
    assert plain(axis_row(a_view())) == ""
    assert a_view().now_ms == NOW_MS
