"""How much a database holds, counted without opening a block."""

from __future__ import annotations

from pathlib import Path

from strapline_protocol.opening import Role
from strapline_server.store.accounts import Accounts
from strapline_server.store.facts import read_facts
from tests.unit.server.store_kit import Bench


def test_an_empty_database_holds_nothing_and_a_missing_file_has_no_size(tmp_path: Path) -> None:
    facts = read_facts(Bench().transaction, tmp_path / "none")
    assert (facts.users, facts.bridges, facts.viewers, facts.streams, facts.readings) == (0,) * 5
    assert (facts.database_bytes, facts.log_bytes) == (0, 0)


def test_readings_are_those_that_were_received_and_not_erased(tmp_path: Path) -> None:
    bench = Bench()
    for user in ("ana", "ben"):
        bench.add_user(user)
    bench.grant("pi", Role.BRIDGE, users=["ana"])
    for viewer in ("eye", "coach"):
        bench.grant(viewer, Role.VIEWER)
    for key in (1, 2):
        bench.connection.execute(
            "INSERT INTO streams (stream_key, id, owner, next_seq, zero_version, zero)"
            " VALUES (?, ?, 'pi', 0, 1, '{}')",
            (key, f"stream-{key}"),
        )
    first, second = (Accounts(bench.transaction, key) for key in (1, 2))
    first.receive([(0, 9), (20, 20)])
    second.receive([(5, 6)])
    second.drop([(0, 4)], "full")
    second.reject([(7, 7)], "denied")
    database = tmp_path / "server.db"
    database.write_bytes(b"x" * 100)
    (tmp_path / "server.db-wal").write_bytes(b"x" * 10)
    facts = read_facts(bench.transaction, database)
    assert (facts.users, facts.bridges, facts.viewers, facts.streams) == (2, 1, 2, 2)
    assert facts.readings == 13
    assert (facts.database_bytes, facts.log_bytes) == (100, 10)
