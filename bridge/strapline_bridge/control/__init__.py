"""The control socket: what needs the open outbox or the open connection is asked of the service."""

from strapline_bridge.control.asking import ask
from strapline_bridge.control.commands import Command, Commands
from strapline_bridge.control.errors import ControlError
from strapline_bridge.control.listener import ControlSocket

__all__ = ["Command", "Commands", "ControlError", "ControlSocket", "ask"]
