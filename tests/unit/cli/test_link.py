"""The dashboard's link and its QR code."""

from urllib.parse import urlsplit

import pytest

from strapline.link import dashboard_link, lan_address, qr_code

TOKEN = "e30." + "A" * 200


def test_the_token_stands_in_the_fragment_alone() -> None:
    parts = urlsplit(dashboard_link("127.0.0.1", 8420, TOKEN))
    assert (parts.netloc, parts.path, parts.query) == ("127.0.0.1:8420", "/", "")
    assert parts.fragment == f"token={TOKEN}"


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert dashboard_link("fd00::1", 1, "t") == "http://[fd00::1]:1/#token=t"


def test_a_name_stands_as_it_is() -> None:
    assert dashboard_link("pi.local", 1, "t") == "http://pi.local:1/#token=t"


def test_a_link_as_long_as_ours_fits_a_terminal() -> None:
    lines = qr_code(dashboard_link("192.168.100.200", 8420, TOKEN)).plain.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= 78
    assert len(lines) <= 40


def test_two_rows_of_modules_share_a_line() -> None:
    lines = qr_code("x").plain.splitlines()
    # Version 1: 21 modules, 2 of border on each side.
    assert [len(line) for line in lines] == [25] * 13
    assert lines[0] == " " * 25
    # The finder pattern: a ring of seven modules around three by three.
    assert lines[1][2:9] == "█▀▀▀▀▀█"
    assert lines[2][2:9] == "█ ███ █"
    assert lines[4][2:9] == "▀▀▀▀▀▀▀"


def test_the_lan_address_is_nothing_that_only_this_machine_has() -> None:
    address = lan_address()
    assert address is None or not address.startswith("127.")


def test_without_a_network_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strapline.link._ELSEWHERE", ("127.0.0.1", 9))
    assert lan_address() is None
