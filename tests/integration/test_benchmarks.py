"""Each benchmark in small: that it runs, and that it counts all it sends. Nothing of its times."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path

import pytest

import benchmarks.__main__ as command
from benchmarks import (
    backlog,
    decoding,
    fan_out,
    ingest,
    line,
    many_users,
    memory,
    native,
    texts,
    wear,
)
from benchmarks.bench import Bench
from benchmarks.contestants import Peer, Strapline, limit
from benchmarks.load import Client, loading
from benchmarks.machine import describe
from benchmarks.native import BenchmarkError, Native, compile_all
from benchmarks.rights import grant
from benchmarks.scale import Scale
from benchmarks.tables import Table

_SMALL = Scale(
    rounds=1,
    warm_s=0.1,
    seconds=0.3,
    viewers=3,
    users=20,
    settle_s=0.05,
    held=(0, 2, 4),
    ingested=6_000,
    drained=5_000,
    line_s=0.4,
    week=9_000,
    synced=50,
    narrow_s=0.5,
    calls=10,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Native:
    return compile_all(tmp_path_factory.mktemp("native"))


@pytest.fixture
def bench(built: Native, tmp_path: Path) -> Bench:
    return Bench(_SMALL, built, tmp_path)


def _numbers(table: Table) -> dict[str, tuple[float | None, ...]]:
    assert table.markdown().startswith(f"## {table.title}\n")
    return {row.subject: row.numbers for row in table.rows}


def test_fan_out_measures_ours_the_peers_and_the_limit(bench: Bench) -> None:
    found = _numbers(fan_out.measure(bench))
    assert len(found) == 8
    assert found["limit: `send()` in C"][1] == 1
    assert all(numbers[0] for numbers in found.values())


def test_many_users_counts_the_fsyncs_of_each_commit(bench: Bench) -> None:
    found = _numbers(many_users.measure(bench))
    fsyncs_per_s = found["Strapline (uvloop)"][-1]
    # Twenty users that send at different moments, one a commit.
    assert fsyncs_per_s is not None
    assert fsyncs_per_s >= 10


def test_memory_is_looked_at_with_each_number_of_viewers(bench: Bench) -> None:
    found = _numbers(memory.measure(bench))
    assert len(found) == 6
    assert all(empty and full for _, empty, full in found.values())


def test_all_that_is_ingested_and_drained_is_stored(bench: Bench) -> None:
    found = _numbers(ingest.measure(bench))
    assert all(numbers[0] for numbers in found.values())


def test_every_reading_of_every_strap_is_timed(bench: Bench) -> None:
    (one, ten) = line.measure(bench).rows
    assert one.numbers[0] == 40 * _SMALL.line_s
    assert ten.numbers[0] == 100 * _SMALL.line_s / 2


def test_a_backlog_is_drained_by_ours_and_by_peers(bench: Bench) -> None:
    drains, presents, memory = map(_numbers, backlog.measure(bench))
    ours, *theirs = drains.values()
    assert ours[0] == _SMALL.week
    assert ours[2] == 1
    assert [numbers[0] for numbers in theirs] == [_SMALL.week, _SMALL.synced, _SMALL.week]
    assert all(numbers[1] for numbers in theirs)
    # A database without readings is a part of it, with so few of them.
    assert all(0 < (ours[column] or 0) < 200 for column in (4, 5, 6))
    assert all(numbers[0] for numbers in presents.values())
    assert len(presents) == 4
    assert all(all(numbers) for numbers in memory.values())


def test_an_hour_of_commits_costs_an_fsync_each(built: Native, tmp_path: Path) -> None:
    (row,) = wear.measure(built, tmp_path, [1], [60]).rows
    online, written_mib, offline, _, at_risk = row.numbers
    # A few more where the log is written back.
    assert all(60 <= (fsyncs or 0) < 70 for fsyncs in (online, offline))
    assert written_mib
    assert at_risk == 60


def test_the_page_about_cards_takes_the_table_in() -> None:
    text = wear.PAGE.read_text()
    head, _, rest = text.partition(wear.BEGIN)
    table, _, tail = rest.partition(wear.END)
    assert wear.insert(text, "New.\n") == f"{head}{wear.BEGIN}\n\nNew.\n\n{wear.END}{tail}"
    # One row for each that is measured: the page is of this very command.
    assert table.count("\n| 1") + table.count("\n| 3") == len(wear.STRAPS) * len(wear.INTERVALS_S)
    with pytest.raises(BenchmarkError, match="lost its marks"):
        wear.insert("# SD cards\n", "New.\n")


async def test_peers_hand_out_what_our_viewers_get(bench: Bench) -> None:
    rights = await grant(bench.folder / "state", 1, [[0]], [[0]])
    server = Strapline(rights)

    def heard() -> bytes:
        path = bench.folder / "heard.txt"
        with (
            server.serving(bench.folder) as served,
            loading(
                bench.native,
                bench.folder,
                served.port,
                [server.publisher(0), server.viewer(0, 0)],
                subprotocol=server.subprotocol,
            ) as load,
        ):
            load.open(2)
            load.record(path)
            assert load.run(served.program, 0, 0.1).result.acknowledged == 1
            load.quit()
        return path.read_bytes().split(b" ", 2)[2].strip()

    ours = await asyncio.to_thread(heard)
    theirs = texts.update(rights.user(0), 0)
    assert abs(len(ours) - len(theirs)) < 40


def test_a_reading_that_does_not_come_fails_the_benchmark(bench: Bench) -> None:
    contestant: Peer = limit(bench.native)
    clients = [contestant.publisher(0), contestant.viewer(0, 0)]
    deaf = Client(0, "/pub/1", (), clients[0].messages)
    with (
        contestant.serving(bench.folder) as served,
        loading(bench.native, bench.folder, served.port, [deaf, clients[1]], rest_s=0.1) as load,
    ):
        load.open(2)
        with pytest.raises(BenchmarkError, match="of 1 readings 0 came"):
            load.run(served.program, 0, 0.1)


def test_without_a_compiler_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchmarkError, match="apt-get install gcc"):
        compile_all(tmp_path)


def test_sources_that_do_not_compile_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "load.c").write_text("int main(void) { return nothing; }")
    monkeypatch.setattr(native, "SOURCES", tmp_path)
    with pytest.raises(BenchmarkError, match="nothing"):
        compile_all(tmp_path)


def test_a_whole_run_is_printed_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "BENCHMARKS", {"decoding": decoding.measure})
    monkeypatch.setattr(command, "FULL", _SMALL)
    assert command.main(["--results", str(tmp_path), "--disk", str(tmp_path)]) == 0
    page = (tmp_path / "latest.md").read_text()
    assert capsys.readouterr().out == page + "\n"
    found = json.loads((tmp_path / "latest.json").read_text())
    assert found["machine"]["cores"] >= 1
    assert [row["subject"][:4] for row in found["tables"][0]["rows"]] == [
        case.characteristic for case in decoding.CASES
    ]


def test_the_page_about_speed_takes_the_tables_in() -> None:
    text = f"# Speed\n\n{command.BEGIN}\nold\n{command.END}\n\nMore.\n"
    page = "# Measured\n\nHere.\n\n## Fan-out\n"
    assert command.insert(text, page) == (
        f"# Speed\n\n{command.BEGIN}\n\nHere.\n\n## Fan-out\n\n{command.END}\n\nMore.\n"
    )
    with pytest.raises(BenchmarkError, match="lost its marks"):
        command.insert("# Speed\n", page)


def test_the_page_about_speed_shows_the_results_that_are_kept() -> None:
    root = Path(command.__file__).parents[1]
    text = (root / "docs" / "topics" / "speed.md").read_text()
    assert command.insert(text, (root / "benchmarks" / "results" / "latest.md").read_text()) == text


def test_a_machine_that_is_busy_is_said_to_be(tmp_path: Path) -> None:
    machine = describe(tmp_path)
    assert "was busy" in dataclasses.replace(machine, load=2.0).sentences()
    assert "was busy" not in dataclasses.replace(machine, load=0.1).sentences()
