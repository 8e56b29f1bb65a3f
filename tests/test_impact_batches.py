"""The impact on books in Parquet and Arrow: decided in columns, as if decided one by one."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from jsonschema import Draft202012Validator

from agreement import rulebook
from books import book, five_coin_files
from generator import account, moments, rule_files
from generator_requests import folder_with_requests
from policy_engine import PolicyError, Rulebook, Rules
from policy_engine.cli import run
from policy_engine.diff import Changes, compare
from policy_engine.impact import batches as in_batches
from policy_engine.impact import measure, mixed, table
from policy_engine.impact.model import Impact
from policy_engine.shipped import schemas_folder
from portfolios import batch_of

HERE = Path(__file__).parent / "impact"
SCHEMA = json.loads((schemas_folder() / "impact.schema.json").read_text(encoding="utf-8"))
FIVE_COINS = Rulebook(five_coin_files())
PRO = ("2025-01-21T09:59:59Z", "2025-01-21T10:00:00Z")


def without_figures(found: Impact) -> Impact:
    """A report as it is where figures are not compared."""
    counts = found.counts
    alike = counts.identical + counts.reworded + counts.figures
    return replace(
        found,
        counts=replace(counts, identical=0, reworded=0, figures=0, alike=alike),
        distributions=(),
        totals=(),
        assumptions=(),
        compared=False,
    )


def cut(batch: Any, size: int) -> list[Any]:
    return [batch.slice(start, size) for start in range(0, batch.num_rows, size)]


def both_ways(old: Rules, new: Rules, changes: Changes, batches: Sequence[Any]) -> Impact:
    """The report of the one way, which is that of the other but for the figures."""
    one_by_one = measure.impact(old, new, changes, in_batches.rows_of(batches))
    found = in_batches.impact(old, new, changes, batches)
    assert found == without_figures(one_by_one)
    return found


# --- the same report ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "count", "at_threshold"),
    [
        (PRO, 3_000, 0.0),
        (PRO, 3_000, 0.1),
        (PRO, 600, 1.0),
        (("2024-08-01", "2025-01-16"), 800, 0.1),
        (("2026-01-20", "2026-02-01"), 800, 0.1),
        (("2022-06-01", "2026-02-01"), 800, 0.1),
    ],
)
def test_the_report_is_that_of_deciding_one_by_one(
    pair: tuple[str, str], count: int, at_threshold: float
) -> None:
    batch = book(count, 5, at_threshold=at_threshold, strangers=0.03)
    old, new = (FIVE_COINS.in_force(at) for at in pair)
    found = both_ways(old, new, FIVE_COINS.diff(*pair), cut(batch, 1_100))
    assert found.counts.accounts == count
    assert len(found.flips) > 5
    assert found.undetermined_before > 5


@pytest.mark.parametrize("worth", [1, mixed.WORTH_COLUMNS], ids=["mixed", "as-it-is"])
@pytest.mark.parametrize("make", [rule_files, folder_with_requests])
@pytest.mark.parametrize("number", range(3))
def test_generated_rules_give_the_same_report(
    make: Any, number: int, worth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixed, "WORTH_COLUMNS", worth)
    rng = Random(f"impact-{number}")
    documents = make(rng)
    old, new = sides(rng, documents)
    changes = compare(old.versions.values(), new.versions.values(), dates=True)
    batch = batch_of(account(rng, documents) for _ in range(90))
    assert both_ways(old, new, changes, cut(batch, 50)).counts.accounts == 90


def sides(rng: Random, documents: Any) -> list[Rules]:
    """Two states of a generated rule book."""
    folder, found = rulebook(documents), list[Rules]()
    while len(found) < 2:
        at, known_at = moments(rng, documents)
        try:
            found.append(folder.in_force(at, known_at))
        except PolicyError:
            continue
    return found


LINE = {"asset": "BTC", "free": "2", "locked": "0", "borrowed": "1", "interest": "0", "price": "9"}
GOOD = {"account": "A-1", "mode": "pro", "leverage": 5, "region": "FR", "assets": [LINE]}


@pytest.mark.parametrize("left_out", [(), ("at",), ("orders", "loans", "prices")])
def test_rows_of_all_kinds(left_out: tuple[str, ...]) -> None:
    """Without an instant, in error on one side or both, without a name, with one that stands twice;
    more in error than are told."""
    rows: list[dict[str, Any]] = [
        GOOD,
        {**GOOD, "at": "2020-01-01T00:00:00Z"},
        {**GOOD, "account": None},
        {**GOOD, "account": "B-1", "mode": "classic"},
        {**GOOD, "account": "B-2", "mode": "other"},
        {**GOOD, "account": "B-3", "assets": [{**LINE, "price": "-1"}]},
    ]
    rows = [one for _ in range(70) for one in rows]
    for pair in (PRO, ("2022-06-01", "2026-02-01")):
        old, new = (FIVE_COINS.in_force(at) for at in pair)
        found = both_ways(
            old, new, FIVE_COINS.diff(*pair), cut(batch_of(rows, without=left_out), 150)
        )
        assert found.counts.errors > len(found.failures) == measure.MOST_KEPT
        assert [(one.account, one.times) for one in found.repeated] == [
            ("A-1", 140),
            ("B-1", 70),
            ("B-2", 70),
            ("B-3", 70),
        ]


def test_a_permission_that_only_some_accounts_are_told_of() -> None:
    """A version that has not started stands among others: what it offers nobody else is refused."""
    text = (HERE / "rules/house/2025-01-01.yaml").read_text(encoding="utf-8")
    club = text.replace("house", "club").replace('mode == "pro"', 'mode == "classic"')
    later = club.replace("2025-01-01T", "2027-01-01T")
    later = later.replace("  borrow:\n", "  lend: {title: Lending is open}\n  borrow:\n")
    documents = {
        "house/2025-01-01.yaml": text,
        "club/2025-01-01.yaml": club,
        "club/2027-01-01.yaml": later,
    }
    folder = Rulebook(documents.items())
    old = folder.in_force("2025-06-01")
    new = Rules(folder, old.at, None, {**old.versions, "club": folder.version("club@2027-01-01")})
    changes = compare(old.versions.values(), new.versions.values())
    line = {**LINE, "asset": "GOLD"}
    rows = [{**GOOD, "mode": mode, "assets": [line]} for mode in ["pro", "pro", "classic"] * 30]
    found = both_ways(old, new, changes, [batch_of(rows, without=["orders", "leverage"])])
    lend = next(one for one in found.permissions if one.name == "lend")
    assert (lend.gained, lend.still_refused, found.counts.alike) == (30, 0, 60)


# --- the command ----------------------------------------------------------------------------------

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a command line in the folder of the files: its status, stdout and stderr."""

    def command(accounts: Path | str, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(HERE)
        sides = ("2025-05-31", "2025-06-01", "--rules", "rules")
        status = run(["impact", *sides, "--accounts", str(accounts), *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Path]:
    """The book of the folder in every form of a table."""
    lines = (HERE / "accounts.jsonl").read_text(encoding="utf-8").splitlines()
    rows = pa.Table.from_batches([batch_of(map(json.loads, lines))])
    rows = rows.select([n for n in rows.schema.names if n in {"account", "mode", "assets"}])
    paths = {name: tmp_path / f"book.{name}" for name in ("parquet", "arrow", "arrows", "feather")}
    pa.parquet.write_table(rows, paths["parquet"], row_group_size=11)
    pa.feather.write_feather(rows, paths["feather"])
    for name, opened in (("arrow", pa.ipc.new_file), ("arrows", pa.ipc.new_stream)):
        with opened(str(paths[name]), rows.schema) as file:
            file.write_table(rows, 7)
    return paths


@pytest.mark.parametrize("name", ["parquet", "arrow", "arrows", "feather"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_table_gives_the_report_of_its_lines(
    name: str, form: str, told: Told, tables: dict[str, Path]
) -> None:
    words = ("--format", form, "--fail-on", "flipped > 0")
    status, out, err = told(tables[name], *words)
    called = out.replace(str(tables[name]), "accounts.jsonl")
    assert (status, called, err) == told("accounts.jsonl", *words)
    assert status == 1


@pytest.mark.parametrize("name", ["parquet", "arrow", "arrows"])
def test_large_tables_leave_figures_out_unless_asked(
    name: str, told: Told, tables: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tables[name]
    whole = told(path)
    monkeypatch.setattr(table, "FIGURES_UP_TO", 39)
    left_out = told(path)
    assert left_out != whole
    assert "Figures and wordings were not compared" in left_out[1]
    assert "decided the same; figures not compared" in left_out[1]
    assert told(path, "--figures")[1].replace(" --figures", "") == whole[1]
    monkeypatch.setattr(table, "FIGURES_UP_TO", 40)
    assert told(path) == whole
    assert told(path, "--no-figures")[1].replace(" --no-figures", "") == left_out[1]


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_report_says_that_figures_were_left_out(
    form: str, told: Told, tables: dict[str, Path]
) -> None:
    if form == "html":
        pytest.importorskip("jinja2", reason="the extra `book` is not installed")
    _, out, _ = told(tables["parquet"], "--no-figures", "--format", form)
    assert "Figures and wordings were not compared" in " ".join(out.split())
    assert "byte for byte" not in out
    assert "quartile" not in out


def test_json_without_figures_is_as_its_schema_says(told: Told, tables: dict[str, Path]) -> None:
    path = tables["parquet"]
    reports = [
        json.loads(told(path, option, "--format", "json")[1])
        for option in ("--figures", "--no-figures")
    ]
    for report in reports:
        assert list(Draft202012Validator(SCHEMA).iter_errors(report)) == []
        assert sum(report["counts"].values()) == 2 * report["accounts"]
    for name in ("flips", "causes", "permissions", "statuses", "undetermined", "errors"):
        assert reports[0][name] == reports[1][name]
    assert [report["figures_compared"] for report in reports] == [True, False]
    words = shlex.split(reports[1]["command"])
    assert words[words.index("--accounts") + 2] == "--no-figures"


def test_text_is_always_compared(told: Told) -> None:
    status, out, err = told("accounts.jsonl", "--no-figures")
    assert (status, out) == (2, "")
    assert "Parquet or Arrow" in err


# --- what is not right ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**GOOD, "colour": "red"}], "unknown-key: there is no field `colour`"),
        ([{**GOOD, "leverage": 1.5}], "wrong-column-type: `leverage`"),
        ([{"mode": "pro", "assets": [LINE]}], "missing-key: the column `account`"),
    ],
)
@pytest.mark.parametrize("option", ["--figures", "--no-figures"])
def test_columns_that_no_account_has(
    rows: list[Any], said: str, option: str, told: Told, tmp_path: Path
) -> None:
    path = tmp_path / "book.parquet"
    pa.parquet.write_table(pa.Table.from_pylist(rows), path)
    status, out, err = told(path, option)
    assert (status, out) == (2, "")
    assert f"{path}: {said}" in err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no.parquet", b"PAR1 or not", "not-parquet"),
        ("no.arrow", b"ARROW1 or not", "not-arrow"),
        ("no.arrows", b"or not", "not-arrow"),
        ("none.parquet", None, "no-such-file"),
    ],
)
def test_files_that_are_no_tables(
    name: str, content: bytes | None, said: str, told: Told, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    status, out, err = told(path)
    assert (status, out) == (2, "")
    assert f"{path}: {said}: " in err


@pytest.mark.parametrize("cut_at", [0.5, 0.9])
def test_a_stream_that_is_cut_off(cut_at: float, told: Told, tables: dict[str, Path]) -> None:
    content = tables["arrows"].read_bytes()
    tables["arrows"].write_bytes(content[: int(len(content) * cut_at)])
    status, out, err = told(tables["arrows"])
    assert (status, out) == (2, "")
    assert ": cut-off: it is cut off after row " in err


def test_an_empty_table(told: Told, tables: dict[str, Path]) -> None:
    rows = pa.parquet.read_table(tables["parquet"])
    pa.parquet.write_table(rows.slice(0, 0), tables["parquet"])
    status, _, err = told(tables["parquet"])
    assert (status, "empty-book" in err) == (2, True)


@pytest.mark.parametrize("missing", ["numpy", "pyarrow"])
def test_without_the_extra(
    missing: str, told: Told, tables: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for name in ("parquet", "arrow"):
        status, out, err = told(tables[name])
        assert (status, out) == (2, "")
        assert "needs-extra" in err
        assert "pip install 'policy-engine[portfolio]'" in err
    assert told("accounts.jsonl")[0] == 0


NOW = "now: {title: Now, type: instant, from: at}"


@pytest.mark.parametrize("left_out", ["loans", "at"])
def test_an_account_without_an_instant_gets_the_later_one_on_both_sides(left_out: str) -> None:
    """Trading opens between the two, for whom the facts are of then."""
    text = (HERE / "rules/house/2025-01-01.yaml").read_text(encoding="utf-8")
    opening = "{title: Opening, value: 2025-03-01T00:00:00Z, gives: instant, citation: {source: "
    before, trade, after = text.partition("  trade:\n")
    before = before.replace("  account:\n    mode", f"  account:\n    {NOW}\n    mode", 1)
    before = before.replace("parameters:\n", f"parameters:\n  opening: {opening}house_rules}}}}\n")
    text = before + trade + after.replace("cover <= sale_level", "now < opening")
    folder = Rulebook([("house/2025-01-01.yaml", text)])
    old, new = folder.in_force("2025-02-01"), folder.in_force("2025-04-01")
    rows = [{**GOOD, "assets": [{**LINE, "asset": "GOLD"}]}] * 20
    rows += [{**one, "at": "2025-02-01T00:00:00Z"} for one in rows]
    changes = compare(old.versions.values(), new.versions.values())
    found = both_ways(old, new, changes, [batch_of(rows, without=["orders", "leverage", left_out])])
    trading = next(one for one in found.permissions if one.name == "trade")
    early = 0 if left_out == "at" else 20
    assert (trading.kept, trading.still_refused) == (40 - early, early)


def test_lists_of_which_all_are_empty() -> None:
    """Such a column has lines of no type at all; a line that is null is none."""
    rows = [{**GOOD, "orders": []}, {**GOOD, "account": "A-2", "orders": []}] * 20
    batch = pa.RecordBatch.from_pylist(rows)
    assert pa.types.is_null(batch.schema.field("orders").type.value_type)
    old, new = (FIVE_COINS.in_force(at) for at in PRO)
    typed = [batch_of(rows, without=["at", "loans", "prices", "open_order_loss"])]
    found = both_ways(old, new, FIVE_COINS.diff(*PRO), [batch])
    assert found == both_ways(old, new, FIVE_COINS.diff(*PRO), typed)
    assert found.counts.errors == 0
    with_null = [*rows, {**GOOD, "account": "A-3", "orders": [None]}]
    for times in (1, 5):
        batches = [pa.RecordBatch.from_pylist(with_null * times)]
        assert both_ways(old, new, FIVE_COINS.diff(*PRO), batches).counts.errors == times
