"""What the Bluetooth stack throws becomes a sentence with a remedy."""

from __future__ import annotations

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from strapline_bridge.radio import NoAdapterError, RadioError
from strapline_bridge.radio.errors import explain, failure_class


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (
            BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["x"]),
            "bluetoothd",
            "sudo apt-get install bluez && sudo systemctl start bluetooth",
        ),
        (FileNotFoundError(2, "x"), "message bus", "apt-get install bluez"),
        (ConnectionRefusedError(111, "x"), "message bus", "apt-get install bluez"),
        (PermissionError(13, "x"), "does not let", "usermod -aG bluetooth"),
        (
            BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["x"]),
            "does not let",
            "usermod -aG bluetooth",
        ),
        (BleakDBusError("org.bluez.Error.NotReady", []), "switched off", "bluetoothctl power on"),
        (BleakError("adapter 'hci7' not found"), "adapter 'hci7' not found", "bluetoothctl list"),
    ],
)
def test_bluetooth_that_is_missing(error: Exception, what: str, remedy: str) -> None:
    explained = explain(error)
    assert type(explained) is NoAdapterError
    assert what in explained.what
    assert remedy in explained.remedy


@pytest.mark.parametrize("reason", list(BleakBluetoothNotAvailableReason))
def test_every_reason_of_bleak_has_a_remedy(reason: BleakBluetoothNotAvailableReason) -> None:
    explained = explain(BleakBluetoothNotAvailableError("text", reason))
    assert type(explained) is NoAdapterError
    assert explained.what != "text"
    assert explained.remedy


def test_bluetooth_that_is_off() -> None:
    off = BleakBluetoothNotAvailableError("", BleakBluetoothNotAvailableReason.POWERED_OFF)
    assert "bluetoothctl power on" in str(explain(off))


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (BleakDBusError("org.bluez.Error.InProgress", []), "Wait a minute"),
        (BleakDBusError("org.bluez.Error.Failed", ["C0:FF:EE:00:00:01"]), "restart bluetooth"),
        (TimeoutError(), "restart bluetooth"),
        (BleakError("C0:FF:EE:00:00:01"), "restart bluetooth"),
    ],
)
def test_other_faults_tell_no_address(error: Exception, remedy: str) -> None:
    explained = explain(error)
    assert type(explained) is RadioError
    assert remedy in explained.remedy
    assert "C0:FF" not in str(explained)


def test_what_is_explained_already_stays() -> None:
    error = RadioError("a", "b")
    assert explain(error) is error


def test_failures_are_named_without_their_text() -> None:
    assert failure_class(BleakDBusError("org.bluez.Error.Failed", ["C0:FF"])) == "Failed"
    assert failure_class(TimeoutError("C0:FF")) == "TimeoutError"
    wrapped = BleakError("C0:FF")
    wrapped.__cause__ = BleakDBusError("org.bluez.Error.Failed", [])
    assert failure_class(wrapped) == "BleakError (Failed)"
