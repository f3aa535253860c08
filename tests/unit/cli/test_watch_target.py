"""Which server, and with what: a token never stands on the command line."""

import getpass
import io
import sys
from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.watch.target import SOCKET_PATH, TOKEN_VARIABLE, Target, socket_url, target_of
from strapline_server.http import SOCKET_PATH as SERVERS_PATH

LINK = "http://127.0.0.1:8420/#token=abc.def.ghi"
HERE = "ws://127.0.0.1:8420/ws"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_path_is_the_servers() -> None:
    assert SOCKET_PATH == SERVERS_PATH


@pytest.mark.parametrize(
    ("address", "url", "plain_text"),
    [
        ("http://127.0.0.1:8420/", HERE, False),
        ("http://localhost:8420", "ws://localhost:8420/ws", False),
        ("http://[::1]:8420/", "ws://[::1]:8420/ws", False),
        ("http://192.168.1.5:8420/", "ws://192.168.1.5:8420/ws", True),
        ("http://pi.local:8420", "ws://pi.local:8420/ws", True),
        ("http://pi:8420", "ws://pi:8420/ws", True),
        ("https://coach.example.org", "wss://coach.example.org/ws", False),
        ("coach.example.org", "wss://coach.example.org/ws", False),
        ("https://example.org/strapline/", "wss://example.org/strapline/ws", False),
        ("wss://example.org/ws", "wss://example.org/ws", False),
    ],
    ids=str,
)
def test_the_address_of_a_page_is_that_of_its_socket(
    address: str, url: str, plain_text: bool
) -> None:
    assert socket_url(address) == (url, plain_text)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.org",
        "http://",
        "http://me:secret@127.0.0.1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1/?token=x",
    ],
)
def test_what_is_no_address_is_refused_with_the_form(address: str) -> None:
    with pytest.raises(CommandError, match="is not an address"):
        socket_url(address)


@pytest.mark.parametrize(
    ("host", "plain_text"),
    [
        ("127.0.0.9", False),
        ("[::1]", False),
        ("[::ffff:127.0.0.1]", False),
        ("10.1.2.3", True),
        ("172.31.255.1", True),
        ("192.168.1.5", True),
        ("169.254.7.7", True),
        ("[fd00::5]", True),
        ("[fe80::5]", True),
        ("[::ffff:10.1.2.3]", True),
        ("3dprinter", True),
    ],
)
def test_what_is_on_this_machine_or_in_its_network_is_near(host: str, *, plain_text: bool) -> None:
    assert socket_url(f"http://{host}:8420") == (f"ws://{host}:8420/ws", plain_text)


def test_nothing_goes_unencrypted_through_the_internet() -> None:
    for host in (
        "coach.example.org",
        "8.8.8.8:8420",
        "0.0.0.0",  # noqa: S104  # gone to, not listened on
        "203.0.113.5",
        "198.18.0.1",
        "240.0.0.1",
        "172.32.0.1",
        "[::]",
        "[2001:db8::1]",
        "[::ffff:8.8.8.8]",
        "134744072",
        "0x8080808",
    ):
        address = f"http://{host}"
        with pytest.raises(CommandError, match=r"Give its https:// address"):
            socket_url(address)


def test_a_link_on_the_command_line_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="can be read by everybody on this machine") as caught:
        target_of(LINK, None, environment={})
    assert "strapline watch -" in str(caught.value)
    assert "abc.def.ghi" not in str(caught.value)


def test_a_file_holds_a_whole_link_or_the_token_of_an_address(tmp_path: Path) -> None:
    file = tmp_path / "link"
    file.write_text(f"\n{LINK}\nmore\n")
    expected = Target(HERE, "abc.def.ghi")
    assert target_of(None, str(file), environment={}) == expected
    assert target_of("http://127.0.0.1:8420", str(file), environment={}) == expected
    file.write_text("abc.def.ghi\n")
    assert target_of("http://127.0.0.1:8420", str(file), environment={}) == expected
    with pytest.raises(CommandError, match="is no link"):
        target_of(None, str(file), environment={})


def test_a_pipe_is_read_and_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{LINK}\n"))
    assert target_of("-", None, environment={}) == Target(HERE, "abc.def.ghi")
    monkeypatch.setattr(sys, "stdin", io.StringIO("abc\n"))
    assert target_of("http://[::1]:1", "-", environment={}) == Target("ws://[::1]:1/ws", "abc")
    monkeypatch.setattr(sys, "stdin", Terminal())
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return f"  {LINK} "

    monkeypatch.setattr(getpass, "getpass", answer)
    assert target_of("-", None, environment={}) == Target(HERE, "abc.def.ghi")
    assert target_of("http://127.0.0.1:8420", None, environment={}) == Target(HERE, "abc.def.ghi")
    assert asked == ["Link: ", "Token or link: "]


def test_the_environment_may_hold_the_token() -> None:
    assert target_of("http://127.0.0.1:8420", None, environment={TOKEN_VARIABLE: "abc\n"}) == (
        Target(HERE, "abc")
    )


def test_nothing_named_is_for_this_machine_to_answer() -> None:
    assert target_of(None, None, environment={}) is None


@pytest.mark.parametrize("text", ["", "two words", "http://127.0.0.1/#nothing", "x" * 20_000])
def test_what_is_no_token_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    with pytest.raises(CommandError, match="There is no token in what was given"):
        target_of("http://127.0.0.1:8420", str(file), environment={})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read \\(No such file"):
        target_of(None, str(tmp_path / "none"), environment={})
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="it is no text"):
        target_of(None, str(binary), environment={})


def test_a_target_never_shows_its_token() -> None:
    assert "secret" not in repr(Target(HERE, "secret"))


def test_a_token_file_that_others_can_read_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my link"
    file.write_text(LINK)
    file.chmod(0o640)
    assert target_of(None, str(file), environment={}) == Target(HERE, "abc.def.ghi")
    said = capsys.readouterr()
    assert said.out == ""
    assert f"chmod 600 '{file}'" in said.err
    assert "abc" not in said.err
    file.chmod(0o600)
    assert target_of(None, str(file), environment={}) is not None
    assert capsys.readouterr().err == ""
