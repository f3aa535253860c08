"""The way of a person's readings, hop by hop: strap, bridge, server, this screen."""

from __future__ import annotations

from dataclasses import dataclass

from strapline.watch.ink import Row, Tone, between
from strapline.watch.link_state import Connection
from strapline.watch.person import Person
from strapline.watch.rate import last_drawn
from strapline.watch.words import clock, hop_age, readings
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import BridgeHop, DeviceHop, HopState, ServerState, SyncStatus


@dataclass(frozen=True, slots=True)
class Hop:
    """One stretch of the way: how it is drawn, its age, and what is to be said of it."""

    line: str
    age: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.line}{self.age}{self.line}"


_UNKNOWN = Hop("··", "not known")


def way_of(person: Person, connection: Connection, now_ms: int, silence_ms: int) -> Row:
    """``strap ──1 s── bridge ──0.2 s── server ──0.1 s──● you``, and what waits on it."""
    status = person.status
    bridges = [] if status is None else status.hops.bridges
    bridge = next((one for one in bridges if one.state is HopState.ONLINE), None)
    bridge = bridge or (bridges[0] if bridges else None)
    hops = [
        _strap_hop(_shown(person), person, now_ms) if connection.stands else _UNKNOWN,
        _bridge_hop(bridge, person, now_ms) if connection.stands else _UNKNOWN,
        _last_hop(connection, silence_ms),
    ]
    live = connection.stands and status is not None and status.status is SyncStatus.REALTIME
    row: Row = [
        (f"strap {hops[0]} bridge {hops[1]} server {hops[2]}", Tone.INK),
        ("●" if live else "○", Tone.NOW if live else Tone.SECOND),
        (" you", Tone.INK),
    ]
    notes = [hop.note for hop in hops if hop.note]
    server = None if status is None else status.hops.server.state
    if connection.stands and server is ServerState.NOT_STORING:
        notes.append("server cannot store")
    told: Row = [(", ".join(notes), Tone.SECOND)] if notes else []
    return between([row, told], ("   ", Tone.INK))


def _shown(person: Person) -> DeviceHop | None:
    """The wearable that the readings come from; else the first."""
    device = person.line[-1].device if person.line else None
    own = [hop for hop in person.devices if hop.device == device] or person.devices
    return own[0] if own else None


def _strap_hop(device: DeviceHop | None, person: Person, now_ms: int) -> Hop:
    if device is None:
        return Hop("··", "none yet")
    since = f"since {clock(device.since_ms)}"
    if device.state is DeviceState.NOT_WORN:
        return Hop("──", since, "not worn")
    if device.state is not DeviceState.CONNECTED:
        return Hop("╌╌", since, "strap out of range")
    own = tuple(point for point in person.line if point.device == device.device)
    last = last_drawn(own)
    return Hop("──", since if last is None else hop_age(now_ms - last.at_ms))


def _bridge_hop(bridge: BridgeHop | None, person: Person, now_ms: int) -> Hop:
    if bridge is None:
        return Hop("··", "none yet")
    waiting = f"{readings(bridge.pending)} waiting" if bridge.pending else ""
    if bridge.state is HopState.OFFLINE:
        return Hop("╌╌", f"since {clock(bridge.since_ms)}", waiting or "bridge offline")
    # A reading that came is a word of the bridge too.
    heard_ms = max(bridge.heard_ms, person.line[-1].received_ms if person.line else 0)
    line = "══" if bridge.pending else "──"
    return Hop(line, hop_age(now_ms - heard_ms), waiting or "nothing waiting")


def _last_hop(connection: Connection, silence_ms: int) -> Hop:
    if connection.stands:
        return Hop("──", hop_age(silence_ms))
    if connection.trouble is None:
        return Hop("··", "connecting")
    if connection.lost_at_ms is None:
        return Hop("╌╌", "not reached", connection.trouble.short)
    return Hop("╌╌", f"since {clock(connection.lost_at_ms)}", connection.trouble.short)
