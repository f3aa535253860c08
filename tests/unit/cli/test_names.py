"""User ids out of people's names."""

import pytest

from strapline.errors import CommandError
from strapline.names import cleaned, user_id


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Maren Holt", "maren-holt"),
        ("  Maren   Holt ", "maren-holt"),
        ("Tomás Reyes", "tomas-reyes"),
        ("Łukasz Żółć", "lukasz-zolc"),
        ("Jørgen Strauß", "jorgen-strauss"),
        ("O'Brien, Ada (2)", "o-brien-ada-2"),
        ("7", "7"),
    ],
)
def test_a_latin_name_becomes_a_slug(name: str, wanted: str) -> None:
    assert user_id(name) == wanted


def test_a_name_that_is_not_latin_gets_the_same_id_each_time() -> None:
    one, other = user_id("李雷"), user_id("韩梅梅")
    assert one == user_id(" 李雷 ")
    assert one != other
    assert one.startswith("person-")


def test_a_name_of_which_little_is_latin_is_not_cut_to_that_little() -> None:
    assert user_id("李 B") != user_id("韩 B")


def test_both_ways_of_writing_an_accent_are_one_person() -> None:
    assert cleaned("Toma\u0301s") == cleaned("Tomás")


def test_a_long_name_keeps_a_valid_id() -> None:
    assert len(user_id("Maren " * 20)) <= 64


@pytest.mark.parametrize("name", ["", "   ", "a\x1b[31m", "x" * 129])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="name is"):
        cleaned(name)
