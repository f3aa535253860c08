"""What is wrong with Bluetooth on this machine, and what to do about it."""

from __future__ import annotations

from typing import Final

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from strapline_bridge.errors import BridgeError


class RadioError(BridgeError):
    """Bluetooth cannot be used, for now or at all."""


class NoAdapterError(RadioError):
    """There is no Bluetooth adapter that could be used as things are."""


#: What a scan or a connection can fail with in the normal course of things.
TRANSIENT: Final = (BleakError, TimeoutError, OSError, EOFError)

_NO_DAEMON: Final = frozenset(
    {
        "org.freedesktop.DBus.Error.ServiceUnknown",
        "org.freedesktop.DBus.Error.NameHasNoOwner",
        "org.freedesktop.DBus.Error.Spawn.ServiceNotFound",
        "org.freedesktop.DBus.Error.Spawn.ExecFailed",
    }
)
_DENIED: Final = frozenset(
    {"org.freedesktop.DBus.Error.AccessDenied", "org.bluez.Error.NotAuthorized"}
)

_INSTALL: Final = "Run `sudo apt-get install bluez && sudo systemctl start bluetooth`"
_SWITCH_ON: Final = "Run `rfkill unblock bluetooth && bluetoothctl power on`"
_PLUG_IN: Final = (
    "Plug in a Bluetooth adapter, or see with `rfkill list bluetooth` and "
    "`dmesg | grep -i bluetooth` why the built-in one is missing"
)
_ALLOW: Final = "Run `sudo usermod -aG bluetooth $USER`, then log in again"

_UNAVAILABLE: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: ("no Bluetooth adapter was found", _PLUG_IN),
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: (
        "the Bluetooth adapter is too old: it does not know Bluetooth Low Energy",
        "Plug in an adapter of Bluetooth 4.0 or later",
    ),
    BleakBluetoothNotAvailableReason.POWERED_OFF: ("Bluetooth is switched off", _SWITCH_ON),
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: (
        "this program was not allowed to use Bluetooth",
        "Allow it in the system's privacy settings",
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: (
        "the system does not let this user use Bluetooth",
        _ALLOW,
    ),
}


def explain(error: BaseException) -> RadioError:
    """The fault behind an exception of the Bluetooth stack, in words and with its remedy."""
    if isinstance(error, RadioError):
        return error
    if isinstance(error, BleakBluetoothNotAvailableError):
        what, remedy = _UNAVAILABLE.get(
            error.reason, ("Bluetooth is not available on this machine", _PLUG_IN)
        )
        return NoAdapterError(what, remedy)
    if isinstance(error, BleakDBusError):
        return _explain_dbus(error.dbus_error)
    if isinstance(error, FileNotFoundError | ConnectionError):
        return NoAdapterError(
            "the system's message bus, through which Bluetooth is reached, does not run", _INSTALL
        )
    if isinstance(error, PermissionError):
        return NoAdapterError("the system does not let this user use Bluetooth", _ALLOW)
    if isinstance(error, BleakError) and str(error).startswith("adapter '"):
        return NoAdapterError(
            f"the Bluetooth {error}", "See with `bluetoothctl list` which there are"
        )
    if isinstance(error, TimeoutError):
        return RadioError("Bluetooth does not answer", "Run `sudo systemctl restart bluetooth`")
    return RadioError(
        f"Bluetooth failed ({type(error).__name__})", "Run `sudo systemctl restart bluetooth`"
    )


def _explain_dbus(name: str) -> RadioError:
    if name in _NO_DAEMON:
        return NoAdapterError("the Bluetooth service (bluetoothd) does not run", _INSTALL)
    if name in _DENIED:
        return NoAdapterError("the system does not let this user use Bluetooth", _ALLOW)
    if name == "org.bluez.Error.NotReady":
        return NoAdapterError("Bluetooth is switched off", _SWITCH_ON)
    if name == "org.bluez.Error.InProgress":
        return RadioError(
            "another program's scan is in the way, or one that a killed program left",
            "Wait a minute, or run `sudo systemctl restart bluetooth`",
        )
    return RadioError(f"Bluetooth failed ({name})", "Run `sudo systemctl restart bluetooth`")


def failure_class(error: BaseException) -> str:
    """A name for the log: an error's text may hold an address, its kind does not."""
    if isinstance(error, BleakDBusError):
        return error.dbus_error.rpartition(".")[2]
    cause = error.__cause__
    if isinstance(cause, BleakDBusError):
        return f"{type(error).__name__} ({cause.dbus_error.rpartition('.')[2]})"
    return type(error).__name__
