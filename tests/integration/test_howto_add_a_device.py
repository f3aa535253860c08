"""The page on adding a device, executed: its module, its vectors, its twin, on a virtual link."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.testing

from strapline.main import app
from strapline_bridge import decoders
from strapline_bridge.decoders import DECODERS, Decoder, UndecodableError
from strapline_bridge.intake import Arrived, Described, Intake
from strapline_bridge.radio import LinkChange, Offered, Radio, Timing
from strapline_bridge.radio.captures import Capture, CapturedValue, dumps
from strapline_simulator import Conditions, Profile, replay_file, simulation, twins

_PAGES = Path(__file__).parents[2] / "docs"
_HOWTO = (_PAGES / "howto" / "add-a-device.md").read_text()
_BLOCK = re.compile(r"`([^`\n]+)`:\n\n```(?:python|json)\n(.*?)```", re.DOTALL)
_SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


class _Chosen:
    device = "d"

    def __init__(self, address: str) -> None:
        self.addresses = (address,)


def _block(path: str) -> str:
    (found,) = [code for where, code in _BLOCK.findall(_HOWTO) if where == path]
    assert isinstance(found, str)
    return found


@pytest.fixture
def decoder() -> Decoder:
    """What the page adds to the registry."""
    acme = ModuleType("acme")
    exec(_block("bridge/strapline_bridge/decoders/acme.py"), acme.__dict__)  # noqa: S102  # our page
    entry = _block("bridge/strapline_bridge/decoders/__init__.py")
    (made,) = eval(f"({entry})", {**vars(decoders), "acme": acme})  # noqa: S307  # our page
    assert isinstance(made, Decoder)
    return made


@pytest.fixture
def twin() -> tuple[twins.Twin, ...]:
    """What the page adds to the twins."""
    namespace: dict[str, Any] = dict(vars(twins))
    exec(_block("simulator/strapline_simulator/twins.py"), namespace)  # noqa: S102  # our page
    made: tuple[twins.Twin, ...] = namespace["ACME"]
    return made


def test_the_files_that_it_names_are_there() -> None:
    for path in re.findall(r"`((?:bridge|simulator|protocol|tests)/[^`]+)`", _HOWTO):
        assert path.endswith("acme.py") or (_PAGES.parent / path).exists(), path


def test_its_vectors_hold(decoder: Decoder) -> None:
    lines = [json.loads(line) for line in _block("tests/data/characteristics.json").splitlines()]
    assert {line["kind"] for line in lines} == {"valid", "edge", "invalid"}
    for line in lines:
        raw = bytes.fromhex(line["hex"])
        if line["kind"] == "invalid":
            with pytest.raises(UndecodableError):
                decoder.decode(raw)
        else:
            assert {"steps": decoder.decode(raw).value} == line["expected"]


async def test_its_twin_is_read_by_its_decoder(
    decoder: Decoder, twin: tuple[twins.Twin, ...]
) -> None:
    profile = Profile(name="Acme", heart_rate=False, twins=twin)
    registry = {**DECODERS, decoder.characteristic: decoder}
    arrived: list[Arrived | LinkChange | Described] = []
    intake = Intake({"d": "ada"}.get, arrived.append, {}, boot_id="b", decoders=registry)
    conditions = Conditions(advertising_interval_ms=20)
    async with simulation((profile,), pace=None, conditions=conditions) as air:
        strap = air.straps[0]
        radio = Radio(
            air.backend,
            [_Chosen(strap.address)],
            intake,
            decoders=registry,
            timing=Timing(window_s=5),
        )
        task = asyncio.create_task(radio.run())
        try:
            async with asyncio.timeout(20):
                await strap.wait_subscribed(decoder.characteristic)
            for _ in range(30):
                await strap.tick()
        finally:
            task.cancel()
            await asyncio.wait([task])
        sent = [one.value for one in strap.sent if one.characteristic == decoder.characteristic]
    steps = [
        one.reading.value
        for one in arrived
        if isinstance(one, Arrived) and one.reading.metric == "steps"
    ]
    assert len(sent) > 5
    # The first was read on arming.
    assert steps[1:] == [int.from_bytes(value, "little") for value in sent]
    assert intake.undecodable == {}


def test_the_capture_that_it_plays_is_played(
    tmp_path: Path, decoder: Decoder, twin: tuple[twins.Twin, ...]
) -> None:
    path = tmp_path / "acme.jsonl"
    offer = Offered(decoder.service, decoder.characteristic, ("notify",))
    value = CapturedValue(decoder.characteristic, 0, b"\x10\x27\0")
    path.write_text(dumps([Capture((offer,), (value,))]))
    profile = replay_file("Acme", path)
    sensor = profile.twins[0].make(profile, lambda: date(2026, 11, 24))
    assert sensor.advance(1) == [b"\x10\x27\0"]
    assert profile.twins[0].service == twin[0].service


@pytest.mark.parametrize("page", ["howto/add-a-device.md", "reference/devices.md"])
def test_the_commands_are_there_with_their_options(page: str) -> None:
    runner = typer.testing.CliRunner()
    commands = [
        shlex.split(line)
        for block in _SHELL.findall((_PAGES / page).read_text())
        for line in block.splitlines()
    ]
    assert commands
    for command in commands:
        assert command[0] == "strapline"
        if command[2] == "decode":
            outcome = runner.invoke(app, command[1:])
        else:
            # All of it is parsed before help is shown, and nothing is listened to.
            outcome = runner.invoke(app, [*command[1:], "--help"])
        assert outcome.exit_code == 0, outcome.output
        for option in command:
            if option.startswith("--") and command[2] != "decode":
                assert option in outcome.output
