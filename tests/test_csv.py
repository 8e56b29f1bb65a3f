"""Figures as CSV: what goes out comes back the same, and no spreadsheet runs a cell of it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import PolicyError, Rulebook, cli
from policy_engine.authoring.cells import read_csv, to_csv
from policy_engine.authoring.csv_figures import SECTIONS, Figures
from policy_engine.authoring.csv_rules import figures_csv, figures_from_csv, figures_of
from policy_engine.document.text import HIDDEN
from policy_engine.model import Version
from policy_engine.numbers import number, plain
from policy_engine.shipped import rules_folder
from policy_engine.sources.exports import EXPORTS

BOOK = Rulebook.load()
PARTS = [
    (version, name)
    for version in BOOK.versions
    for section in SECTIONS
    for name in version.document.get(section, {})
]
RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
said = texts.filter(lambda text: not HIDDEN.search(text) and text.strip())
risky = st.one_of(
    said, st.builds(lambda sign, text: sign + text, st.sampled_from("=+-@\t'\"; ,"), said)
)
decimals = st.decimals(-(10**15), 10**15, places=8).map(plain)
ratios = st.one_of(decimals, st.decimals(0, 200, places=4).map(lambda one: f"{plain(one)}%"))


# --- cells ---------------------------------------------------------------------------------------


@given(st.lists(st.lists(risky, min_size=3, max_size=3), min_size=1, max_size=6))
def test_cells_come_back(rows: list[list[str]]) -> None:
    head = ["a", "b", "c"]
    sheet = read_csv(to_csv([head, *rows]), "x.csv")
    assert [[line[name].text for name in head] for line in sheet.lines] == rows


@given(st.lists(risky, min_size=1, max_size=6))
def test_no_cell_starts_as_a_formula(row: list[str]) -> None:
    """As Python's own reader sees the cells, and so as a spreadsheet does."""
    (cells,) = csv.reader(io.StringIO(to_csv([row]), newline=""))
    assert [cell for cell in cells if cell.startswith(RUN)] == []
    assert len(cells) == len(row)


# --- figures -------------------------------------------------------------------------------------


def test_there_are_figures() -> None:
    assert len(PARTS) > 40


@pytest.mark.parametrize(("version", "name"), PARTS, ids=lambda one: getattr(one, "id", one))
def test_shipped_figures_come_back(version: Version, name: str) -> None:
    figures = figures_of(version, name)
    made = figures_from_csv(figures_csv(figures), "x.csv", figures)
    for row in made if isinstance(made, list) else []:
        row["value"] = {True: "true", False: "false"}.get(row["value"], row["value"])
    assert made == figures.part[figures.key]


def meant(held: Any) -> Any:
    """Tiers or rows with their numbers as they are meant: 80% is 0.8."""
    if isinstance(held, dict):
        return {key: meant(item) for key, item in held.items()}
    if isinstance(held, list):
        return [meant(item) for item in held]
    try:
        return number(held)
    except ValueError:
        return str(held)


