"""Every command that a message or a page names is one that there is, with options that it has."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from strapline.main import app

_ROOT = Path(__file__).parents[3]
_SOURCES = ("bridge", "cli", "client", "protocol", "server", "simulator")
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").glob("[hrt]*/*.md"))]
_SETTINGS = sorted((_ROOT / "config").glob("*.toml"))
#: What a value that is only known when the message is made stands as.
_FILLED = "X"

_QUOTED = re.compile(r"`strapline ([^`]+)`")
_NAMED = re.compile(
    r"(?<![\w`/.-])strapline ((?:(?:up|demo) --|(?:server|bridge) [a-z]+)[^.\n`;,]*)"
)
_TYPED = re.compile(
    r"^(?:\(umask \d+; )?(?:\./run|(?:runuser -u strapline -- )?strapline) ([^>|\n#]+)",
    re.MULTILINE,
)
_SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
#: `./run ANYTHING` is `strapline ANYTHING`, but these are the checkout's own.
_RUN_ONLY = {"ANYTHING", "test"}


def _text(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) or _FILLED for value in values)
    return None


def _messages(path: Path) -> Iterator[str]:
    """Every text in a module, with what is filled in as one word."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, node.values))
        text = _text(node)
        if text is not None and id(node) not in inside:
            yield text


def _found() -> Iterator[tuple[str, str]]:
    for room in _SOURCES:
        for path in sorted((_ROOT / room).rglob("*.py")):
            for text in _messages(path):
                for pattern in (_QUOTED, _NAMED):
                    for command in pattern.findall(text):
                        yield str(path.relative_to(_ROOT)), command
    for path in (*_PAGES, *_SETTINGS):
        text = path.read_text("utf-8")
        name = str(path.relative_to(_ROOT))
        yield from ((name, command) for command in _QUOTED.findall(text))
        for block in _SHELL.findall(text):
            yield from ((name, command) for command in _TYPED.findall(block))


FOUND = sorted({one for one in _found() if one[1].split()[0] not in _RUN_ONLY})


def misuse(words: list[str]) -> str | None:
    """What is wrong with a command line: a command or an option that there is not."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        if words[0].startswith("-"):
            break
        if words[0] not in command.commands:
            return f"no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for one in command.params for option in one.opts} | {"-h", "--help"}
    unknown = [word for word in words if word.startswith("-") and word.strip("-.") not in {"", "…"}]
    missing = [word for word in unknown if word.partition("=")[0] not in known]
    if missing:
        return f"no option {missing[0]!r}"
    if words and hasattr(command, "commands") and not words[0].startswith("-"):
        return f"no command {words[0]!r}"
    return None


@pytest.mark.parametrize(("where", "command"), FOUND, ids=range(len(FOUND)))
def test_a_command_that_is_named_is_there(where: str, command: str) -> None:
    words = shlex.split(command.replace("\u2026", ""))
    assert misuse(words) is None, f"{where}: `strapline {command}`: {misuse(words)}"


def test_enough_were_found() -> None:
    named = {where.partition("/")[0] for where, _ in FOUND}
    assert named >= {"cli", "server", "bridge", "docs", "README.md"}


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("token", "no command 'token'"),
        ("user add maren", "no command 'user'"),
        ("server users", "no command 'users'"),
        ("server token --for maren", "no option '--for'"),
        ("server token --viewer Maren --users maren", None),
        ("--version", None),
        ("up", None),
    ],
)
def test_one_that_there_is_not_would_be_noticed(command: str, wrong: str | None) -> None:
    assert misuse(command.split()) == wrong
