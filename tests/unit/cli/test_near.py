"""The list of straps near."""

import io

from strapline.near import Near, signal, table
from strapline.terminal import make_console
from strapline_bridge.radio.scan import Sighting


def strap(
    number: int, *, rssi: int | None = -58, offers: tuple[str, ...] = ("heart rate",)
) -> Sighting:
    return Sighting(f"C0:00:00:00:00:{number:02X}", f"Strap {number}", rssi, offers, ())


def test_a_number_stays_whatever_comes_later() -> None:
    near = Near()
    for number in (5, 3, 9):
        near.heard(strap(number))
    near.heard(strap(3, rssi=-40))
    assert [(one.number, one.seen.name, one.seen.rssi) for one in near.straps] == [
        (1, "Strap 5", -58),
        (2, "Strap 3", -40),
        (3, "Strap 9", -58),
    ]


def test_what_measures_nothing_known_is_counted_until_it_says_more() -> None:
    near = Near()
    near.heard(strap(1, offers=()))
    near.heard(strap(2, offers=()))
    near.heard(strap(2, offers=("steps",)))
    assert near.others == 1
    assert [one.seen.name for one in near.straps] == ["Strap 2"]


def test_an_answer_names_straps_once_each() -> None:
    near = Near()
    for number in (1, 2, 3):
        near.heard(strap(number))
    assert [one.name for one in near.numbered("3, 1 3")[0]] == ["Strap 3", "Strap 1"]
    assert near.numbered("1 7") == ([], "There is no 7.")
    assert near.numbered("all")[0] == []
    assert "number" in near.numbered("")[1]


def test_the_signal_is_drawn_in_bars() -> None:
    drawn = [signal(strap(1, rssi=rssi)) for rssi in (-50, -65, -75, -95, None)]
    assert drawn == ["▂▄▆█", "▂▄▆ ", "▂▄  ", "▂   ", "    "]


def test_the_table_shows_addresses_only_where_they_are_asked_for() -> None:
    near = Near()
    near.heard(strap(1))
    shown = []
    for addresses in (False, True):
        out = io.StringIO()
        make_console(file=out, width=100).print(table(near, addresses=addresses))
        shown.append(out.getvalue())
    assert "C0:00:00" not in shown[0]
    assert "C0:00:00:00:00:01" in shown[1]
    assert all("Strap 1" in text and "heart rate" in text for text in shown)
