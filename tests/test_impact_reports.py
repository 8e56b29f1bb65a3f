"""The reports of `impact`, its conditions, and what it says to books and rules that are not right.

The files `impact/*.txt` hold a command, what it prints and how it ends. `UPDATE_GOLDEN=1 pytest`
writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from policy_engine.books import Row, open_book
from policy_engine.cli import run
from policy_engine.errors import PolicyError, SnapshotError
from policy_engine.impact.conditions import condition
from policy_engine.render.diff_markdown import MOST_BYTES
from policy_engine.shipped import schemas_folder

HERE = Path(__file__).parent / "impact"
GOLDEN = sorted(HERE.glob("*.txt"))
SCHEMA = json.loads((schemas_folder() / "impact.schema.json").read_text(encoding="utf-8"))
SIDES = ("2025-05-31", "2025-06-01")
ACCOUNTS = [json.loads(line) for line in (HERE / "accounts.jsonl").read_text().splitlines()]

HOSTILE = (
    "<script>alert(1)</script>",
    "a | b `c` **d** [e](http://f) ~g~",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe\u2066",
    "=HYPERLINK(1)",
    "+1",
    "-2",
    "@sum",
    "a\u200bb",
    "é\u0301 没有",
    '"quoted" \\ back',
    "```\n# head",
    "x" * 128,
)


@pytest.fixture
def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in the folder of the files: its status, stdout and stderr."""

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(HERE)
        status = run(["impact", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


Told = Callable[..., tuple[int, str, str]]


def on(book: Path | str, *more: str) -> list[str]:
    return [*SIDES, "--accounts", str(book), "--rules", "rules", *more]


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 6


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden(path: Path, told: Told) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    status, out, err = told(*shlex.split(first)[3:])
    given = f"{first}\n{out}--- stderr\n{err}--- exit {status}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(given, encoding="utf-8")
    assert given == path.read_text(encoding="utf-8")


# --- JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("book", ["accounts.jsonl", "broken.jsonl"])
def test_json_is_as_its_schema_says(book: str, told: Told) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    _, out, _ = told(*on(book, "--format", "json"))
    report = json.loads(out)
    assert list(Draft202012Validator(SCHEMA).iter_errors(report)) == []
    assert list(report) == SCHEMA["required"] == list(SCHEMA["properties"])


def test_every_key_of_the_schema_is_described() -> None:
    def undescribed(part: Any, at: str) -> list[str]:
        found = []
        for name, item in part.get("properties", {}).items():
            found += [] if "description" in item else [f"{at}.{name}"]
            found += undescribed(item, f"{at}.{name}")
        inner = [part[key] for key in ("items", "additionalProperties") if key in part]
        for item in inner:
            found += undescribed(item, at) if isinstance(item, dict) else []
        return found

    parts = {"": SCHEMA, **SCHEMA["$defs"]}
    assert [one for name, part in parts.items() for one in undescribed(part, name)] == []


def test_pointers_lead_to_the_changes(told: Told) -> None:
    report = json.loads(told(*on("accounts.jsonl", "--format", "json"))[1])
    assert report["causes"]
    for cause in report["causes"]:
        for pointer in (*cause["changes"], *cause["needs"]):
            part: Any = report
            for step in pointer.split("/")[1:]:
                part = part[int(step)] if isinstance(part, list) else part[step]
            assert part["id"].startswith("house/")
        assert any(
            report["diff"]["changes"][int(pointer.rpartition("/")[2])]["id"].startswith(cause["id"])
            for pointer in cause["changes"]
        )


def test_the_command_at_the_end_gives_the_report_again(told: Told, tmp_path: Path) -> None:
    book = tmp_path / "a book's; $(rm) name.jsonl"
    shutil.copy(HERE / "accounts.jsonl", book)
    _, out, _ = told(*on(book, "--known-at", "2026-01-01", "--format", "json"))
    words = shlex.split(json.loads(out)["command"])
    assert words[:2] == ["policy-engine", "impact"]
    assert told(*words[2:])[1] == out


# --- names ----------------------------------------------------------------------------------------


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A book of accounts with hostile names that all flip, one that is broken, and one twice."""
    flipping = next(one for one in ACCOUNTS if one["account"] == "A-0")
    asset = dict(flipping["assets"][0], asset="GOLD", free="1300", price="1")
    owed = dict(flipping["assets"][1], borrowed="1200", interest="0", free="0")
    made = [{**flipping, "account": name, "assets": [asset, owed]} for name in HOSTILE]
    made += [made[0], {**made[1], "mode": "\x1b[31m<b>`|"}]
    path = tmp_path / "book.jsonl"
    path.write_text("\n".join(map(json.dumps, made)) + "\n", encoding="utf-8")
    return path


HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_hostile_names_steer_nothing(form: str, hostile: Path, told: Told) -> None:
    _, out, err = told(*on(hostile, "--format", form, "--most", "99"))
    assert {c for c in out + err if unicodedata.category(c) in HIDDEN} <= {"\n"}
    if form == "json":
        report = json.loads(out)
        accounts = {flip["account"] for flip in report["flips"]}
        known = {name for name in HOSTILE if not {*map(unicodedata.category, name)} & HIDDEN}
        assert accounts >= known
        return
    for line in out.splitlines():
        if line.startswith("@@"):
            continue  # where a formula stands in the diff
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|| {2,}", line)]
        assert not any(cell.startswith(("=", "@")) or cell in HOSTILE for cell in cells), line
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", out)
    assert ("<script>" in outside_code) == (form == "text")


def test_markdown_is_whole_however_long_the_names(hostile: Path, told: Told) -> None:
    _, out, _ = told(*on(hostile, "--format", "markdown", "--most", "99"))
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert rows
    assert out.count("<details>") == out.count("</details>")
    flips = [line for line in rows if " sale" in line and "cover" in line]
    assert len(flips) >= 5
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in flips}) == 1


def test_markdown_fits_a_comment(told: Told, tmp_path: Path) -> None:
    names = [f"{'x' * 100}{at}" for at in range(2000)]
    book = tmp_path / "book.jsonl"
    worst = json.loads((HERE / "accounts.jsonl").read_text().splitlines()[0])
    book.write_text("".join(json.dumps({**worst, "account": n}) + "\n" for n in [*names, *names]))
    _, out, _ = told(*on(book, "--format", "markdown", "--most", "5000"))
    assert len(out.encode()) < MOST_BYTES
    assert "more; `--format json` has all" in out
    assert out.rstrip().endswith("````")


# --- conditions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("new sale > 0", 1),
        ("new sale > 1000", 0),
        ("new sale >= 100%", 0),
        ("lost trade > 0%", 1),
        ("gained borrow < 1", 1),
        ("errors == 0", 1),
        ("errors != 0", 0),
        ("undetermined > 99%", 0),
        ("flipped>0", 1),
        ("flipped <= 0.5%", 0),
    ],
)
def test_conditions(text: str, status: int, told: Told) -> None:
    ended, _, err = told(*on("accounts.jsonl", "--fail-on", text, "-o", "/dev/null"))
    assert ended == status
    assert (f"--fail-on: {text}: " in err) == bool(status)


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("new sal > 0", "unknown-name", "did you mean `sale`?"),
        ("lost sale > 0", "unknown-name", "there are borrow, trade"),
        ("new > 0", "bad-condition", "new <status>"),
        ("flipped sale > 0", "bad-condition", "takes no name"),
        ("flipt > 0", "bad-condition", "did you mean `flipped`?"),
        ("flipped = 0", "bad-condition", "write `==`"),
        ("flipped => 0", "bad-condition", "there are"),
        ("flipped > many", "bad-condition", "is not a number"),
        ("", "bad-condition", "write `new <status>`"),
        ("flipped > 0 and errors > 0", "bad-condition", "write `new <status>`"),
    ],
)
def test_conditions_that_are_none(text: str, code: str, hint: str, told: Told) -> None:
    status, out, err = told(*on("accounts.jsonl", "--fail-on", text))
    assert (status, out) == (2, "")
    assert f"--fail-on: {code}: " in err
    assert hint in err


def test_a_share_is_compared_exactly() -> None:
    assert condition("lost borrow >= 33.3%").bound == Decimal("33.3")
    assert condition("lost borrow >= 33.3%").share


# --- what is not right ----------------------------------------------------------------------------


def test_a_broken_version_on_one_side(told: Told, tmp_path: Path) -> None:
    shutil.copytree(HERE / "rules", tmp_path / "rules")
    broken = tmp_path / "rules/house/2025-06-01.yaml"
    broken.write_text(broken.read_text().replace("kept_share\n", "kept_shar\n", 1))
    words = ("rules", str(tmp_path / "rules"), "--accounts", "accounts.jsonl", "--at", "2025-06-01")
    status, out, err = told(*words)
    assert (status, out) == (2, "")
    assert "2025-06-01.yaml:" in err
    assert "did you mean `kept_share`?" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2019-01-01", "2025-06-01", "--accounts", "accounts.jsonl"), "no-rules-apply"),
        (("soon", "2025-06-01", "--accounts", "accounts.jsonl"), "OLD: bad-side"),
        (("2025-05-31", "house@2024-01-01", "--accounts", "accounts.jsonl"), "unknown-version"),
        (("2025-05-31", "2025-06-01", "--accounts", "none.jsonl"), "none.jsonl: no-such-file"),
        (("2025-05-31", "2025-06-01", "--accounts", "rules"), "rules: not-a-file"),
    ],
)
def test_bad_input(words: tuple[str, ...], said: str, told: Told) -> None:
    status, out, err = told(*words, "--rules", "rules")
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.jsonl", b"", "empty-book"),
        ("blank.jsonl", b"\n\n  \n", "empty-book"),
        ("list.json", b'[{"account": "A"}]', "not-json-lines"),
        ("pretty.json", b'{\n "account": "A"\n}\n', "not-json-lines"),
        ("empty.csv", b"", "empty-book"),
        ("head.csv", b"account,mode\n", "empty-book"),
        ("other.csv", b"name,mode\nA,pro\n", "missing-key"),
        ("twice.csv", b"account,mode,mode\nA,pro,pro\n", "duplicate-key"),
        ("no.parquet", b"PAR1 or not", "not-parquet"),
    ],
)
def test_books_that_cannot_be_read(
    name: str, content: bytes, code: str, told: Told, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    status, out, err = told(*on(tmp_path / name))
    assert (status, out) == (2, "")
    assert f"{name}: {code}: " in err


def test_rows_that_cannot_be_read_keep_their_lines(tmp_path: Path) -> None:
    good = json.dumps(ACCOUNTS[0]).encode()
    lines = [
        good,
        b"\xff\xfe",
        b"",
        b'{"account": 1e999}',
        b"[" * 100,
        b'"text"',
        b'{"account": "A", "account": "B"}',
        b'{"a": NaN}',
        b'{"account": "\\ud800"}',
        good.replace(b'"A-0"', b"7"),
    ]
    path = tmp_path / "book.jsonl"
    path.write_bytes(b"\r\n".join(lines))
    found = list(open_book(str(path)).rows)
    codes = [(row.line, row.problems[0].code if row.problems else None) for row in found]
    assert codes == [
        (1, None),
        (2, "not-utf8"),
        (4, "bad-number"),
        (5, "too-deep"),
        (6, "not-a-snapshot"),
        (7, "duplicate-key"),
        (8, "bad-number"),
        (9, "not-utf8"),
        (10, None),
    ]
    assert found[-1].end == path.stat().st_size
    assert all(row.problems[0].place.line == row.line for row in found if row.problems)
    assert found[-1].account is None  # a number is no name, and the rules will say so


# --- CSV and Parquet ------------------------------------------------------------------------------


def snapshots(path: Path) -> list[Any]:
    rows = list(open_book(str(path)).rows)
    assert [row.problems for row in rows] == [()] * len(rows)
    return [row.snapshot for row in rows]


WHOLE = {
    "account": 'A, "1"',
    "at": "2025-02-01T12:00:00Z",
    "mode": "pro",
    "leverage": "5",
    "margin_call_ratio": {"pro": "1.4"},
    "questionnaire_completed": True,
    "assets": ACCOUNTS[0]["assets"],
    "prices": {"USDC": "1"},
    "orders": None,
}


def cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


def test_csv_says_the_same_as_json_lines(tmp_path: Path) -> None:
    import csv

    path = tmp_path / "book.csv"
    few = {"account": "B", "mode": "classic", "assets": []}
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(WHOLE)
        writer.writerow(map(cell, WHOLE.values()))
        writer.writerow([cell(few[name]) if name in few else "" for name in WHOLE])
    assert snapshots(path) == [WHOLE, few]


def test_rows_of_csv_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(
        'account,mode,assets\nA,pro,"[]"\nB,pro\n"C\nD",pro,{"a": 1\nE,pro,x\nF,pro,[]\n',
        encoding="utf-8",
    )
    rows = list(open_book(str(path)).rows)
    assert [(row.line, row.problems[0].code if row.problems else None) for row in rows] == [
        (2, None),
        (3, "bad-csv"),
        (4, "bad-json"),
        (6, "bad-json"),
        (7, None),
    ]


def arrow() -> Any:
    return pytest.importorskip("pyarrow", reason="the extra `portfolio` is not installed")


def test_parquet_says_the_same_as_json_lines(tmp_path: Path) -> None:
    pa = arrow()
    import pyarrow.parquet

    lines = [dict(line, free=Decimal("1.50")) for line in ACCOUNTS[0]["assets"]]
    table = pa.Table.from_pylist([{**WHOLE, "leverage": 5, "assets": lines, "orders": []}])
    path = tmp_path / "book.parquet"
    pyarrow.parquet.write_table(table, path)
    (found,) = snapshots(path)
    assert found["assets"] == [dict(line, free="1.5") for line in ACCOUNTS[0]["assets"]]
    assert {**found, "assets": 0} == {**WHOLE, "assets": 0, "orders": []}
    assert open_book(str(path)).length == 1


@pytest.mark.parametrize("inside", [False, True])
def test_binary_fractions_are_refused(inside: bool, tmp_path: Path) -> None:
    pa = arrow()
    import pyarrow.parquet

    lines = [{"asset": "BTC", "free": 1.5 if inside else "1.5"}]
    loss = "1" if inside else 1.0
    path = tmp_path / "book.parquet"
    pyarrow.parquet.write_table(
        pa.Table.from_pylist([{"account": "A", "assets": lines, "open_order_loss": loss}]), path
    )
    with pytest.raises(SnapshotError) as error:
        list(open_book(str(path)).rows)
    assert error.value.code == "float"
    assert ("assets.free" if inside else "open_order_loss") in str(error.value)


def test_parquet_without_what_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(PolicyError) as error:
        open_book(str(path))
    assert error.value.code == "needs-extra"
    assert "policy-engine[portfolio]" in str(error.value)


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    path.write_text(json.dumps(ACCOUNTS[0]) + "\nno row\n")
    rows = open_book(str(path)).rows
    assert isinstance(next(rows), Row)
    path.write_text("")
    assert next(rows).problems
