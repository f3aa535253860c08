"""Users, grants and tokens: what the command line changes, while the server runs or not."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from strapline_protocol.base import Label, MetricName, UserId
from strapline_protocol.opening import Role
from strapline_server.auth import LINK_LIFE_S, LONGEST_LIFE_S, Authority, check_life
from strapline_server.clock import wall_ms
from strapline_server.config import ServerConfig
from strapline_server.days import machine_zone, zone_named
from strapline_server.errors import AdminError, StoreError
from strapline_server.keys import PublicKey, load_public_keys
from strapline_server.secret import load_or_make_secret
from strapline_server.stats import Stats, StoreStats
from strapline_server.store import (
    MOST_ORDERED,
    Erased,
    Grant,
    Holdings,
    KnownDevice,
    KnownSource,
    Store,
    User,
)

Users = list[str] | Literal["all"]

_LINK: Final = "link-"

_USER: Final[TypeAdapter[str]] = TypeAdapter(UserId)
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Label)
_METRIC: Final[TypeAdapter[str]] = TypeAdapter(MetricName)
_METRICS: Final[TypeAdapter[list[str]]] = TypeAdapter(list[MetricName])
_SUB: Final[TypeAdapter[str]] = TypeAdapter(Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")])


class Admin:
    """The store's people and the authority's tokens, with every input checked."""

    def __init__(self, store: Store, authority: Authority) -> None:
        self._store = store
        self._authority = authority

    async def add_user(self, user: str, name: str | None = None, zone: str | None = None) -> bool:
        """Add a wearer; False when there is one of this id, who is left as they are.

        Args:
            user: the id: letters, digits and ``._@+-``.
            name: as people say it; the id by default.
            zone: IANA name that their day is counted in; the machine's by default.

        Raises:
            AdminError: an argument is not what it should be, or somebody of this id was erased.
        """
        _check(_USER, user, "user", "letters, digits and ._@+-, at most 128")
        shown = _check(_NAME, user if name is None else name, "name", "at most 128 characters")
        return await self._store.add_user(user, shown, _zone(zone or machine_zone()))

    async def change_user(
        self, user: str, name: str | None = None, zone: str | None = None
    ) -> None:
        """Change a wearer's name or zone.

        Raises:
            AdminError: there is no such user, or an argument is not what it should be.
        """
        if name is not None:
            _check(_NAME, name, "name", "at most 128 characters")
        zone = None if zone is None else _zone(zone)
        if not await self._store.change_user(user, name, zone):
            raise _no_user(user)

    async def holdings(self, user: str) -> Holdings | None:
        """What there is of a wearer, before they are erased; None where there is no such user."""
        return await self._store.holdings(user)

    async def erase_user(self, user: str) -> Erased:
        """Erase a wearer and all that was measured of them, for good and for ever.

        Those who watch see them no more within a second. What bridges still have, or send later,
        is refused, so that they delete it. Their id is never given again.

        Raises:
            AdminError: there is no such user, and was none that was erased.
            StoreError: it cannot be done now; or it is done, and traces are left in the file.
        """
        return await self._store.erase_user(user)

    async def was_erased(self, user: str) -> bool:
        """Whether there was a wearer of this id who was erased: nobody gets it again."""
        return await self._store.was_erased(user)

    async def users(self) -> list[User]:
        """Every wearer, by id."""
        return await self._store.users()

    async def sources(self, user: str, metric: str | None = None) -> list[KnownSource]:
        """A wearer's devices, of one metric or of each, in the order in which they count.

        Raises:
            AdminError: there is no such user.
        """
        found = await self._store.sources(user, metric)
        if found is None:
            raise _no_user(user)
        return found

    async def order_sources(self, user: str, metric: str | None, devices: Sequence[str]) -> None:
        """Let these devices count first, in this order; none: the order is that of the rules.

        Those who watch are told within a second, by a server in another process too.

        Raises:
            AdminError: there is no such user, or one of the devices measured nothing of them.
        """
        known = {source.device for source in await self.sources(user)}
        missing = [device for device in devices if device not in known]
        if missing:
            raise AdminError(
                f"no device {missing[0]!r} of {user}. "
                f"`strapline server sources {user}` shows those that there are."
            )
        if len(set(devices)) < len(devices) or len(devices) > MOST_ORDERED:
            raise AdminError(f"order: name each device once, and at most {MOST_ORDERED}.")
        if metric is not None:
            _check(_METRIC, metric, "metric", "a name such as heart_rate")
        await self._store.order_sources(user, metric, devices)

    async def devices(self) -> list[KnownDevice]:
        """Every device that something was measured with."""
        return await self._store.devices()

    async def link_device(self, device: str, strap: str) -> None:
        """Say that two device ids, of two bridges, are one strap.

        Raises:
            AdminError: one of them is not there, or they are one already.
        """
        straps = await self._straps(device, strap)
        if straps[device] == straps[strap]:
            raise AdminError(f"{device} and {strap} are one strap already.")
        await self._store.link_device(device, strap)

    async def unlink_device(self, device: str) -> None:
        """Say that this device id is a strap of its own.

        Raises:
            AdminError: it is not there, or is one already.
        """
        straps = await self._straps(device)
        if sum(strap == straps[device] for strap in straps.values()) == 1:
            raise AdminError(f"{device} is not linked to another.")
        await self._store.link_device(device, None)

    async def _straps(self, *wanted: str) -> dict[str, str]:
        straps = {one.device: one.strap for one in await self._store.devices()}
        for device in wanted:
            if device not in straps:
                raise AdminError(
                    f"no device {device!r} here. `strapline server sources USER` shows a user's."
                )
        return straps

    async def grant(
        self,
        sub: str,
        role: Role | str,
        users: Users,
        *,
        name: str | None = None,
        metrics: list[str] | None = None,
        may_mark: bool = False,
    ) -> None:
        """Grant exactly this to a principal, in place of what it had.

        Args:
            sub: the principal, as its token says it.
            role: bridge or viewer.
            users: whom it may publish for or watch, or ``"all"``.
            name: as people say it; ``sub`` by default.
            metrics: which it may; all by default.
            may_mark: whether a viewer may start and end sessions and set marks.

        Raises:
            AdminError: a user is not there, or an argument is not what it should be.
        """
        shown = await self._checked(sub, users, name, metrics)
        _check_mark(role, may_mark=may_mark)
        await self._store.put_grant(sub, _role(role), shown, users, metrics, may_mark=may_mark)

    async def enrol(
        self,
        sub: str,
        key: PublicKey,
        users: Users,
        *,
        name: str | None = None,
        metrics: list[str] | None = None,
    ) -> None:
        """Grant exactly this to a bridge that signs its own tokens, and know it by its key alone.

        Tokens that were made for it before let nobody in any more, nor does a key before.

        Raises:
            AdminError: as :meth:`grant`, or the key is somebody else's.
        """
        shown = await self._checked(sub, users, name, metrics)
        if self._authority.is_issuers(key):
            raise AdminError(
                "that key is the issuer's (public_keys of the configuration), who may speak for "
                "everybody. Make the bridge one of its own: `strapline bridge key`"
            )
        if not await self._store.enrol(sub, shown, users, metrics, (key.id, key.raw)):
            raise AdminError(
                "that key is another bridge's already. Make one on each bridge (`strapline bridge "
                "key`), or take it from the other first: `strapline server revoke NAME`."
            )

    async def _checked(
        self, sub: str, users: Users, name: str | None, metrics: list[str] | None
    ) -> str:
        """The name to show; raises where something is not what it should be."""
        _check(_SUB, sub, "sub", "1 to 128 visible ASCII characters")
        shown: str = _check(_NAME, sub if name is None else name, "name", "at most 128 characters")
        if metrics is not None:
            _check(_METRICS, metrics, "metrics", "names such as heart_rate")
        if users != "all" and (missing := await self._store.missing(users)):
            raise AdminError(
                f"no user {missing[0]!r}. Add them first: strapline server user add {missing[0]}"
            )
        return shown

    async def stats(self) -> Stats:
        """What the database alone can tell, without a server."""
        return Stats(version=version("strapline"), store=StoreStats.of(await self._store.facts()))

    async def principals(self) -> list[Grant]:
        """Everybody that something was granted to."""
        return await self._store.grants()

    async def revoke(self, sub: str) -> None:
        """Take all rights from a principal; its connections close within a second.

        Tokens that this server made for it stay worth nothing, whatever is granted later.

        Raises:
            AdminError: there is no such principal.
        """
        if not await self._store.revoke(sub):
            raise AdminError(
                f"no principal {sub!r}: nothing was granted to it, so there is nothing to revoke."
            )

    async def issue_token(
        self,
        sub: str,
        role: Role | str,
        users: Users,
        lifetime_s: int = LONGEST_LIFE_S,
        *,
        name: str | None = None,
        metrics: list[str] | None = None,
        may_mark: bool = False,
    ) -> str:
        """Grant this to a principal and make a token that says who it is.

        A bridge that had a key of its own is known by this token from now on.

        Raises:
            AdminError: as :meth:`grant`.
            TokenError: the lifetime is not between a second and 400 days.
        """
        check_life(lifetime_s)
        shown = await self._checked(sub, users, name, metrics)
        _check_mark(role, may_mark=may_mark)
        generation = await self._store.grant_by_token(
            sub, _role(role), shown, users, metrics, may_mark=may_mark
        )
        return self._authority.issue(sub, _role(role), lifetime_s, generation)

    async def generation(self, sub: str) -> str | None:
        """What a token that is made elsewhere with the server's secret has to name."""
        return await self._store.generation(sub)

    async def issue_link_token(
        self,
        users: Users,
        *,
        name: str = "dashboard link",
        lifetime_s: int = LINK_LIFE_S,
        may_mark: bool = False,
    ) -> str:
        """A viewer of its own for one dashboard link, so that the link can be revoked alone."""
        sub = f"{_LINK}{secrets.token_urlsafe(9)}"
        return await self.issue_token(
            sub, Role.VIEWER, users, lifetime_s, name=name, may_mark=may_mark
        )

    async def renew_link_token(
        self,
        users: Users,
        *,
        name: str = "dashboard link",
        lifetime_s: int = LINK_LIFE_S,
        may_mark: bool = False,
    ) -> str:
        """Another token for the link of this name, whose older ones go on; so it is revoked as one.

        A link that was revoked stays so: the next one is then a viewer of its own.
        """
        for grant in await self._store.grants():
            if grant.sub.startswith(_LINK) and grant.name == name and grant.role is Role.VIEWER:
                return await self.issue_token(
                    grant.sub, Role.VIEWER, users, lifetime_s, name=name, may_mark=may_mark
                )
        return await self.issue_link_token(
            users, name=name, lifetime_s=lifetime_s, may_mark=may_mark
        )


