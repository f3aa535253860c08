"""The browser's checks, run by Node: they take what the codec makes, and no other kind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from strapline_protocol.codec import decode_server, encode
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.messages import METHODS, ServerMessage
from tests.unit.protocol.strategies import wire
from tests.unit.protocol.test_codec import places, spoilt

ROOT = Path(__file__).parents[2]
#: One of each kind that JSON knows.
KINDS: list[Any] = [None, True, 1.5, "x", [], {}, [{}], {"x": []}]

#: Answers each line, [the check's name, a value], with true or false.
SCRIPT = """
import * as messages from MODULE;
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const [check, value] = JSON.parse(line);
  console.log(messages[check](value));
}
"""

patient = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Browser:
    """A Node process with the generated module in it, which it reads as TypeScript."""

    def __init__(self) -> None:
        module = json.dumps((ROOT / "web/src/protocol/messages.ts").as_uri())
        self._node = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("node")),
                "--disable-warning=ExperimentalWarning",
                "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
                "--input-type=module",
                "--eval",
                SCRIPT.replace("MODULE", module),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def takes(self, check: str, value: str) -> bool:
        """What ``check`` says of some JSON."""
        stdin, stdout = self._node.stdin, self._node.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f'["{check}",{value}]\n')
        stdin.flush()
        return bool(json.loads(stdout.readline()))

    def close(self) -> None:
        """End it."""
        self._node.communicate(timeout=10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    one = Browser()
    yield one
    one.close()


@patient
@given(sent=wire(ServerMessage))
def test_a_browser_takes_what_the_codec_makes(browser: Browser, sent: dict[str, Any]) -> None:
    frame = encode(decode_server(json.dumps(sent)))
    assert browser.takes("isServerMessage", frame.decode())


@patient
@given(sent=wire(ServerMessage), data=st.data(), evil=st.sampled_from(KINDS))
def test_a_browser_refuses_what_the_codec_refuses_for_its_kind(
    browser: Browser, sent: dict[str, Any], data: st.DataObject, evil: Any
) -> None:
    at = data.draw(st.sampled_from(places(sent)[1:] or [()]))
    frame = json.dumps(spoilt(sent, at, evil))
    assume(of_another_kind(frame))
    assert not browser.takes("isServerMessage", frame)


@patient
@given(sent=wire(ServerMessage), data=st.data())
def test_a_browser_refuses_a_message_without_a_required_field(
    browser: Browser, sent: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(sent)))
    frame = json.dumps({key: value for key, value in sent.items() if key != name})
    assume(name == "type" or of_another_kind(frame))
    assert not browser.takes("isServerMessage", frame)


@patient
@given(data=st.data())
@pytest.mark.parametrize("method", METHODS)
def test_a_browser_takes_a_methods_answer(
    browser: Browser, method: str, data: st.DataObject
) -> None:
    result = METHODS[method].result
    made = result.model_validate_json(json.dumps(data.draw(wire(result))))
    assert browser.takes(f"is{result.__name__}", encode(made).decode())
    assert not browser.takes(f"is{result.__name__}", "{}")


@pytest.mark.parametrize("value", ["null", "[]", '"HELLO"', "1", "{}", '{"type":"FUTURE"}'])
def test_what_is_no_message_is_no_message(browser: Browser, value: str) -> None:
    assert browser.takes("isServerMessage", value) is False


def of_another_kind(frame: str) -> bool:
    """Whether the codec refuses it for what it is, and not for its size, spelling or neighbours."""
    try:
        decode_server(frame)
    except MalformedMessageError as error:
        return "Input should be" in str(error) or "Field required" in str(error)
    return False
