"""Whole books from file to file: every format, every bad input, resumed runs, processes, SQL."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import books
from books import book
from policy_engine import PolicyError, Rulebook, Rules, SnapshotError
from policy_engine.cli import run as command
from policy_engine.decision import Decision
from policy_engine.portfolio import decide
from policy_engine.portfolio.batches import SMALL, portfolio
from policy_engine.portfolio.files import memory, parts, sources, work
from policy_engine.portfolio.files.run import Order, Watch, run
from policy_engine.portfolio.files.sources import Source
from policy_engine.portfolio.files.tables import open_rows
from policy_engine.portfolio.files.tally import Counted, Tally
from policy_engine.portfolio.rows import snapshots

rules = cache(books.rules)
BAD = Path(__file__).parent / "portfolio" / "bad"
AT = "2025-02-01"
COUNT = 230


def batch(count: int = COUNT) -> pa.RecordBatch:
    return book(count, seed=5, positions=3, at_threshold=0.3, strangers=0.1)


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "TABLE_ROWS", 40)
    monkeypatch.setattr(sources, "TEXT_ROWS", 40)


def written(rows: pa.RecordBatch, path: Path) -> Path:
    """A book as a file of the format of its name."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_batches([rows]), path, row_group_size=70)
    elif path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
            for start in range(0, rows.num_rows, 90):
                writer.write_batch(rows.slice(start, 90))
    elif path.suffix == ".arrows":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, rows.schema) as writer:
            writer.write_batch(rows)
    elif path.suffix == ".jsonl":
        accounts = snapshots(rows, range(rows.num_rows))
        path.write_text("".join(json.dumps(one) + "\n" for one in accounts))
    else:
        path.write_text("".join(comma_separated(rows)))
    return path


def comma_separated(rows: pa.RecordBatch) -> Iterator[str]:
    names = rows.schema.names
    yield ",".join(names) + "\n"
    for one in snapshots(rows, range(rows.num_rows)):
        cells = (one.get(name, "") for name in names)
        texts = (cell if isinstance(cell, str) else json.dumps(cell) for cell in cells)
        yield ",".join('"' + text.replace('"', '""') + '"' for text in texts) + "\n"


def ordered(source: Path, output: Path | None = None, **others: Any) -> Order:
    kind = {".arrows": "arrow"}.get(source.suffix, source.suffix[1:])
    order = Order(Source(str(source), kind), rules(), output)
    if output is not None:
        order = replace(order, format=output.suffix[1:])
    return replace(order, **others)


def told(answer: Any) -> list[dict[str, Any]]:
    """The rows of an answer, doubles only as far as they are sure, however they were decided."""
    return [
        {name: f"{v:.5g}" if isinstance(v, float) else v for name, v in row.items()}
        for row in answer.drop_columns("decided_exactly").to_pylist()
    ]


# --- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows", "jsonl", "csv"])
def test_a_book_is_decided_alike_from_every_format(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / f"book.{ending}")
    finished = run(ordered(source, tmp_path / "answer.parquet"), Watch())
    answer = pq.read_table(tmp_path / "answer.parquet")
    assert told(answer) == told(portfolio(rules()).in_columns(batch()))
    assert finished.tally.accounts == COUNT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.parquet", source.name]


@pytest.mark.parametrize("ending", ["arrow", "jsonl", "csv"])
def test_an_answer_says_the_same_in_every_format(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / "book.parquet")
    outputs = tmp_path / "answer.parquet", tmp_path / f"answer.{ending}"
    for output in outputs:
        run(ordered(source, output), Watch())
    wanted = pq.read_table(outputs[0])
    if ending == "arrow":
        assert pa.ipc.open_file(outputs[1]).read_all().equals(wanted)
    elif ending == "jsonl":
        rows = [json.loads(line) for line in outputs[1].read_text().splitlines()]
        assert [{k: _number(v) for k, v in row.items()} for row in rows] == wanted.to_pylist()
    else:
        names, *lines = outputs[1].read_text().splitlines()
        assert names.replace('"', "").split(",") == wanted.schema.names
        assert len(lines) == COUNT


