"""Backends: what a configuration may name, and what is handed to bleak."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bleak.backends.device import BLEDevice

from strapline_bridge.radio import PLATFORM, RadioBackend, RadioError, load_backend
from tests.unit.bridge.radio_fakes import FakeAir, FakeStrap

_ADDRESS = "C0:FF:EE:00:00:01"


def test_the_platforms_own_takes_the_adapter() -> None:
    assert load_backend(PLATFORM, "hci1") == RadioBackend(adapter="hci1")


def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    name = f"backend_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_one_that_is_named_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = _module(
        tmp_path,
        monkeypatch,
        "from strapline_bridge.radio import RadioBackend\n"
        "ready = RadioBackend(adapter='hci2')\n"
        "def made():\n    return RadioBackend(adapter='hci3')\n"
        "def wrong():\n    return 3\n",
    )
    assert load_backend(f"{name}:ready").adapter == "hci2"
    assert load_backend(f"{name}:made").adapter == "hci3"
    with pytest.raises(RadioError, match="is no radio backend"):
        load_backend(f"{name}:wrong")
    with pytest.raises(RadioError, match=r"no radio backend.*radio\.backend"):
        load_backend(f"{name}:absent")


@pytest.mark.parametrize("name", ["no_such_module_here:x", "nothing", ":x"])
def test_one_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(RadioError, match=r"radio\.backend"):
        load_backend(name)


async def test_connecting_goes_through_the_backend_that_was_handed_in() -> None:
    strap = FakeStrap(_ADDRESS)
    backend = FakeAir(strap).backend()
    lost: list[object] = []
    client = await backend.connect(BLEDevice(_ADDRESS, "strap", None), "label", lost.append)
    assert client.is_connected
    assert strap.connects == 1
    strap.drop()
    assert lost == [client]


async def test_connecting_gives_up_after_a_bounded_number_of_attempts() -> None:
    from bleak.exc import BleakError

    strap = FakeStrap(_ADDRESS, connect_errors=[BleakError("no")] * 100)
    backend = FakeAir(strap).backend()
    with pytest.raises(BleakError):
        await backend.connect(BLEDevice(_ADDRESS, "strap", None), "label", lambda _: None)
    assert strap.connects == 2


async def test_a_backend_that_was_handed_in_has_no_links_of_earlier() -> None:
    assert await FakeAir().backend().already_connected() == []