@given(
    st.dictionaries(
        risky,
        st.lists(
            st.fixed_dictionaries({"to": decimals, "initial": ratios, "amount": decimals}),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_tiers_come_back(tiers: dict[str, list[dict[str, str]]]) -> None:
    columns = {"initial": "ratio", "amount": "USDT"}
    figures = Figures(
        "scales", "s", {"by": "text", "in": "USDT", "columns": columns, "tiers": tiers}
    )
    made = figures_from_csv(figures_csv(figures), "x.csv", figures)
    assert list(made) == list(tiers)
    assert meant(list(made.values())) == meant(list(tiers.values()))


def with_line(citation: dict[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """A citation, with a line too where it has a quote."""
    lines = st.integers(1, 9999).map(lambda line: citation | {"line": str(line)})
    return st.one_of(st.just(citation), lines) if "quote" in citation else st.just(citation)


rows = st.lists(
    st.fixed_dictionaries(
        {
            "value": st.one_of(ratios, st.sampled_from(["unlimited", "undetermined"])),
            "when": st.lists(st.tuples(risky, decimals).map(list), min_size=1, max_size=3),
        },
        optional={
            "because": risky,
            "note": risky,
            "citation": st.fixed_dictionaries(
                {"source": st.just("faq")}, optional={"quote": risky}
            ).flatmap(with_line),
            "assumes": st.lists(st.sampled_from(["one", "two"]), min_size=1, unique=True),
        },
    ),
    max_size=5,
)


@given(rows)
@settings(deadline=None)
def test_any_rows_come_back(held: list[dict[str, Any]]) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in held:
        row["when"] = [key for key in row["when"] if tuple(key) not in seen]
        row["when"] = [list(key) for key in dict.fromkeys(map(tuple, row["when"]))]
        seen |= set(map(tuple, row["when"]))
    held = [row for row in held if row["when"]]
    part = {"by": ["text", "number"], "unit": "ratio", "rows": held}
    figures = Figures("tables", "t", part)
    made = figures_from_csv(figures_csv(figures), "x.csv", figures)
    as_texts = [{**row, "when": [list(map(str, key)) for key in row["when"]]} for row in made]
    assert meant(as_texts) == meant(held)


def test_decimals_keep_every_digit() -> None:
    tiers = [{"to": "123456789012345678.000000000000000001", "rate": "0.000000000000000001"}]
    figures = Figures("scales", "s", {"in": "USDT", "unit": "ratio", "tiers": tiers})
    text = figures_csv(figures)
    assert text.splitlines()[0] == "to (USDT),rate (ratio)"
    assert figures_from_csv(text, "x.csv", figures) == tiers


def test_percent_is_told_in_the_head() -> None:
    part = {"in": "USDT", "unit": "ratio", "tiers": [{"to": "1", "rate": "80%"}]}
    figures = Figures("scales", "s", part)
    assert figures_csv(figures) == "to (USDT),rate (%)\n1,80\n"
    for text in (
        "to (USDT),rate (%)\n1,80\n",
        "rate (ratio);to (USDT)\r\n0.8;1\r\n\r\n",
        "\ufeffto (USDT),rate (%)\n1,80",
    ):
        assert meant(figures_from_csv(text, "x.csv", figures)) == [
            {"to": Decimal(1), "rate": Decimal("0.8")}
        ]


SCALE = Figures(
    "scales",
    "s",
    {"by": "text", "in": "USDT", "unit": "ratio", "tiers": {"A": [{"to": "1", "rate": "80%"}]}},
)
TABLE = Figures(
    "tables", "t", {"by": "text", "unit": "ratio", "rows": [{"value": "1", "when": ["A"]}]}
)
HEAD = "key (text),to (USDT),rate (%)\n"
BAD = [
    (SCALE, "", "x.csv: empty-file: the file has no cells"),
    (SCALE, HEAD, "x.csv:1:1: empty-file: there are no tiers below this line"),
    (
        SCALE,
        "key (text),to (USDT),rate\nA,1,80\n",
        "x.csv:1:22: no-unit: the column `rate` does not say what it is in",
    ),
    (SCALE, HEAD + "A,1,80%\n", "x.csv:2:5: bad-number: `80%` is not a number"),
    (SCALE, HEAD + 'A,"1,000",80\n', "x.csv:2:3: bad-number: `1,000` is not a number"),
    (SCALE, HEAD + "A,1E+6,80\n", "x.csv:2:3: bad-number: `1E+6` is not a number"),
    (SCALE, HEAD + "A,,80\n", "x.csv:2:3: bad-number: the number is empty"),
    (
        SCALE,
        HEAD + "A,1,80,\n",
        "x.csv:2:1: cell-count: this line has 4 cells, and the first line 3",
    ),
    (SCALE, HEAD + 'A,"1,80\n', "x.csv:2:3: bad-quotes: these quotes are never closed"),
    (SCALE, HEAD + 'A,"1"2,80\n', "x.csv:2:3: bad-quotes: text follows the quotes"),
    (
        SCALE,
        HEAD + "A,1,80\nB,1,80\nA,2,70\n",
        "x.csv:4:1: key-again: tiers of `A` stand here again, after those of `B`",
    ),
    (
        SCALE,
        "key (text),to (USDT),rates (%)\nA,1,80\n",
        "x.csv:1:22: unknown-column: there is no column `rates (%)`",
    ),
    (
        SCALE,
        "to (USDT),rate (%)\n1,80\n",
        "x.csv:1:1: missing-column: the column `key (text)` is missing",
    ),
    (
        SCALE,
        "to (USDT),to (USDT)\n",
        "x.csv:1:11: duplicate-key: the column `to (USDT)` stands here twice",
    ),
    (
        TABLE,
        "key (text),value (ratio)\nA,1\nA,2\n",
        "x.csv:3:1: duplicate-key: `A` is here already, on line 2",
    ),
    (
        TABLE,
        "key (text),value (ratio)\n,1\n",
        "x.csv:2:1: empty-cell: there is nothing under `key (text)`",
    ),
    (
        TABLE,
        "key (text),value (ratio),quote\nA,1,words\n",
        "x.csv:2:5: missing-source: a quote stands here without its source",
    ),
    (
        TABLE,
        "key (text),value (ratio),source,line\nA,1,faq,12\n",
        "x.csv:2:9: missing-quote: a line stands here without its quote",
    ),
    (
        TABLE,
        "key (text),value (ratio),source,quote,line\nA,1,faq,words,12.5\n",
        "x.csv:2:15: bad-number: `12.5` is not the number of a line",
    ),
]


@pytest.mark.parametrize(("figures", "text", "message"), BAD, ids=lambda one: str(one)[:40])
def test_what_is_wrong_is_told(figures: Figures, text: str, message: str) -> None:
    with pytest.raises(PolicyError) as error:
        figures_from_csv(text, "x.csv", figures)
    assert message in [str(problem) for problem in error.value.problems]
    assert all(problem.hint for problem in error.value.problems)


# --- commands ------------------------------------------------------------------------------------


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to write to."""
    return shutil.copytree(rules_folder(), tmp_path / "rules")


def test_a_table_goes_out_and_comes_back(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One more country is capped: one line of the file differs, and the diff says no more."""
    sheet, made = tmp_path / "caps.csv", rules / "cross_margin_pro/2026-12-01.yaml"
    where = ("--rules", str(rules))
    assert (
        cli.run(["export", "cross_margin_pro@2026-01-21", "max_leverage", "-o", str(sheet), *where])
        == 0
    )
    sheet.write_text(
        sheet.read_text(encoding="utf-8").replace("AE,10\n", "AE,10\nAR,10\n"), encoding="utf-8"
    )
    options = (
        "--from",
        "csv",
        "--of",
        "cross_margin_pro",
        "max_leverage",
        "--effective-from",
        "2026-12-01",
        "--announced-at",
        "2026-11-20",
    )
    command = ["import", str(sheet), *options, "--summary", "Argentina is capped.", *where]
    assert cli.run([*command, "-o", str(made)]) == 0
    shown = capsys.readouterr().err
    assert "New          AR\n" in shown
    assert "19 keys of the table `max_leverage`" in shown
    before = (rules / "cross_margin_pro/2026-01-21.yaml").read_text(encoding="utf-8").splitlines()
    after = made.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if line not in before] == [
        "effective_from: 2026-12-01T00:00:00Z",
        "announced_at: 2026-11-20T00:00:00Z",
        "summary: Argentina is capped.",
        *[line for line in after if "AR, AT" in line],
    ]
    assert cli.run([*command, "-o", str(made)]) == 2
    assert "file-exists" in capsys.readouterr().err


def test_what_would_not_pass_is_not_written(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "t.csv"
    sheet.write_text("key (text),to (USDT),rate (%)\n6,200,80\n6,100,70\n", encoding="utf-8")
    options = (
        "--from",
        "csv",
        "--of",
        "collateral",
        "collateral_ratio",
        "--effective-from",
        "2026-12-01",
    )
    made = tmp_path / "made.yaml"
    assert (
        cli.run(
            [
                "import",
                str(sheet),
                *options,
                "--summary",
                "x",
                "--rules",
                str(rules),
                "-o",
                str(made),
            ]
        )
        == 1
    )
    assert "tier-order" in capsys.readouterr().err
    assert not made.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "collateral"], "say which figures: NAME is one of"),
        (["export", "collateral", "collateral_ratios"], "did you mean `collateral_ratio`?"),
        (["export", "collaterall", "x"], "did you mean `collateral`?"),
        (["export", "collateral@2026-01-22", "x"], "there is no version `collateral@2026-01-22`"),
        (
            ["export", "collateral", "x", "--at", "2020-01-01"],
            "no version of `collateral` is in force then",
        ),
        (["export", "cross_margin_pro", "--as", "binance"], "holds no figures that the API gives"),
        (["export", "collateral", "x", "--as", "binance"], "binance is given whole rulesets"),
        (["import", "x.csv", "--from", "csv"], "say from when these rules are in force"),
        (
            ["import", "x.csv", "--from", "csv", "--effective-from", "2027-01-01"],
            "--of RULESET NAME",
        ),
        (["import", "x.json", "--from", "binance", "--summary", "x"], "go with --from csv"),
    ],
    ids=str,
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    assert message in capsys.readouterr().err


# --- the exchange's JSON -------------------------------------------------------------------------

IMPORTS = Path(__file__).resolve().parent / "imports"
IMPORT = ("--from", "binance", "--effective-from", "2026-12-02", "--fetched-on", "2026-12-01")


def imported(response: Path, rules: Path, name: str) -> Version:
    """The version that a response becomes, in force in a folder of rules."""
    path = rules / name / "2026-12-02.yaml"
    path.unlink(missing_ok=True)
    codes = ("amount-mismatch", "ratio-missing", "rates-disorder")
    accepted = [option for code in codes for option in ("--accept", code)]
    status = cli.run(
        ["import", str(response), *IMPORT, *accepted, "--rules", str(rules), "-o", str(path)]
    )
    assert status == 0
    return Rulebook.load(rules).version(f"{name}@2026-12-02")


@pytest.mark.parametrize(
    ("response", "ruleset"), [("brackets", "position_brackets"), ("ratios", "collateral")]
)
def test_a_response_comes_back(response: str, ruleset: str, tmp_path: Path) -> None:
    rules = shutil.copytree(IMPORTS / "rules", tmp_path / "rules")
    first = imported(IMPORTS / f"{response}.json", rules, ruleset)
    back = tmp_path / "back.json"
    assert (
        cli.run(["export", first.id, "--as", "binance", "--rules", str(rules), "-o", str(back)])
        == 0
    )
    again = imported(back, rules, ruleset)
    assert again.scales.keys() == first.scales.keys()
    for name, scale in first.scales.items():
        assert again.scales[name].tiers == scale.tiers
        assert again.scales[name].above_last == scale.above_last
    for name, table in first.tables.items():
        assert again.tables[name].rows == table.rows
    assert json.loads(EXPORTS["binance"](again)) == json.loads(back.read_text(encoding="utf-8"))


def test_what_was_found_before_keeps_nothing_from_being_written(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = rules / "cross_margin_pro/2026-01-21.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("    value: 1.3\n", "    value: 1.35\n"), encoding="utf-8")
    sheet, made = tmp_path / "caps.csv", rules / "cross_margin_pro/2026-12-01.yaml"
    where = ("--rules", str(rules))
    cli.run(["export", "cross_margin_pro@2026-01-21", "max_leverage", "-o", str(sheet), *where])
    of = ("--from", "csv", "--of", "cross_margin_pro", "max_leverage", "--summary", "x")
    when = ("--effective-from", "2026-12-01", "--announced-at", "2026-11-20")
    assert cli.run(["import", str(sheet), *of, *when, *where, "-o", str(made)]) == 0
    assert "nothing: every value is as before" in capsys.readouterr().err
    assert cli.run(["check", *where]) == 1
    assert capsys.readouterr().out.count("value-not-in-quote") == 2
