"""What the scenario saw, written in the guest and read by the host."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from strapline.account import Content, Identity


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading in the server's history."""

    metric: str
    content: Content


@dataclass(frozen=True, slots=True)
class Delivered(Reading):
    """One reading as it came to a viewer."""

    identity: Identity


class Outcome(BaseModel):
    """One run of the scenario.

    Attributes:
        sent: for each link, the heart rate measurements that the kernel's adapter took.
        handed_over: for each link, those of them that bluetoothd handed to bleak.
        stored: the server's own history, by metric, in order of time.
        watched: what came to a viewer, in the order in which it came.
        bridge_status, server_status: with which they ended.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    sent: list[list[bytes]]
    handed_over: list[list[bytes]]
    stored: list[Reading]
    watched: list[Delivered]
    bridge_status: int
    server_status: int