@asynccontextmanager
async def open_admin(
    config: ServerConfig, clock: Callable[[], int] = wall_ms
) -> AsyncIterator[Admin]:
    """The administration of a state folder, beside a running server or without one.

    Raises:
        StoreError: the database cannot be opened.
        SecretError: the secret cannot be used.
    """
    prepare_folder(config)
    authority = make_authority(config, load_or_make_secret(config.secret_path), clock)
    store = Store(config.state_folder, clock)
    await store.open()
    try:
        yield Admin(store, authority)
    finally:
        await store.close()


def make_authority(config: ServerConfig, secret: bytes, clock: Callable[[], int]) -> Authority:
    """What makes and checks tokens by this configuration.

    Raises:
        SecretError: the secret, or a public key, cannot be used.
    """
    return Authority(secret, clock, load_public_keys(config.public_keys))


def prepare_folder(config: ServerConfig) -> None:
    """Make the state folder, for its owner alone.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        config.state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{config.state_folder}: cannot be made ({error.strerror}). Set state_folder to a "
            "folder that this user may write to."
        ) from error


def _no_user(user: str) -> AdminError:
    return AdminError(f"no user {user!r}. `strapline server user list` shows those that there are.")


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError as error:
        raise AdminError(f"no role {role!r}: there are bridge and viewer.") from error


def _check_mark(role: Role | str, *, may_mark: bool) -> None:
    if may_mark and _role(role) is not Role.VIEWER:
        raise AdminError("may_mark: a bridge sends its marks itself; the right is a viewer's.")


def _zone(name: str) -> str:
    try:
        return zone_named(name).key
    except ValueError as error:
        raise AdminError(f"zone: {error}") from error


def _check(adapter: TypeAdapter[Any], value: Any, name: str, form: str) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        raise AdminError(f"{name}: {value!r} is not allowed; it is to be {form}.") from None
