"""One person on the whole screen."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.detail import detail
from strapline.watch.ink import Tone, width
from strapline.watch.link_state import SERVER_AWAY, Connection
from strapline.watch.missing import Missing
from strapline.watch.person import Person
from strapline_client.events import ConnectionStatus
from strapline_protocol.publishing import DeviceAbout
from strapline_protocol.watching import Gap
from tests.unit.cli.watch_kit import NOW_MS, a_view, at, ilse, maren, points, text, tomas, zone


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


@pytest.mark.parametrize("cells", [24, 40, 60, 100, 200])
@pytest.mark.parametrize("height", [10, 24, 40])
def test_every_size_is_filled(cells: int, height: int) -> None:
    for person in (maren(), tomas(), ilse(), Person("ana", "Ana")):
        rows = detail(person, a_view([person], width=cells, height=height))
        assert len(rows) == height
        assert {width(row) for row in rows} == {cells}


def test_all_of_a_person_stands_on_it() -> None:
    told = text(detail(tomas(), a_view([tomas()], height=30)))
    assert told[1].endswith("Strap  64 %")
    assert told[2].endswith("connected since 13:55")
    assert "  Gap of 38 s at 14:01: strap out of range." in told
    assert "  58 s filled in at 14:04:41." in told
    assert any("strap ──2 s── bridge" in line for line in told)
    assert sum(line.count("░") > 0 for line in told) > 5


def test_a_straps_model_is_said_where_it_says_it() -> None:
    person = maren()
    assert person.status is not None
    hop = person.devices[0].model_copy(update={"about": DeviceAbout(model="H10")})
    hops = person.status.hops.model_copy(update={"devices": [hop]})
    person = replace(person, status=person.status.model_copy(update={"hops": hops}))
    assert text(detail(person, a_view([person])))[1].endswith("Strap  H10  82 %")


def test_contact_is_said_where_the_strap_knows_it() -> None:
    line = points(NOW_MS - 9_000, NOW_MS, contact=True)
    told = text(detail(replace(maren(), line=line), a_view([maren()])))
    assert any(row.endswith("connected since 13:55, good contact") for row in told)


def test_of_a_lost_way_nothing_is_claimed_and_nothing_is_orange() -> None:
    away = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY, at("14:05:00"))
    view = a_view([ilse()], connection=away)
    rows = detail(ilse(), view)
    assert any("not known now" in row for row in text(rows))
    assert any(row.startswith("  The server is away.") for row in text(rows))
    assert Tone.NOW not in {tone for row in rows for _, tone in row}


def test_without_a_wearable_it_says_so() -> None:
    nobody = Person("ana", "Ana")
    assert any("No wearable yet" in row for row in text(detail(nobody, a_view([nobody]))))


GAPS = tuple(
    Gap(from_ms=at("14:01:48") - 60_000 * ago, to_ms=at("14:02:26") - 60_000 * ago, cause="off")
    for ago in range(40, -1, -1)
)


def test_gaps_are_listed_below_the_trace_and_not_said_twice() -> None:
    missing = Missing("tomas", GAPS, read_ms=NOW_MS)
    told = text(detail(tomas(), a_view([tomas()], height=40), missing))
    assert "  14:01:48        38 s                strap\u2019s battery empty" in told
    assert any(line.startswith("  and ") for line in told)
    assert not any("Gap of 38 s" in line for line in told)
    assert "  58 s filled in at 14:04:41." in told
    # Where there is no room for a list, the sentence stands.
    small = text(detail(tomas(), a_view([tomas()], height=22), missing))
    assert not any("battery empty" in line for line in small)
    assert any("Gap of 38 s" in line for line in small)


def test_somebody_elses_gaps_are_not_shown() -> None:
    told = text(detail(tomas(), a_view([tomas()], height=40), Missing("maren", GAPS)))
    assert not any("without a reading" in line for line in told)


@pytest.mark.parametrize("cells", [24, 60, 100])
@pytest.mark.parametrize("height", [10, 18, 22, 26, 30, 40, 60])
def test_a_list_fills_no_more_than_the_screen(cells: int, height: int) -> None:
    for gaps in (GAPS, GAPS[:1], ()):
        missing = Missing("tomas", gaps, read_ms=NOW_MS)
        rows = detail(tomas(), a_view([tomas()], width=cells, height=height), missing)
        assert len(rows) == height
        assert {width(row) for row in rows} == {cells}
        assert any("bridge" in line for line in text(rows)) or height < 26 or cells < 60
