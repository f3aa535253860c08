"""The store's surface: durable commits, reads of one moment, users and grants."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

from strapline_protocol.asking import HistoryPage, HistoryParams, SessionsPage, SessionsParams
from strapline_protocol.opening import Role
from strapline_protocol.watching import Subscribe
from strapline_server.store import cooling, people
from strapline_server.store.commit import Commit, Outcome, Run, Work
from strapline_server.store.database import FILE_NAME, Database, Transaction
from strapline_server.store.history import read_history
from strapline_server.store.people import Grant, User
from strapline_server.store.reading import View, read_view
from strapline_server.store.saying import Saying
from strapline_server.store.sessions import read_sessions

#: How far back a viewer can resume without starting anew.
LOG_MS: Final = 600_000
_TRIM_EVERY_MS: Final = 10_000


class Store:
    """One database in a state folder.

    Every method raises :class:`~strapline_server.errors.StoreError` when the file cannot be
    read or written.
    """

    def __init__(self, state_folder: Path, clock: Callable[[], int]) -> None:
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
            lambda transaction: read_view(transaction, self.epoch, sub, subscribe, connected)
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

    async def grant(self, sub: str) -> Grant | None:
        """What this principal may at this moment."""
        return await self._database.read(lambda transaction: people.find_grant(transaction, sub))

    async def grants(self) -> list[Grant]:
        """What each principal may at this moment."""
        return await self._database.read(people.all_grants)

    async def grants_of(self, subs: Iterable[str]) -> dict[str, Grant]:
        """What each of these may at one moment; those that were not revoked."""
        return await self._database.read(lambda transaction: people.grants_of(transaction, subs))

    async def bridge_grants(self) -> list[Grant]:
        """What each bridge may at this moment."""
        return await self._database.read(people.bridge_grants)

    async def rights_version(self) -> int:
        """A number that changes whenever a user or a grant does, in whichever process."""
        return await self._database.read(people.rights_version)

    async def users(self) -> list[User]:
        """Every user."""
        return await self._database.read(people.all_users)

    async def add_user(self, user: str, name: str, zone: str) -> bool:
        """Add a user; False when there is one of this id."""
        return await self._database.write(
            lambda transaction: people.add_user(transaction, user, name, zone)
        )

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

    async def forget_bridge_key(self, sub: str) -> None:
        """This principal is known by tokens from elsewhere."""
        await self._database.write(lambda transaction: people.forget_bridge_key(transaction, sub))

    async def bridge_key(self, key: str) -> tuple[str, bytes] | None:
        """The principal that the key of this id speaks for, and its 32 bytes."""
        return await self._database.read(
            lambda transaction: people.find_bridge_key(transaction, key)
        )

    async def revoke(self, sub: str) -> bool:
        """Take all rights away; False when there was no such principal."""
        return await self._database.write(lambda transaction: people.revoke(transaction, sub))
