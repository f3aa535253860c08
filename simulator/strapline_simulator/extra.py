"""Says which command brings what the simulator needs and the base install does not have."""

from __future__ import annotations

import importlib

INSTALL_COMMAND = "pip install 'strapline[demo]'"


#: Everything that needs bumble hangs on this module.
STACK = "strapline_simulator.assembly"


class DemoExtraMissingError(ImportError):
    """The Bluetooth stack of the simulator is not installed."""


def require_demo_extra() -> None:
    """Import what is built on bumble.

    Raises:
        DemoExtraMissingError: it cannot; the message names the command that installs it.
    """
    try:
        importlib.import_module("bumble")
        importlib.import_module(STACK)
    except ModuleNotFoundError as error:
        raise DemoExtraMissingError(
            "simulated straps need bumble, which is not installed. Install it with: "
            + INSTALL_COMMAND
        ) from error