def _number(value: Any) -> Any:
    return float("inf") if value == "unlimited" else value


def test_rows_in_columns_and_rows_that_stand_alone_keep_their_places(tmp_path: Path) -> None:
    accounts = list(snapshots(batch(30), range(30)))
    accounts[7]["regoin"] = "FR"
    accounts[20]["assets"][0]["free"] = -1
    path = tmp_path / "book.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in accounts))
    finished = run(ordered(path, tmp_path / "answer.arrow"), Watch())
    rows = pa.ipc.open_file(tmp_path / "answer.arrow").read_all().to_pylist()
    assert [row["account"] for row in rows] == [one["account"] for one in accounts]
    assert [n for n, row in enumerate(rows) if row["error"]] == [7, 20]
    assert [row for row, _, _ in finished.tally.wrong] == [8, 21]
    assert "unknown-key" in rows[7]["error"]
    assert "assets[0].free" in rows[20]["error"]


def test_exact_values_are_those_of_the_decisions(tmp_path: Path) -> None:
    source = written(batch(), tmp_path / "book.parquet")
    run(ordered(source, tmp_path / "answer.arrow", exactly=True), Watch())
    rows = pa.ipc.open_file(tmp_path / "answer.arrow").read_all().to_pylist()
    accounts = list(snapshots(batch(), range(COUNT)))
    for row, account in zip(rows, accounts, strict=True):
        decision = rules().decide(account)
        for name in portfolio(rules()).answered.values:
            assert row[name] == exact_text(decision, name)
        assert row["status"] == decision.status


def exact_text(decision: Decision, name: str) -> str | None:
    value = decision.values.get(name)
    return json.loads(decision.to_json())["values"][name] if isinstance(value, Decimal) else None


# --- frames ------------------------------------------------------------------------------------


def test_tables_and_frames_are_decided_as_batches_are() -> None:
    wanted = told(decide(batch(), rules()))
    table = pa.Table.from_batches([batch().slice(0, 100), batch().slice(100)])
    assert isinstance(decide(batch(), rules()), pa.RecordBatch)
    assert told(decide(table, rules())) == wanted


