"""The store's surface: durable commits, reads of one moment, users and grants."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from strapline_protocol.asking import (
    Accounts,
    AccountsParams,
    Digests,
    DigestsParams,
    GapsPage,
    GapsParams,
    HistoryPage,
    HistoryParams,
    SessionsPage,
    SessionsParams,
)
from strapline_protocol.opening import Role
from strapline_protocol.watching import Subscribe
from strapline_server.errors import AdminError
from strapline_server.store import cooling, people
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.commit import Commit, Outcome, Run, Work
from strapline_server.store.database import FILE_NAME, Database, Reads, Transaction
from strapline_server.store.erasing import (
    Erased,
    Holdings,
    count_erasures,
    erase_user,
    read_holdings,
    was_erased,
)
from strapline_server.store.facts import Facts, read_facts
from strapline_server.store.gaps import Known, read_gaps
from strapline_server.store.history import read_history
from strapline_server.store.holdings import read_accounts, read_digests
from strapline_server.store.people import Grant, User
from strapline_server.store.reading import View, read_view
from strapline_server.store.saying import Saying
from strapline_server.store.sessions import read_sessions
from strapline_server.store.sources import (
    KnownDevice,
    KnownSource,
    put_link,
    put_order,
    read_devices,
    read_sources,
)
from strapline_server.store.states import States
from strapline_server.store.telling import Past, Telling

#: How far back a viewer can resume without starting anew.
LOG_MS: Final = 600_000
_TRIM_EVERY_MS: Final = 10_000


class Store:
    """One database in a state folder.

    Every method raises :class:`~strapline_server.errors.StoreError` when the file cannot be
    read or written.
    """

    def __init__(self, state_folder: Path, clock: Callable[[], int]) -> None:
        self._folder = state_folder
        self._database = Database(state_folder / FILE_NAME, clock)
        # Its stream is there once something is said.
        self._run = Run(secrets.token_urlsafe(16))
        self._trimmed_ms = 0

    @property
    def store_id(self) -> str:
        """Names this database."""
        return self._database.store_id

    @property
    def epoch(self) -> str:
        """Names this history of it: positions are compared within one."""
        return self._database.epoch

    async def open(self) -> None:
        """Open or make the file, and bring it to this version."""
        await self._database.open()

    async def close(self) -> None:
        """Wait for what runs, then close."""
        await self._database.close()

    async def commit(self, works: Sequence[Work | Saying]) -> Outcome:
        """Store all of these durably, or nothing of them."""

        def work(transaction: Transaction) -> Outcome:
            outcome = Commit(transaction, self.epoch, self._run).carry_out(works)
            if transaction.now_ms - self._trimmed_ms > _TRIM_EVERY_MS:
                transaction.run("trim_log", before_ms=transaction.now_ms - LOG_MS)
                self._trimmed_ms = transaction.now_ms
            return outcome

        done = False
        try:
            outcome = await self._database.write(work)
            done = True
        finally:
            if not done:
                # What was folded into it was rolled back.
                self._run.clear()
        return outcome

    async def cool(self) -> None:
        """Merge the small blocks of one hour that is over, if there is one."""
        planned = await self._database.read(cooling.plan)
        if planned is not None:
            await self._database.write(lambda transaction: cooling.carry_out(transaction, planned))

    async def probe(self) -> None:
        """Whether a transaction can be made durable now."""
        await self._database.write(lambda transaction: transaction.run("probe"))

    async def view(
        self, sub: str, subscribe: Subscribe, connected: Collection[tuple[str, str]]
    ) -> View:
        """What a subscription begins with."""
        return await self._database.read(
            lambda transaction: read_view(transaction, self.epoch, sub, subscribe, connected),
            Reads.VIEW,
        )

    async def history(self, sub: str, params: HistoryParams) -> HistoryPage | None:
        """One page of readings or stretches; None when it is not granted.

        Raises:
            ValueError: the cursor is of another question, or the metric has no stretches.
        """
        return await self._database.read(
            lambda transaction: read_history(transaction, self.epoch, sub, params)
        )

    async def sessions(self, sub: str, params: SessionsParams) -> SessionsPage | None:
        """One page of sessions; None when they are not granted.

        Raises:
            ValueError: the cursor is none of this server's.
        """
        return await self._database.read(
            lambda transaction: read_sessions(transaction, self.epoch, sub, params)
        )

    async def gaps(self, sub: str, params: GapsParams, known: Known) -> GapsPage | None:
        """One page of stretches without a reading, with their causes; None when not granted.

        Raises:
            ValueError: the cursor is of another question, or the metric is not measured.
        """
        return await self._database.read(
            lambda transaction: read_gaps(transaction, self.epoch, sub, params, known)
        )

    async def accounts(self, sub: str, params: AccountsParams) -> Accounts | None:
        """What is accounted for of one of this bridge's streams; None where it is not its own."""
        return await self._database.read(
            lambda transaction: read_accounts(transaction, sub, params)
        )

    async def digests(self, sub: str, params: DigestsParams) -> Digests | None:
        """Digests of what is stored of one of this bridge's streams; None where it is not its own.

        Raises:
            ValueError: they are of too many numbers.
        """
        return await self._database.read(lambda transaction: read_digests(transaction, sub, params))

    def ask_hops_of(self, hop: Callable[[str, str], bool | None]) -> None:
        """Whether a user's device is connected is known there; None where no bridge says."""
        self._run = replace(self._run, hop=hop)

    async def sources(self, user: str, metric: str | None = None) -> list[KnownSource] | None:
        """A user's devices of each metric, in their order; None when there is no such user."""

        def read(transaction: Transaction) -> list[KnownSource] | None:
            found = people.find_user(transaction, user)
            return None if found is None else read_sources(transaction, found, metric)

        return await self._database.read(read)

    async def devices(self) -> list[KnownDevice]:
        """Every device that something was measured with."""
        return await self._database.read(read_devices)

    async def order_sources(self, user: str, metric: str | None, devices: Sequence[str]) -> bool:
        """Put these first, in this order; False when there is no such user."""

        def write(transaction: Transaction) -> bool:
            found = people.find_user(transaction, user)
            if found is not None:
                self._leave_untold(transaction, put_order(transaction, found, metric, devices))
            return found is not None

        return await self._database.write(write)

    async def link_device(self, device: str, strap: str | None) -> None:
        """One device id is another of this strap's; None: it is a strap of its own again."""

        def write(transaction: Transaction) -> None:
            self._leave_untold(transaction, put_link(transaction, device, strap))

        await self._database.write(write)

    def _leave_untold(self, transaction: Transaction, pasts: Sequence[Past]) -> None:
        """For the server that runs, here or in another process, to hand out."""
        states = States(transaction, Aggregates(transaction), lambda *_: None)
        telling = Telling(transaction, self.epoch, states)
        for past in pasts:
            telling.leave_untold(past)
        transaction.run("bump_rights_version")

    async def name_devices(self, names: Mapping[tuple[str, str], str]) -> None:
        """Keep what bridges call devices, by user and device."""

        def write(transaction: Transaction) -> None:
            for (user, device), name in names.items():
                transaction.run("name_device", user=user, id=device, name=name)

        await self._database.write(write)

    async def grant(self, sub: str) -> Grant | None:
        """What this principal may at this moment."""
        return await self._database.read(
            lambda transaction: people.find_grant(transaction, sub), Reads.RIGHTS
        )

    async def grants(self) -> list[Grant]:
        """What each principal may at this moment."""
        return await self._database.read(people.all_grants)

    async def grants_of(self, subs: Iterable[str]) -> dict[str, Grant]:
        """What each of these may at one moment; those that were not revoked."""
        return await self._database.read(
            lambda transaction: people.grants_of(transaction, subs), Reads.RIGHTS
        )

    async def bridge_grants(self) -> list[Grant]:
        """What each bridge may at this moment."""
        return await self._database.read(people.bridge_grants, Reads.RIGHTS)

    async def rights_version(self) -> int:
        """A number that changes whenever a user or a grant does, in whichever process."""
        return await self._database.read(people.rights_version, Reads.RIGHTS)

    async def facts(self) -> Facts:
        """How much there is."""
        path = self._folder / FILE_NAME
        return await self._database.read(lambda transaction: read_facts(transaction, path))

    async def missing(self, users: Iterable[str]) -> list[str]:
        """Those of these users that there are not, by id."""
        return await self._database.read(
            lambda transaction: people.missing_users(transaction, users)
        )

    async def users(self) -> list[User]:
        """Every user."""
        return await self._database.read(people.all_users)

    async def add_user(self, user: str, name: str, zone: str) -> bool:
        """Add a user; False when there is one of this id.

        Raises:
            AdminError: there was one, who was erased.
        """

        def write(transaction: Transaction) -> bool:
            if was_erased(transaction, user):
                raise AdminError(
                    f"the id {user!r} was somebody's who was erased, and is never given again: "
                    f"what bridges still have of them would come back. Give another: {user}-2"
                )
            return people.add_user(transaction, user, name, zone)

        return await self._database.write(write)

    async def holdings(self, user: str) -> Holdings | None:
        """What there is of a user; None when there is no such user."""
        return await self._database.read(lambda transaction: read_holdings(transaction, user))

    async def erase_user(self, user: str) -> Erased:
        """Erase all that there is of a user, so that no trace of it is left in the file.

        Raises:
            AdminError: there is no such user, and was none that was erased.
        """
        return await self._database.wipe(lambda transaction: erase_user(transaction, user))

    async def was_erased(self, user: str) -> bool:
        """Whether there was a user of this id who was erased."""
        return await self._database.read(lambda transaction: was_erased(transaction, user))

    async def erasures(self) -> int:
        """How many users were erased, in whichever process."""
        return await self._database.read(count_erasures, Reads.RIGHTS)

    async def change_user(self, user: str, name: str | None, zone: str | None) -> bool:
        """Change what is not None; False when there is no such user."""
        return await self._database.write(
            lambda transaction: people.change_user(transaction, user, name, zone)
        )

    async def put_grant(
        self,
        sub: str,
        role: Role,
        name: str,
        users: list[str] | Literal["all"],
        metrics: list[str] | None,
        *,
        may_mark: bool = False,
    ) -> list[str]:
        """Grant exactly this to a principal; the users that there are not."""
        return await self._database.write(
            lambda transaction: people.put_grant(
                transaction, sub, role, name, users, metrics, may_mark=may_mark
            )
        )

    async def enrol(
        self,
        sub: str,
        name: str,
        users: list[str] | Literal["all"],
        metrics: list[str] | None,
        key: tuple[str, bytes],
    ) -> bool:
        """Grant exactly this to a bridge with a key of its own (its id, its 32 bytes).

        False when the key is another principal's; then nothing is changed.
        """
        return await self._database.write(
            lambda transaction: people.enrol(transaction, sub, name, users, metrics, key)
        )

    async def grant_by_token(
        self,
        sub: str,
        role: Role,
        name: str,
        users: list[str] | Literal["all"],
        metrics: list[str] | None,
        *,
        may_mark: bool = False,
    ) -> str | None:
        """Grant exactly this to one that is known by tokens; the generation that they name."""
        return await self._database.write(
            lambda transaction: people.grant_by_token(
                transaction, sub, role, name, users, metrics, may_mark=may_mark
            )
        )

    async def generation(self, sub: str) -> str | None:
        """What tokens that this server made for this principal have to name."""
        return await self._database.read(
            lambda transaction: people.generation_of(transaction, sub), Reads.RIGHTS
        )

    async def bridge_key(self, key: str) -> tuple[str, bytes] | None:
        """The principal that the key of this id speaks for, and its 32 bytes."""
        return await self._database.read(
            lambda transaction: people.find_bridge_key(transaction, key), Reads.RIGHTS
        )

    async def revoke(self, sub: str) -> bool:
        """Take all rights away; False when there was no such principal."""
        return await self._database.write(lambda transaction: people.revoke(transaction, sub))
