"""What is said of a person's day, and of the wearables."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.person import Person, battery_of, day_of, level_of, session_of, steps_of
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import DeviceLevel, Over
from tests.unit.cli.watch_kit import (
    DAY_ENDS_MS,
    NOW_MS,
    a_rate,
    a_status,
    at,
    ilse,
    maren,
    metrics,
    zone,
)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def test_a_day_that_has_ended_says_nothing_of_the_new_one() -> None:
    person = maren()
    assert steps_of(person, NOW_MS) == "4,127 steps so far"
    assert day_of(person, NOW_MS) == ("average 141 today", "97 to 152")
    assert steps_of(person, DAY_ENDS_MS) == "— steps, a new day has begun"
    assert day_of(person, DAY_ENDS_MS) is None


def test_what_was_not_measured_is_not_said() -> None:
    nobody = Person("ana", "Ana")
    assert steps_of(nobody, NOW_MS) == ""
    assert day_of(nobody, NOW_MS) is None
    assert session_of(nobody, NOW_MS) == ""
    assert battery_of(nobody, NOW_MS, connected=True) == ""


def test_one_step_is_one() -> None:
    assert steps_of(Person("ana", "Ana", metrics(None, 1, None)), NOW_MS) == "1 step so far"


def test_during_a_session_its_average_is_said_and_its_time_runs() -> None:
    rate = a_rate(140, average=139.6, min=120, max=150, over=Over.SESSION)
    assert day_of(Person("ana", "Ana", metrics(rate, None, None)), NOW_MS) == (
        "average 140 so far",
        "120 to 150",
    )
    assert session_of(maren(), NOW_MS) == "Endurance ride 1:12:05"


def test_a_battery_has_its_time_once_its_strap_is_away() -> None:
    assert battery_of(maren(), NOW_MS, connected=True) == "battery 82 %"
    assert battery_of(ilse(), NOW_MS, connected=True) == "battery 31 % at 14:02"
    assert battery_of(maren(), NOW_MS, connected=False) == "battery 82 % at 14:04"


def test_an_old_level_has_its_time_too() -> None:
    level = DeviceLevel(device="strap", value=82, at_ms=at("10:00:00"))
    told = metrics(None, None, level)
    told["battery"] = told["battery"].model_copy(update={"fresh_for_ms": 3_600_000})
    person = Person("ana", "Ana", told, a_status())
    assert battery_of(person, NOW_MS, connected=True) == "battery 82 % at 10:00"


def test_a_level_that_only_the_hop_knows() -> None:
    person = replace(ilse(), metrics={})
    hop = person.devices[0].model_copy(update={"battery": 17})
    assert level_of(person, hop, NOW_MS, connected=True) == "17 %"
    assert hop.state is DeviceState.SEARCHING
