"""How near each user's screen is to the wearer: the three hops, each with state and since when.

The rule, first match:

========== =====================================================================
error      the server cannot store
offline    no bridge of this user is connected
syncing    a bridge has an older backlog, or was asked to sync and has not answered
realtime   a strap is connected and a reading of just now was heard just now
connecting a strap is looked for, or was found and has not spoken, since recently
synced     all that was measured is here; nothing new comes
========== =====================================================================

What is shown as a moment is wall time; every age is counted on the monotonic clock, so that
nothing becomes the present, or stays it, by setting a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from strapline_protocol.publishing import DeviceAbout, DeviceState, Status, Sync, Zero
from strapline_protocol.watching import (
    BridgeHop,
    DeviceHop,
    Hops,
    HopState,
    ServerHop,
    ServerState,
    SyncStatus,
    SyncStatusUpdate,
    UserStatus,
)
from strapline_server.hub import Hub
from strapline_server.state import AHEAD_MS
from strapline_server.store import Grant
from strapline_server.store.gaps import Known
from strapline_server.wheel import NOWHERE

#: A reading this old is not the present any more, nor is one further ahead than AHEAD_MS.
HEARD_MS: Final = 10_000
#: A backlog whose oldest reading is younger is only what is under way.
BACKLOG_MS: Final = 10_000
#: For how long a search is a connecting.
CONNECTING_MS: Final = 30_000
#: For how long a bridge may take to answer a SYNC.
SYNC_MS: Final = 10_000
_LOOK_EVERY_MS: Final = 1_000
#: Told ages that differ by less are of the same moment.
_SAME_MS: Final = 5_000
#: What may change by time alone.
_PASSING: Final = frozenset({SyncStatus.CONNECTING, SyncStatus.REALTIME, SyncStatus.SYNCING})
_MOST_DEVICES: Final = 256
_MOST_BRIDGES: Final = 64
#: Names that wait to be kept; others are told again with their bridge's next connection.
_MOST_NAMES: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Device:
    user: str
    name: str
    state: DeviceState
    since_ms: int
    #: The same moment on the monotonic clock.
    since_monotonic_ms: int
    battery: int | None
    complete_through_ms: int | None
    about: DeviceAbout | None


@dataclass(slots=True)
class _Bridge:
    grant: Grant
    state: HopState
    since_ms: int
    heard_ms: int
    pending: int = 0
    oldest_pending_ms: int = 0
    #: Up to then, it said, nothing is waiting with it.
    sent_through_ms: int = 0
    #: By user and device id.
    devices: dict[tuple[str, str], _Device] = field(default_factory=dict)
    send: Callable[[Sync], None] | None = None
    sync_request: str | None = None
    sync_until_ms: int = 0


class Standing(NamedTuple):
    """How one bridge stands: what it said last of what it still has."""

    name: str
    state: HopState
    state_age_ms: int
    pending: int
    oldest_pending_ms: int
    devices: int


@dataclass(frozen=True, slots=True)
class _Told:
    """What of a status is worth a message when it changes: moments that always do are not."""

    status: SyncStatus
    devices: tuple[DeviceHop, ...]
    bridges: tuple[tuple[str, HopState, int], ...]
    server: ServerHop
    pending: int
    complete_through_ms: int | None


class Statuses:
    """What is known of all bridges and their straps, and whom it concerns."""

    def __init__(
        self, hub: Hub, wall_clock: Callable[[], int], monotonic: Callable[[], int]
    ) -> None:
        self._hub = hub
        self._wall_ms = wall_clock
        self._monotonic = monotonic
        self._bridges: dict[str, _Bridge] = {}
        #: The moment, on the monotonic clock, that each user's newest reading is of.
        self._heard: dict[str, int] = {}
        self._synced: dict[str, int] = {}
        self._told: dict[str, _Told] = {}
        self._of_user: dict[str, list[_Bridge]] = {}
        self._server = ServerHop(state=ServerState.OK, since_ms=wall_clock())
        self._asked = 0
        self._names: dict[tuple[str, str], str] = {}
        self.wheel_slot = NOWHERE

    # What happens

    def know(self, grants: Iterable[Grant]) -> None:
        """The bridges that there are by their grants; others are forgotten."""
        now_ms = self._wall_ms()
        known = {grant.sub: grant for grant in grants}
        concerned: set[str] = set()
        for sub in self._bridges.keys() - known.keys():
            concerned.update(_users(self._bridges.pop(sub).grant))
        for sub, grant in known.items():
            bridge = self._bridges.get(sub)
            if bridge is None:
                self._bridges[sub] = _Bridge(grant, HopState.OFFLINE, now_ms, now_ms)
            else:
                concerned.update(_users(bridge.grant))
                bridge.grant = grant
            concerned.update(_users(grant))
        self._index()
        self._refresh(concerned)

    def online(self, grant: Grant, send: Callable[[Sync], None]) -> None:
        """A bridge has authenticated."""
        now_ms = self._wall_ms()
        bridge = self._bridges.get(grant.sub)
        if bridge is None or bridge.grant.ids != grant.ids:
            bridge = self._bridges.setdefault(
                grant.sub, _Bridge(grant, HopState.ONLINE, now_ms, now_ms)
            )
            bridge.grant = grant
            self._index()
        bridge.grant, bridge.send = grant, send
        bridge.state, bridge.since_ms, bridge.heard_ms = HopState.ONLINE, now_ms, now_ms
        self._refresh(_users(grant))

    def offline(self, sub: str, send: Callable[[Sync], None]) -> None:
        """The connection that ``send`` belongs to is lost: at once it is the present no more."""
        bridge = self._bridges.get(sub)
        # A newer connection of the same bridge may stand already.
        if bridge is None or bridge.send != send:
            return
        bridge.state, bridge.since_ms, bridge.send = HopState.OFFLINE, self._wall_ms(), None
        bridge.sync_request = None
        self._refresh(_users(bridge.grant))

    def report(self, sub: str, status: Status, zeros: Mapping[str, Zero]) -> None:
        """A bridge says how it is. Straps of users that it may not publish for are left out."""
        bridge = self._bridges.get(sub)
        if bridge is None:
            return
        bridge.heard_ms = self._wall_ms()
        bridge.pending, bridge.oldest_pending_ms = status.pending, status.oldest_pending_ms
        bridge.sent_through_ms = max(0, bridge.heard_ms - status.oldest_pending_ms)
        if status.request is not None and status.request == bridge.sync_request:
            bridge.sync_request = None
        devices: dict[tuple[str, str], _Device] = {}
        for device in status.devices:
            if not bridge.grant.allows(device.user):
                continue
            through = device.complete_through
            zero = zeros.get(through.stream) if through is not None else None
            key = device.user, device.device
            devices[key] = _Device(
                device.user,
                device.name,
                device.state,
                *self._since(bridge.devices.get(key), device.state, device.state_age_ms),
                device.battery,
                zero.wall_ms(through.elapsed_ms) if zero and through else None,
                _shown(device.about),
            )
        for (user, name), told in devices.items():
            known = bridge.devices.get((user, name))
            if (known is None or known.name != told.name) and len(self._names) < _MOST_NAMES:
                self._names[user, name] = told.name
        bridge.devices = devices
        self._refresh(_users(bridge.grant))

    def _since(self, known: _Device | None, state: DeviceState, age_ms: int) -> tuple[int, int]:
        """The moment told first, by both clocks: an age told again differs by the way's latency."""
        since_ms = self._monotonic() - age_ms
        if (
            known is not None
            and known.state is state
            and abs(known.since_monotonic_ms - since_ms) < _SAME_MS
        ):
            return known.since_ms, known.since_monotonic_ms
        return max(0, self._wall_ms() - age_ms), since_ms

    def heard(self, user: str, at_ms: int) -> None:
        """A young reading of this user, of ``at_ms`` wall time, was committed now."""
        wall_ms = self._wall_ms()
        self._synced[user] = wall_ms
        age_ms = wall_ms - at_ms
        if age_ms < -AHEAD_MS:
            return
        was_heard = self._is_heard(user)
        of_ms = self._monotonic() - max(0, age_ms)
        self._heard[user] = max(self._heard.get(user, of_ms), of_ms)
        if not was_heard:
            self._refresh([user])

    def synced(self, user: str) -> None:
        """Something of this user was committed."""
        self._synced[user] = self._wall_ms()

    def storing(self, storing: bool) -> None:
        """Whether the store can be written has changed."""
        state = ServerState.OK if storing else ServerState.NOT_STORING
        self._server = ServerHop(state=state, since_ms=self._wall_ms())
        self._refresh(list(self._told))

    def ask(self, users: Collection[str]) -> int:
        """Ask the bridges of these users to flush and report; how many were asked."""
        asked = [
            bridge
            for bridge in self._bridges.values()
            if bridge.send is not None and any(bridge.grant.allows(user) for user in users)
        ]
        for bridge in asked:
            if bridge.sync_request is None:
                self._asked += 1
                bridge.sync_request = f"sync-{self._asked}"
            bridge.sync_until_ms = self._monotonic() + SYNC_MS
            if bridge.send is not None:
                bridge.send(Sync(request=bridge.sync_request))
        self._refresh({user for user in users if self._hub.is_watched(user)})
        return len(asked)

    def wake(self, now_ms: int) -> int:
        """Look for what changes by time alone."""
        for bridge in self._bridges.values():
            if bridge.sync_request is not None and now_ms > bridge.sync_until_ms:
                bridge.sync_request = None
        due = [
            user
            for user, told in self._told.items()
            if told.status in _PASSING
            and not (told.status is SyncStatus.REALTIME and self._is_heard(user))
        ]
        self._refresh(due)
        return now_ms + _LOOK_EVERY_MS

    # What is so

    def connected(self) -> frozenset[tuple[str, str]]:
        """User and device of each hop that stands: device ids are the bridge's own choice."""
        return frozenset(
            key
            for bridge in self._bridges.values()
            if bridge.state is HopState.ONLINE
            for key, device in bridge.devices.items()
            if device.state is DeviceState.CONNECTED
        )

    def hop(self, user: str, device: str) -> bool | None:
        """Whether this device's hop stands; None where no bridge that is here says.

        From any thread: what it looks at is replaced and never changed.
        """
        told = [
            bridge.devices[user, device].state is DeviceState.CONNECTED
            for bridge in self._of_user.get(user, ())
            if bridge.state is HopState.ONLINE and (user, device) in bridge.devices
        ]
        return any(told) if told else None

    def take_names(self) -> dict[tuple[str, str], str]:
        """What bridges call devices, by user and device, since this was asked last."""
        names, self._names = self._names, {}
        return names

    def of(self, user: str, synced_ms: int | None = None) -> UserStatus:
        """One user's status; ``synced_ms`` is what the store knows of the last commit."""
        bridges = self._of_user.get(user, [])[:_MOST_BRIDGES]
        straps = {
            name: device
            for bridge in bridges
            for (owner, name), device in bridge.devices.items()
            if owner == user
        }
        online = [bridge for bridge in bridges if bridge.state is HopState.ONLINE]
        through = [
            device.complete_through_ms
            for device in straps.values()
            if device.complete_through_ms is not None
        ]
        return UserStatus(
            status=self._status(user, online),
            hops=Hops(
                devices=[
                    DeviceHop(
                        device=name,
                        name=device.name,
                        state=device.state,
                        since_ms=device.since_ms,
                        battery=device.battery,
                        about=device.about,
                    )
                    for name, device in list(straps.items())[:_MOST_DEVICES]
                ],
                bridges=[
                    BridgeHop(
                        name=bridge.grant.name,
                        state=bridge.state,
                        since_ms=bridge.since_ms,
                        heard_ms=bridge.heard_ms,
                        pending=bridge.pending,
                    )
                    for bridge in bridges
                ],
                server=self._server,
            ),
            pending=sum(bridge.pending for bridge in bridges),
            complete_through_ms=min(through, default=None),
            last_sync_at=self._synced.get(user, synced_ms),
        )

    def known(self, user: str, device: str | None = None) -> Known:
        """What the bridges of a user say of what has not come: of all devices, or of one."""
        bridges = self._of_user.get(user, ())
        through = [
            told.complete_through_ms
            for bridge in bridges
            for (owner, name), told in bridge.devices.items()
            if owner == user and device in {None, name} and told.complete_through_ms is not None
        ]
        return Known(
            complete_through_ms=min(through, default=None),
            heard_ms={bridge.grant.sub: bridge.sent_through_ms for bridge in bridges},
        )

    def standings(self) -> list[Standing]:
        """Each bridge that there is, by name."""
        now_ms = self._wall_ms()
        return sorted(
            Standing(
                bridge.grant.name,
                bridge.state,
                max(0, now_ms - bridge.since_ms),
                bridge.pending,
                bridge.oldest_pending_ms,
                len(bridge.devices),
            )
            for bridge in self._bridges.values()
        )

    def storing_age_ms(self) -> int:
        """For how long the store can be written, or cannot."""
        return max(0, self._wall_ms() - self._server.since_ms)

    def _index(self) -> None:
        """Which bridges each user has: asked for far more often than grants change."""
        of_user: dict[str, list[_Bridge]] = {}
        for bridge in self._bridges.values():
            for user in bridge.grant.users:
                of_user.setdefault(user.id, []).append(bridge)
        self._of_user = of_user

    def _is_heard(self, user: str) -> bool:
        heard_ms = self._heard.get(user)
        return heard_ms is not None and self._monotonic() - heard_ms <= HEARD_MS

    def _status(self, user: str, online: list[_Bridge]) -> SyncStatus:
        if self._server.state is not ServerState.OK:
            return SyncStatus.ERROR
        if not online:
            return SyncStatus.OFFLINE
        for bridge in online:
            backlog = bridge.pending > 0 and bridge.oldest_pending_ms > BACKLOG_MS
            if backlog or bridge.sync_request is not None:
                return SyncStatus.SYNCING
        straps = [
            device for bridge in online for device in bridge.devices.values() if device.user == user
        ]
        connected = any(device.state is DeviceState.CONNECTED for device in straps)
        if connected and self._is_heard(user):
            return SyncStatus.REALTIME
        now_ms = self._monotonic()
        awaited = (
            now_ms - device.since_monotonic_ms <= CONNECTING_MS
            for device in straps
            if device.state is not DeviceState.NOT_WORN
        )
        return SyncStatus.CONNECTING if any(awaited) else SyncStatus.SYNCED

    def _refresh(self, users: Iterable[str]) -> None:
        """Tell those who watch these users what has changed."""
        for user in users:
            if not self._hub.is_watched(user):
                self._told.pop(user, None)
                continue
            status = self.of(user)
            told = _telling(status)
            if self._told.get(user) == told:
                continue
            self._told[user] = told
            self._hub.publish_status(
                SyncStatusUpdate(
                    user=user,
                    server_time=self._wall_ms(),
                    status=status.status,
                    hops=status.hops,
                    pending=status.pending,
                    complete_through_ms=status.complete_through_ms,
                    last_sync_at=status.last_sync_at,
                )
            )

    def watched(self, user: str) -> None:
        """Somebody begins to watch: from now on what changes by time is looked for."""
        if user not in self._told:
            # The snapshot that follows says it.
            self._told[user] = _telling(self.of(user))


def _shown(about: DeviceAbout | None) -> DeviceAbout | None:
    """What of it is for a screen; None where that is nothing."""
    if about is None:
        return None
    shown = DeviceAbout(
        model=about.model, firmware=about.firmware, body_location=about.body_location
    )
    return None if shown == DeviceAbout() else shown


def _telling(status: UserStatus) -> _Told:
    return _Told(
        status.status,
        tuple(status.hops.devices),
        tuple((hop.name, hop.state, hop.since_ms) for hop in status.hops.bridges),
        status.hops.server,
        status.pending,
        status.complete_through_ms,
    )


def _users(grant: Grant) -> list[str]:
    return [user.id for user in grant.users]