def test_a_file_of_another_library_is_read(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(pa.Table.from_batches([batch()]))
    frame.write_ipc(tmp_path / "book.arrow")
    run(ordered(tmp_path / "book.arrow", tmp_path / "answer.parquet"), Watch())
    answer = pq.read_table(tmp_path / "answer.parquet")
    assert told(answer) == told(decide(batch(), rules()))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_come_through_the_arrow_interface(library: str) -> None:
    frames = pytest.importorskip(library)
    table = pa.Table.from_batches([batch()])
    frame = frames.from_arrow(table) if library == "polars" else table.to_pandas()
    assert told(decide(frame, rules())) == told(decide(batch(), rules()))


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(SnapshotError) as raised:
        decide([{"account": "A-1"}], rules())
    assert raised.value.code == "no-table"


@pytest.mark.parametrize("count", [0, 1, SMALL, SMALL + 1])
def test_small_batches_are_decided_one_by_one_with_the_same_answers(count: int) -> None:
    held, rows = portfolio(rules()), batch(40).slice(3, count)
    alone = held.one_by_one(rows)
    columns = held.in_columns(rows)
    assert told(alone) == told(columns)
    assert alone.schema == columns.schema
    assert all(alone["decided_exactly"].to_pylist())


@pytest.mark.parametrize("count", [0, 1, 100])
def test_a_wrong_column_is_refused_whatever_the_rows(count: int) -> None:
    rows = batch(100).slice(0, count)
    wrong = rows.set_column(5, "vip_level", pa.array([0.5] * count, pa.float64()))
    with pytest.raises(SnapshotError) as raised:
        decide(wrong, rules())
    assert raised.value.problems[0].place.pointer == "vip_level"


# --- bad input ---------------------------------------------------------------------------------


def outcome(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says of a bad book, as its text file has it."""
    status = command(["portfolio", name, "--at", AT, "--format", "json"])
    said = capsys.readouterr()
    wrong = json.loads(said.out)["in_error"] if said.out else []
    lines = [f"row {one['row']}, {one['account']}: {one['error']}" for one in wrong]
    return "\n".join([f"exit {status}", *lines, said.err.rstrip("\n")]).rstrip("\n") + "\n"


BOOKS = sorted(path.name for path in BAD.iterdir() if path.suffix != ".txt")


@pytest.mark.parametrize("name", BOOKS)
def test_bad_books_are_named_by_row_and_column(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BAD)
    assert outcome(name, capsys) == Path(f"{name}.txt").read_text()


def test_every_bad_book_has_its_text() -> None:
    assert {f"{name}.txt" for name in BOOKS} == {path.name for path in BAD.glob("*.txt")}
    assert len(BOOKS) > 10


def _floats(rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows.set_column(3, "leverage", pa.array([3.0] * rows.num_rows))


def _without_mode(rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows.drop_columns("mode")


@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows"])
@pytest.mark.parametrize(
    ("change", "place", "code"),
    [(_floats, "leverage", "wrong-column-type"), (_without_mode, "mode", "missing-key")],
)
def test_wrong_columns_end_it_before_it_begins(
    ending: str, change: Callable[[Any], Any], place: str, code: str, tmp_path: Path
) -> None:
    source = written(change(batch()), tmp_path / f"book.{ending}")
    with pytest.raises(SnapshotError) as raised:
        run(ordered(source, tmp_path / "answer.parquet"), Watch())
    assert [(one.code, one.place.pointer) for one in raised.value.problems] == [(code, place)]
    assert not (tmp_path / "answer.parquet").exists()


@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows"])
def test_a_file_that_is_cut_off_is_told(ending: str, part: float, tmp_path: Path) -> None:
    source = written(batch(), tmp_path / f"book.{ending}")
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(SnapshotError) as raised:
        run(ordered(source, tmp_path / "answer.parquet"), Watch())
    assert raised.value.code in ("not-parquet", "not-arrow", "cut-off")
    assert not (tmp_path / "answer.parquet").exists()


@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows"])
def test_a_table_without_rows_is_told(ending: str, tmp_path: Path) -> None:
    source = written(batch().slice(0, 0), tmp_path / f"book.{ending}")
    with pytest.raises(SnapshotError) as raised:
        run(ordered(source, tmp_path / "answer.parquet"), Watch())
    assert raised.value.code == "empty-book"


def test_damaged_pages_are_told_with_their_rows(tmp_path: Path) -> None:
    source = written(batch(), tmp_path / "book.parquet")
    content = bytearray(source.read_bytes())
    content[200:6000] = bytes(5800)
    source.write_bytes(content)
    with pytest.raises(SnapshotError) as raised:
        run(ordered(source, tmp_path / "answer.parquet"), Watch())
    assert raised.value.code == "cut-off"
    assert raised.value.problems[0].message.startswith("rows 1 to ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere.parquet"], "no-such-file"),
        (["book.parquet", "-o", "answer.txt"], "unknown-format"),
        (["book.parquet", "-o", "book.parquet"], "cannot-write"),
        (["book.parquet", "-o", "folder"], "cannot-write"),
        (["book.parquet", "-o", "nowhere/answer.parquet"], "cannot-write"),
        (["book.parquet", "-o", "-"], "-o takes a file"),
        (["book.parquet", "--format", "csv"], "there is no --sql"),
        (["book.parquet", "--sql", "select nothing from results"], "bad-sql"),
        (["book.parquet", "--sql", "select * from read_csv('/etc/passwd')"], "bad-sql"),
        (["book.parquet", "--processes", "0"], "--processes"),
    ],
)
def test_what_cannot_be_asked_is_said(
    arguments: list[str],
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    written(batch(20), tmp_path / "book.parquet")
    (tmp_path / "folder").mkdir()
    assert command(["portfolio", *arguments, "--at", AT]) == 2
    assert code in capsys.readouterr().err


# --- summaries and SQL -------------------------------------------------------------------------


def test_a_summary_counts_what_the_answer_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / "book.parquet")
    tally = run(ordered(source, tmp_path / "answer.parquet"), Watch()).tally
    rows = pq.read_table(tmp_path / "answer.parquet").to_pylist()
    names = {row["status"] for row in rows}
    counts = {name: sum(row["status"] == name for row in rows) for name in names}
    assert tally.undetermined["status"] == counts.pop(None, 0)
    assert dict(tally.statuses) == counts
    assert tally.exactly == sum(row["decided_exactly"] for row in rows)
    assert tally == Counted(portfolio(rules())).of(decide(batch(), rules()), 0)
    worst = [row for row in rows if row["status"] == "liquidation"]
    lowest = sorted(row["margin_level"] for row in worst)[:10]
    assert [one.level for one in tally.worst] == lowest
    assert all(rows[one.row - 1]["account"] == one.account for one in tally.worst)


def test_a_tally_is_the_same_from_json() -> None:
    tally = Counted(portfolio(rules())).of(decide(batch(), rules()), 0)
    assert Tally.of_dict(json.loads(json.dumps(tally.to_dict()))) == tally


def test_sql_asks_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb")
    small_parts(monkeypatch)
    monkeypatch.chdir(tmp_path)
    source = written(batch(), tmp_path / "book.parquet")
    query = "select status, count(*) as n from results group by status order by n desc"
    tally = run(ordered(source), Watch()).tally
    found = run(ordered(source, query=query), Watch()).found
    assert found is not None
    assert found.columns == ("status", "n")
    assert {name: n for name, n in found.rows if name is not None} == dict(tally.statuses)
    printed = ["portfolio", "book.parquet", "--at", AT, "--sql", "select 1.50::decimal(9,2) as x"]
    for format, wanted in (("csv", "x\n1.5\n"), ("text", "  x\n1.5\n")):
        assert command([*printed, "--format", format]) == 0
        assert capsys.readouterr().out == wanted
    assert command([*printed, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"x": "1.5"}]


# --- processes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_processes_change_no_byte(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / f"book.{ending}")
    alone, both = tmp_path / "alone.parquet", tmp_path / "both.parquet"
    first = run(ordered(source, alone), Watch())
    second = run(ordered(source, both, processes=2), Watch())
    assert alone.read_bytes() == both.read_bytes()
    assert first.tally == second.tally


def _die(task: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / "book.parquet")
    real, order = work._do, ordered(source, tmp_path / "answer.parquet", processes=2)
    monkeypatch.setattr(work, "_do", _die)
    with pytest.raises(PolicyError) as raised:
        run(order, Watch())
    monkeypatch.setattr(work, "_do", real)
    assert raised.value.code == "process-died"
    assert not (tmp_path / "answer.parquet").exists()
    assert run(ordered(source, tmp_path / "answer.parquet"), Watch()).tally.accounts == COUNT


# --- runs that are ended early -----------------------------------------------------------------


def stopped(order: Order, after: int, keep_after: float = 0.0) -> None:
    """A run that ends after so many parts."""

    def progress(rows: int, of: int | None) -> None:
        if rows >= after * 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(replace(order, keep_after=keep_after), Watch(progress))


def test_of_a_short_run_nothing_is_kept_and_of_one_gone_on_with_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    output = tmp_path / "answer.parquet"
    order = ordered(written(batch(), tmp_path / "book.parquet"), output)
    stopped(order, after=3, keep_after=60.0)
    assert not parts.kept(output)
    stopped(order, after=3, keep_after=60.0)
    assert parts.kept(output)
    finished = run(order, Watch())
    assert finished.taken_over >= 40
    wanted = tmp_path / "wanted.parquet"
    run(replace(order, output=wanted), Watch())
    assert output.read_bytes() == wanted.read_bytes()


@pytest.mark.parametrize("interrupted", [False, True])
def test_an_interrupted_command_says_whether_it_can_go_on(
    interrupted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small_parts(monkeypatch)
    monkeypatch.chdir(tmp_path)
    source = written(batch(), tmp_path / "book.parquet")
    order = Order(Source(source.name, "parquet"), rules_as_shipped(), Path("answer.parquet"))
    if interrupted:
        stopped(order, after=3)

    def stop(self: parts.Parts, done: parts.Done) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parts.Parts, "note", stop)
    assert command(["portfolio", source.name, "-o", "answer.parquet", "--at", AT]) == 130
    told = capsys.readouterr().err.split("\n\n")[0].splitlines()[-1]
    assert told == f"stopped; {LEFT[interrupted]}"


LEFT = {
    True: "run it again to go on from here",
    False: "it was too short for anything to be kept, so it begins anew when it is run again",
}


@cache
def rules_as_shipped() -> Rules:
    return Rulebook.load().in_force(AT)


@pytest.mark.parametrize("ending", ["parquet", "arrows", "jsonl"])
def test_a_run_goes_on_where_it_was_ended(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / f"book.{ending}")
    wanted = run(ordered(source, tmp_path / "wanted.parquet"), Watch())
    order = ordered(source, tmp_path / "answer.parquet")
    stopped(order, after=3)
    assert not (tmp_path / "answer.parquet").exists()
    said: list[str] = []
    finished = run(order, Watch(say=said.append))
    assert (finished.taken_over, finished.tally) == (120, wanted.tally)
    assert said == ["going on: 120 accounts had been decided before"]
    assert (tmp_path / "answer.parquet").read_bytes() == (tmp_path / "wanted.parquet").read_bytes()


CHANGES: dict[str, Callable[[Order, Path], Order]] = {
    "the accounts": lambda order, path: (written(batch(300), path), order)[1],
    "the rules, --at": lambda order, path: replace(order, rules=rules("2025-12-01T00:00:00Z")),
    "--exact": lambda order, path: replace(order, exactly=True),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_run_of_something_else_starts_anew_and_says_so(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / "book.parquet")
    order = ordered(source, tmp_path / "answer.parquet")
    stopped(order, after=2)
    changed = CHANGES[what](order, source)
    said: list[str] = []
    finished = run(changed, Watch(say=said.append))
    assert finished.taken_over == 0
    assert said == [f"a run begun before is dropped, this one starts anew: changed: {what}"]
    fresh = replace(changed, output=tmp_path / "fresh.parquet")
    run(fresh, Watch())
    assert (tmp_path / "answer.parquet").read_bytes() == (tmp_path / "fresh.parquet").read_bytes()


def test_a_part_that_was_damaged_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / "book.parquet")
    run(ordered(source, tmp_path / "wanted.parquet"), Watch())
    order = ordered(source, tmp_path / "answer.parquet")
    stopped(order, after=3)
    folder = tmp_path / "answer.parquet.unfinished"
    damaged = folder / "part-000001.arrow"
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"otherwise")
    with (folder / "journal.jsonl").open("a") as journal:
        journal.write('{"number": 4, "che')
    assert run(order, Watch()).taken_over == 80
    assert (tmp_path / "answer.parquet").read_bytes() == (tmp_path / "wanted.parquet").read_bytes()


def test_a_book_that_changes_meanwhile_gives_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    source = written(batch(), tmp_path / "book.jsonl")

    def progress(rows: int, of: int | None) -> None:
        os.utime(source, ns=(1, 1))

    with pytest.raises(PolicyError) as raised:
        run(ordered(source, tmp_path / "answer.parquet"), Watch(progress))
    assert raised.value.code == "changed"
    assert not (tmp_path / "answer.parquet").exists()


def test_two_runs_do_not_write_one_answer(tmp_path: Path) -> None:
    source = written(batch(20), tmp_path / "book.parquet")
    order = ordered(source, tmp_path / "answer.parquet")
    with parts.parts_beside(tmp_path / "answer.parquet"), pytest.raises(PolicyError) as raised:
        run(order, Watch())
    assert raised.value.code == "in-use"


def test_a_killed_run_is_gone_on_with_to_the_same_bytes(tmp_path: Path) -> None:
    """Twenty times: at a moment of writing, renaming or taking away, or just any time."""
    script = Path(__file__).with_name("killed_runs.py")
    paths = os.pathsep.join([str(script.parent), str(script.parent.parent)])
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "20 runs killed, all gone on with to the same bytes"


# --- rows of files -----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_rows_are_read_from_wherever_they_are_asked_for(ending: str, tmp_path: Path) -> None:
    rows = open_rows(written(batch(), tmp_path / f"book.{ending}"), ending)
    names = batch()["account"].to_pylist()
    for start, count in ((0, 10), (10, 90), (150, 80), (20, 60), (20, 1), (69, 2), (0, COUNT)):
        taken = rows.take(start, count)
        assert taken["account"].to_pylist() == names[start : start + count]
        assert taken.num_rows == min(count, COUNT - start)


def test_amounts_may_be_texts_in_a_table(tmp_path: Path) -> None:
    lines = pa.StructArray.from_arrays(
        [pa.array(["BTC"]), *(pa.array([text]) for text in ("2", "0", "1", "0", "10000"))],
        names=["asset", "free", "locked", "borrowed", "interest", "price"],
    )
    rows = pa.RecordBatch.from_pydict(
        {
            "account": pa.array(["A-1"]),
            "mode": pa.array(["pro"]),
            "assets": pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), lines),
        }
    )
    source = written(rows, tmp_path / "book.parquet")
    tally = run(ordered(source), Watch()).tally
    assert (tally.accounts, tally.errors) == (1, 0)


def test_without_an_instant_a_run_goes_on_at_that_of_the_run_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_parts(monkeypatch)
    monkeypatch.chdir(tmp_path)
    written(batch(), tmp_path / "book.parquet")
    begun = Rulebook.load().in_force("2025-02-03T04:05:06Z")
    stopped(Order(Source("book.parquet", "parquet"), begun, Path("answer.csv"), "csv"), after=2)
    assert command(["portfolio", "book.parquet", "-o", "answer.csv"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "at: 2025-02-03T04:05:06Z, as the run begun before",
        "going on: 80 accounts had been decided before",
    ]


def test_a_full_disk_is_told_and_what_is_done_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    order = ordered(written(batch(), tmp_path / "book.parquet"), tmp_path / "answer.parquet")
    order = replace(order, keep_after=0.0)
    real = parts.Parts.write

    def write(self: parts.Parts, number: int, answer: pa.RecordBatch) -> int:
        if number == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, number, answer)

    monkeypatch.setattr(parts.Parts, "write", write)
    with pytest.raises(PolicyError) as raised:
        run(order, Watch())
    assert raised.value.problems[0].message == "not written: no space left on device"
    monkeypatch.setattr(parts.Parts, "write", real)
    assert run(order, Watch()).taken_over >= 120  # what was under way beside it is kept too


class _OtherLibrary:
    """A C library that has nothing to say of how memory is kept."""


@pytest.mark.parametrize("failure", [None, OSError, TypeError])
def test_without_glibc_memory_is_kept_as_ever(
    failure: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def library(name: None) -> _OtherLibrary:
        if failure is not None:
            raise failure
        return _OtherLibrary()

    monkeypatch.setattr("ctypes.CDLL", library)
    memory.keep_freed()


def test_memory_that_is_freed_is_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[int, int] = {}
    library = SimpleNamespace(mallopt=told.__setitem__)
    monkeypatch.setattr("ctypes.CDLL", lambda name: library)
    memory.keep_freed()
    assert told == {-1: 256 * 2**20, -3: 32 * 2**20}
