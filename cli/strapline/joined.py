"""Server and bridge of one machine, joined in one process."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from strapline import __version__
from strapline.choosing import Choice
from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.marker import Marker
from strapline.names import user_id
from strapline_bridge.clock import SystemWallClock
from strapline_bridge.config import BridgeConfig, OutboxSection, ServerSection
from strapline_bridge.daemon import Bridge
from strapline_bridge.outbox import OutboxObserver
from strapline_bridge.radio import RadioBackend
from strapline_bridge.uplink import SignedTokens, TokenSource
from strapline_bridge.wearables import Wearables, WearablesFile
from strapline_protocol.opening import Role
from strapline_server import Admin, ConfigError, Server, ServerConfig
from strapline_server.auth import Authority
from strapline_server.http import SOCKET_PATH
from strapline_server.secret import load_secret

#: The bridge of `strapline up`, as the server's store knows it.
BRIDGE: Final = "bridge-here"
_BRIDGE_NAME: Final = "This machine"
#: A connection gets a token of its own, and the server renews it in band.
_BRIDGE_TOKEN_S: Final = 3_600
_LOOPBACK: Final = "127.0.0.1"
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  # what --lan asks for, and says


@dataclass(frozen=True, slots=True)
class Place:
    """Where a joined server and bridge live, and who may reach them."""

    folder: DataFolder
    port: int
    lan: bool = False
    simulated: bool = False

    @property
    def server_config(self) -> ServerConfig:
        """The server's settings."""
        return ServerConfig(
            state_folder=self.folder.server,
            host=_EVERYWHERE if self.lan else _LOOPBACK,
            port=self.port,
            plain_beyond_loopback=self.lan,
            simulated=self.simulated,
        )

    def bridge_config(self, url: str) -> BridgeConfig:
        """The bridge's settings, with its server at this address."""
        return BridgeConfig(
            state_dir=self.folder.bridge, server=ServerSection(url=url), outbox=OutboxSection()
        )

    def marker(self, port: int) -> Marker:
        """What the folder is to say of a server that listens on this port."""
        return Marker(simulated=self.simulated, port=port, lan=self.lan)

    def socket_url(self, server: Server) -> str:
        """Where a program on this machine finds the running server."""
        return f"ws://{_LOOPBACK}:{server.port}{SOCKET_PATH}"


@asynccontextmanager
async def serving(place: Place) -> AsyncIterator[Server]:
    """The running server.

    Raises:
        CommandError: the port is taken.
        ServerError: it cannot start for another reason.
    """
    async with AsyncExitStack() as stack:
        try:
            yield await stack.enter_async_context(Server(place.server_config))
        except ConfigError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {place.port} is in use, perhaps by another strapline. Stop what has "
                    f"it, or take another port: --port {place.port + 1}."
                ) from error
            raise


async def bridge_beside(
    server: Server, place: Place, backend: RadioBackend, observers: Iterable[OutboxObserver] = ()
) -> Bridge:
    """A bridge to the server of this process, which signs its own tokens; not started yet."""
    config = place.bridge_config(place.socket_url(server))
    tokens = await own_tokens(server, place)
    return Bridge(config, backend, tokens, version=__version__, observers=observers)


async def own_tokens(server: Server, place: Place) -> TokenSource:
    """Tokens of the bridge here, signed with the secret of the server of this process."""
    authority = Authority(load_secret(place.server_config.secret_path), SystemWallClock().now_ms)
    generation = await server.admin.generation(BRIDGE)
    return SignedTokens(lambda _: authority.issue(BRIDGE, Role.BRIDGE, _BRIDGE_TOKEN_S, generation))


async def remember(admin: Admin, folder: DataFolder, choices: Sequence[Choice]) -> Wearables:
    """Add the people to the server and the straps to the bridge; all that is known then.

    A strap that was known already changes its wearer from now on.

    Raises:
        AdminError, WearablesError: one of them cannot be added.
    """
    for choice in choices:
        await admin.add_user(user_id(choice.person), choice.person)
    added_at = SystemWallClock().now_ms()

    def change(known: Wearables) -> Wearables:
        for choice in choices:
            known = _with(known, choice, added_at)
        return known

    file = WearablesFile(folder.bridge)
    wearables = file.change(change) if choices else file.load()
    worn_by = sorted({wearable.user for wearable in wearables.wearables})
    # What a strap measures of somebody who was erased is refused, and deleted here.
    wearers = [wearer for wearer in worn_by if not await admin.was_erased(wearer)]
    for wearer in wearers:
        # Where the server's folder was emptied and the bridge's was not, its people come back.
        await admin.add_user(wearer)
    await admin.grant(BRIDGE, Role.BRIDGE, wearers, name=_BRIDGE_NAME)
    return wearables


def _with(known: Wearables, choice: Choice, added_at: int) -> Wearables:
    user = user_id(choice.person)
    there = known.find_by_address(choice.address)
    if there is not None:
        return known.give_to(there.device, user)
    # Makers put serial numbers into their names: none of that leaves this machine.
    number = sum(wearable.user == user for wearable in known.wearables) + 1
    name = "Strap" if number == 1 else f"Strap {number}"
    return known.add(address=choice.address, user=user, name=name, added_at=added_at)[0]
