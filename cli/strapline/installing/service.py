"""The two services, and where each has what belongs to it."""

from __future__ import annotations

from enum import StrEnum


class Service(StrEnum):
    """What can be set up."""

    BRIDGE = "bridge"
    SERVER = "server"

    @property
    def unit(self) -> str:
        """The unit's name."""
        return f"strapline-{self}.service"

    @property
    def unit_path(self) -> str:
        """Where the administrator's units are."""
        return f"/etc/systemd/system/{self.unit}"

    @property
    def settings(self) -> str:
        """Its configuration."""
        return f"/etc/strapline/{self}.toml"

    @property
    def state(self) -> str:
        """Its data."""
        return "/var/lib/strapline-bridge" if self is Service.BRIDGE else "/var/lib/strapline"

    @property
    def other(self) -> Service:
        """The one that may stand beside it."""
        return Service.SERVER if self is Service.BRIDGE else Service.BRIDGE
