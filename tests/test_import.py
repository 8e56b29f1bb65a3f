"""`import`: what responses become, what is told of them, and what is refused.

The files `imports/**/*.txt` hold a command, what it prints and how it ends. `UPDATE_GOLDEN=1
pytest` writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import Rulebook, RulesError, cli
from policy_engine.document import read_json
from policy_engine.model import Version
from policy_engine.render.yaml import to_yaml
from policy_engine.rulebook import rule_texts
from policy_engine.shipped import rules_folder
from policy_engine.sources import Part
from policy_engine.sources.imports import IMPORTS
from policy_engine.sources.understood import ACCEPTABLE, Imported, OfRules, Terms

HERE = Path(__file__).resolve().parent
IMPORTS_FOLDER = HERE / "imports"
RULES = IMPORTS_FOLDER / "rules"
SAMPLES = HERE.parents[1] / "shared/data/binance"
AT = datetime(2026, 11, 22, tzinfo=UTC)
OPTIONS = ("--from", "binance", "--effective-from", "2026-11-22", "--fetched-on", "2026-11-21")
ANNOUNCED = ("--announced-at", "2026-11-20T08:00:00Z")
WRITTEN: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "brackets": ("position_brackets", ("brackets.json",), ANNOUNCED),
    "ratios": ("collateral", ("ratios.json",), ()),
    "limits": ("coin_limits", ("limits_vip_0.json", "limits_vip_1.json"), ()),
}
"""The rule files written by hand: ruleset, responses, and options more."""


class Ran:
    """A command line that has ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Any:
    """Run `import` in this process."""

    def ran(*arguments: Any) -> Ran:
        status = cli.run(["import", *map(str, arguments)])
        return Ran(status, *capfd.readouterr())

    return ran


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the small rules, to write to."""
    return shutil.copytree(RULES, tmp_path / "rules")


def part(text: str) -> Part:
    """A response as its file would give it."""
    return Part(read_json(text, "response.json"), "response.json")


def kind_of(text: str) -> OfRules:
    """What kind of response a text is."""
    kind = IMPORTS["binance"]([part(text)])
    assert isinstance(kind, OfRules)
    return kind


def read(text: str, accepted: frozenset[str] = frozenset()) -> Imported:
    """What a response becomes after the small rules."""
    kind = kind_of(text)
    before = Rulebook.load(RULES).in_force(AT).versions[kind.ruleset]
    return kind.version([part(text)], before, Terms(AT, None, "2026-11-21", accepted))


def book(*made: Imported) -> Rulebook:
    """The small rules with imported versions, by way of their YAML."""
    added = [(f"{one.document['ruleset']}/2026-11-22.yaml", to_yaml(one.document)) for one in made]
    return Rulebook([*rule_texts(RULES), *added])


def imported_version(made: Imported) -> Version:
    """The version that a response became, read back from its YAML."""
    return book(made).version(f"{made.document['ruleset']}@2026-11-22")


# --- commands -------------------------------------------------------------------------------------


def golden_files() -> list[Path]:
    """The files that hold a command, of which there are many."""
    found = sorted(IMPORTS_FOLDER.glob("**/*.txt"))
    assert len(found) > 35
    return found


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_golden(
    path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    monkeypatch.chdir(IMPORTS_FOLDER)
    status = cli.run(shlex.split(first.removeprefix("$ policy-engine ")))
    out, err = capfd.readouterr()
    given = f"{first}\n{out}--- stderr\n{err}--- exit {status}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(given, encoding="utf-8")
    assert given == path.read_text(encoding="utf-8")


def test_every_response_that_is_bad_has_its_words() -> None:
    bad = IMPORTS_FOLDER / "bad"
    assert {path.stem for path in bad.glob("*.json")} == {path.stem for path in bad.glob("*.txt")}


def test_every_problem_has_a_file_and_a_hint_and_no_word_of_python() -> None:
    for path in IMPORTS_FOLDER.glob("bad/*.txt"):
        text = path.read_text(encoding="utf-8")
        problems = [line for line in text.splitlines() if line.startswith(("bad/", "rules/"))]
        assert text.count("  hint: ") == len(problems) > 0
        assert not any(word in text for word in ("Decimal", "None", "dict", "Traceback"))


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_printed_is_the_file_written_by_hand(name: str, run: Any) -> None:
    _, files, more = WRITTEN[name]
    paths = [IMPORTS_FOLDER / file for file in files]
    ran = run(*paths, *OPTIONS, *more, "--rules", RULES)
    assert ran.out == (IMPORTS_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert ran.status == 0


def test_the_file_is_written_whole_and_the_rules_with_it_are_sound(run: Any, rules: Path) -> None:
    for name, (ruleset, files, _) in WRITTEN.items():
        path = rules / ruleset / "2026-11-22.yaml"
        ran = run(*(IMPORTS_FOLDER / f for f in files), *OPTIONS, "--rules", rules, "-o", path)
        assert (ran.status, ran.out) == (0, "")
        assert f"written: {path.as_posix()}\n" in ran.err
        assert path.read_text(encoding="utf-8").count("\n") > 20, name
    assert cli.run(["check", "--rules", str(rules)]) == 0


def test_what_follows_at_once_runs_as_it_is_told(
    run: Any, rules: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(rules.parent)
    path = "rules/position_brackets/2026-11-22.yaml"
    ran = run(IMPORTS_FOLDER / "brackets.json", *OPTIONS, "--rules", "rules", "-o", path)
    commands = [line.strip() for line in ran.err.splitlines() if line.startswith("  policy-engine")]
    assert len(commands) == 2
    for command in commands:
        assert cli.run(shlex.split(command)[1:]) == 0, capfd.readouterr().err


def test_nothing_is_written_where_a_finding_is_left(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    bad = IMPORTS_FOLDER / "bad/amounts.json"
    ran = run(bad, *OPTIONS, "--rules", RULES, "-o", path)
    assert (ran.status, ran.out) == (1, "")
    assert not path.exists()
    code = "--accept=amount-mismatch"
    assert run(bad, *OPTIONS, "--rules", RULES, "-o", path, code, "--dry-run").status == 0
    assert not path.exists()
    assert run(bad, *OPTIONS, "--rules", RULES, "-o", path, code).status == 0
    assert path.exists()


def test_a_version_is_never_overwritten_and_prices_are(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("as it was")
    ran = run(IMPORTS_FOLDER / "brackets.json", *OPTIONS, "--rules", RULES, "-o", path)
    assert (ran.status, path.read_text()) == (2, "as it was")
    assert run(IMPORTS_FOLDER / "price_pepe.json", "--from", "binance", "-o", path).status == 0
    assert json.loads(path.read_text()) == {"PEPE": "0.00001", "USDT": "1"}


def test_the_day_of_the_responses_is_today_and_that_is_said(run: Any) -> None:
    ran = run(IMPORTS_FOLDER / "ratios.json", *OPTIONS[:-2], "--rules", RULES)
    today = next(line for line in ran.err.splitlines() if line.startswith("fetched on: "))
    day = today.removeprefix("fetched on: ").partition(",")[0]
    assert f"    updated: {day}\n" in ran.out


def test_a_response_from_stdin(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = (IMPORTS_FOLDER / "price_pepe.json").open("rb")

    monkeypatch.setattr("sys.stdin", Stdin)
    ran = run("-", "--from", "binance")
    Stdin.buffer.close()
    assert json.loads(ran.out) == {"PEPE": "0.00001", "USDT": "1"}


def test_help_names_every_code_that_can_be_accepted(run: Any) -> None:
    words = run("--help").out.replace("\n", "").replace(" ", "")
    assert all(code in words for code in ACCEPTABLE)


# --- the documentation's samples ------------------------------------------------------------------


def sample(name: str) -> str:
    """The body of a saved sample of the API's documentation."""
    path = SAMPLES / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no {path.name} in ../shared/data/binance")
    return json.dumps(json.loads(path.read_text(encoding="utf-8"))["response"])


def test_the_amount_of_the_sample_is_reported(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    name = "market-data_Query-Liability-Coin-Leverage-Bracket-in-Cross-Margin-Pro-Mode"
    path.write_text(sample(name))
    ran = run(path, *OPTIONS, "--rules", rules_folder())
    assert (ran.status, ran.out) == (1, "")
    assert (
        "amount-mismatch: `fastNum` is 60000, but 0 + 1000000 x (0.07 - 0.02) is 50000" in ran.err
    )
    ran = run(path, *OPTIONS, "--rules", rules_folder(), "--accept", "amount-mismatch")
    assert ran.status == 0
    assert "{to: 4000000, leverage: 3, initial: 50%, maintenance: 7%, amount: 50000}" in ran.out


def test_the_sample_of_collateral_ratios_lacks_what_came_in_2026(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    path.write_text(sample("market-data"))
    ran = run(path, *OPTIONS, "--rules", rules_folder())
    assert ran.status == 1
    assert ran.err.count("ratio-missing: ") == 2
    earlier = ("--from", "binance", "--effective-from", "2025-12-20", "--rules", rules_folder())
    ran = run(path, *earlier)
    assert ran.status == 0
    assert "- {value: BTC, when: [BTC, BUSD, ETH, USDT]}" in ran.out
    assert "until 2026-01-12T06:00:00Z (collateral@2026-01-12)" in " ".join(ran.err.split())


def test_the_sample_of_margin_data(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    path.write_text(sample("account_Query-Cross-Margin-Fee-Data"))
    ran = run(path, *OPTIONS, "--rules", rules_folder())
    assert ran.status == 0
    assert "- {value: 180, when: [[BTC, 0]]}" in ran.out


def test_the_sample_of_a_price_is_not_in_usdt(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    path.write_text(sample("market-data_Query-Margin-PriceIndex"))
    ran = run(path, "--from", "binance")
    assert ran.status == 2
    assert "not-in-usdt: `BNBBTC`" in ran.err


# --- decisions under what was imported ------------------------------------------------------------


def asset(name: str, price: str, free: str = "0", borrowed: str = "0") -> dict[str, str]:
    """A line of an account."""
    held = {"asset": name, "free": free, "borrowed": borrowed, "price": price}
    return {"locked": "0", "interest": "0", **held}


def account(*assets: dict[str, str], **more: Any) -> dict[str, Any]:
    """A snapshot with these lines."""
    return {"account": "A-1", "mode": "pro", "vip_level": 0, "assets": list(assets), **more}


def decided(rules: Rulebook, snapshot: dict[str, Any], at: Any = AT) -> dict[str, Any]:
    """The decision as plain values."""
    return rules.in_force(at).decide(snapshot).to_dict()


def file(name: str) -> Imported:
    """What a response among the files becomes."""
    return read((IMPORTS_FOLDER / name).read_text(encoding="utf-8"))


def test_a_decision_worked_out_by_hand() -> None:
    """ETH: 1,000,000 + 97.5% of 1,000,000. AVA: 50% of 40,000, and nothing above.

    BTC: 11.12% of 1,000,000 + 25% of 1,500,000 + 50% of 500,000; 10% of 3,000,000 - 155,000.
    NO: 50% and 7.25% of 10,000.
    """
    made = book(file("brackets.json"), file("ratios.json"), file("limits_vip_0.json"))
    snapshot = account(
        asset("ETH", "2000", free="1000"),
        asset("AVA", "1", free="100000"),
        asset("BTC", "75000", borrowed="40"),
        asset("NO", "1000", borrowed="10"),
        asset("BUSD", "1", free="1"),
    )
    decision = decided(made, snapshot)
    eth, ava, btc, no, busd = decision["assets"]
    assert eth["counts"] == "1975000"
    assert (eth["counts_for_borrowing"], eth["counts_for_transfers"]) == ("1999800", "1999600")
    assert (ava["counts"], ava["counts_for_borrowing"]) == ("20000", "20000")
    assert ava["counts_for_transfers"] == "1"
    assert (btc["initial_margin"], btc["maintenance_margin"]) == ("736200", "145000")
    assert (no["initial_margin"], no["maintenance_margin"]) == ("5000", "725")
    assert (btc["most_owed"], busd["most_owed"], no["most_owed"]) == ("180", "0", None)
    assert decision["values"]["total_maintenance_margin"] == "145725"
    assert busd["counts"] is None
    (reason,) = decision["undetermined"]["assets.BUSD.counts"]
    assert reason.startswith("the imported collateral ratios do not name BUSD")


def test_a_list_without_an_end_has_none() -> None:
    made = book(file("ratios.json"))
    (eth,) = decided(made, account(asset("ETH", "200000000000", free="1")))["assets"]
    assert eth["counts"] == "195000025000"  # 1,000,000 + 97.5% of the rest


def test_the_shipped_rules_decide_under_what_was_imported(run: Any, tmp_path: Path) -> None:
    """Held: 1,000,000 + 97.5% of 1,000,000. Owed: 10 x 80,000, initial 11.12%, maintenance 2%."""
    shipped = tmp_path / "rules"
    shutil.copytree(rules_folder(), shipped)
    for ruleset, files, _ in WRITTEN.values():
        path = shipped / ruleset / "2026-11-22.yaml"
        ran = run(*(IMPORTS_FOLDER / f for f in files), *OPTIONS, "--rules", shipped, "-o", path)
        assert ran.status == 0, ran.err
    rules = Rulebook.load(shipped).in_force(AT)
    more = {"region": "SG", "questionnaire_completed": True, "terms_accepted": True}
    owed = (asset("ETH", "2000", free="1000"), asset("BTC", "80000", borrowed="10"))
    decision = rules.decide(account(*owed, **more))
    assert decision.values["net_collateral"] == 1_975_000 - 800_000
    assert decision.values["initial_margin"] == 88_960
    assert decision.values["margin_level"] == Decimal("73.4375")  # 1,175,000 / 16,000
    assert decision.values["transfer_out_margin_level"] == Decimal("2.4995")  # 1,999,600 / 800,000
    assumed = {one.name for one in decision.assumptions}
    assert {"stablecoins_at_par", "above_published_tiers"} <= assumed
    answered = {
        "example_brackets",
        "example_collateral_tiers",
        "rank_1_for_btc_and_usdc",
        "brackets_after_update_not_public",
    }
    assert assumed & answered == set()


def test_before_the_instant_nothing_changes() -> None:
    made = book(file("brackets.json"), file("ratios.json"))
    snapshot = account(asset("DOGE", "1", free="300000"))
    for rules in (made, Rulebook.load(RULES)):
        (doge,) = decided(rules, snapshot, "2026-11-21T23:59:59.999999Z")["assets"]
        assert doge["counts"] == "220000"


def test_an_import_after_an_import() -> None:
    """Lists keep their names with their tiers, and what was assumed of an end is told anew."""
    first = imported_version(file("ratios.json"))
    entries = json.loads((IMPORTS_FOLDER / "ratios.json").read_text())
    entries[0]["collaterals"][1]["maxUsdValue"] = "5000000"
    entries[1]["assetNames"].insert(0, "0X")
    text = json.dumps(entries[::-1])
    made = kind_of(text).version([part(text)], first, Terms(AT, None, "2026-12-01"))
    scale = made.document["scales"]["collateral_ratio"]
    assert list(scale["tiers"]) == ["8", "AVA", "BTC"]
    assert scale["tiers"]["AVA"] == [{"to": "40000", "rate": "50%"}]
    assert scale["above_last"] == {"rate": "0", "assumes": ["above_published_tiers"]}
    assert scale["assumes"] == ["stablecoins_at_par"]


def test_what_is_above_an_end_is_not_known_and_some_lists_have_none() -> None:
    path = RULES / "collateral/2026-01-01.yaml"
    known = "above_last: {rate: 0, assumes: [above_published_tiers]}"
    text = path.read_text(encoding="utf-8")
    assert known in text
    unknown = "above_last: undetermined\n    because: nobody says what is above"
    before = Rulebook([(path.as_posix(), text.replace(known, unknown))]).versions[0]
    entries = json.loads((IMPORTS_FOLDER / "ratios.json").read_text())
    terms = Terms(AT, None, "2026-11-21")
    body = json.dumps(entries)
    (problem,) = kind_of(body).version([part(body)], before, terms).understanding.findings
    assert (problem.code, problem.place.pointer) == ("open-and-closed", "[1].collaterals")
    body = json.dumps(entries[1:])
    made = kind_of(body).version([part(body)], before, terms)
    assert made.understanding.findings == ()
    assert unknown in to_yaml(made.document)


def test_versions_of_one_hour_cannot_be_told_apart(run: Any, rules: Path) -> None:
    response = (IMPORTS_FOLDER / "brackets.json", "--from", "binance", "--rules", rules)
    path = rules / "position_brackets/2026-01-01T18.yaml"
    assert run(*response, "--effective-from", "2026-01-01T18:30:00Z", "-o", path).status == 0
    ran = run(*response, "--effective-from", "2026-01-01T18:45:00Z")
    assert ran.status == 2
    assert "--effective-from: two-versions: " in ran.err


# --- laws -----------------------------------------------------------------------------------------

COINS = st.lists(
    st.sampled_from(
        ["BTC", "ETH", "USDT", "1INCH", "1000CHEEMS", "NO", "Y", "6", "1E5", "币安人生"]
    ),
    min_size=1,
    unique=True,
)
RATE = st.decimals(0, 1, places=4)
STEP = st.decimals("0.01", 10**9, places=2)


@st.composite
def spelt(draw: st.DrawFn, value: Decimal) -> str:
    """A number as JSON spells it: bare, as text, with an exponent or with zeros at its end."""
    plain = format(value, "f")
    forms = [plain, f'"{plain}"', f"{value.scaleb(3):f}E-3"]
    return draw(st.sampled_from([*forms, f"{plain}0" if "." in plain else f"{plain}.0"]))


def rising(steps: list[Decimal]) -> list[Decimal]:
    """Sums that rise."""
    return [sum(steps[: n + 1], Decimal(0)) for n in range(len(steps))]


FIELDS = ("maxDebt", "leverage", "initialMarginRate", "maintenanceMarginRate", "fastNum")


@st.composite
def bracket_responses(draw: st.DrawFn) -> tuple[str, dict[str, list[dict[str, Decimal]]]]:
    """A response without findings, and the brackets of each coin."""
    coins = draw(COINS)
    cut = draw(st.integers(1, len(coins)))
    entries: list[str] = []
    known: dict[str, list[dict[str, Decimal]]] = {}
    for names in filter(None, (coins[:cut], coins[cut:])):
        edges = rising(draw(st.lists(STEP, min_size=1, max_size=4)))
        rates = sorted(draw(st.lists(RATE, min_size=len(edges), max_size=len(edges))))
        leverages = sorted(
            draw(st.lists(st.integers(1, 20), min_size=len(edges), max_size=len(edges))),
            reverse=True,
        )
        amount, rows = Decimal(0), []
        for n, (edge, rate) in enumerate(zip(edges, rates, strict=True)):
            amount += edges[n - 1] * (rate - rates[n - 1]) if n else 0
            figures = (edge, Decimal(leverages[n]), rate, rate, amount)
            rows.append(dict(zip(FIELDS, figures, strict=True)))
        known |= dict.fromkeys(names, rows)
        shown = ", ".join(
            "{" + ", ".join(f'"{key}": {draw(spelt(value))}' for key, value in row.items()) + "}"
            for row in rows
        )
        entries.append(f'{{"assetNames": {json.dumps(names)}, "brackets": [{shown}]}}')
    return f"[{', '.join(entries)}]", known


@settings(max_examples=60, deadline=None)
@given(bracket_responses())
def test_imported_brackets_are_those_of_the_response(
    response: tuple[str, dict[str, list[dict[str, Decimal]]]],
) -> None:
    text, known = response
    made = read(text)
    assert made.understanding.findings == ()
    scale = imported_version(made).scales["brackets"]
    assert scale.tiers.keys() == known.keys()
    for coin, rows in known.items():
        figures = [(row["maxDebt"], tuple(row[field] for field in FIELDS[1:])) for row in rows]
        assert [(tier.to, tier.rates) for tier in scale.tiers[coin]] == figures


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[list[dict[str, str]], list[tuple[Fraction, Fraction]]]:
    """Tiers of a response and their slices: width (0 for no end) and ratio."""
    edges = rising(draw(st.lists(STEP, min_size=1, max_size=4)))
    rates = sorted(draw(st.lists(RATE, min_size=len(edges), max_size=len(edges))), reverse=True)
    ends = draw(st.booleans())
    tiers, low = [], Decimal(0)
    for edge, rate in zip(edges, rates, strict=True):
        tiers.append({"minUsdValue": str(low), "maxUsdValue": str(edge), "discountRate": str(rate)})
        low = edge
    if not ends:
        del tiers[-1]["maxUsdValue"]
    widths = [high - low for low, high in zip([Decimal(0), *edges], edges, strict=False)]
    slices = [(Fraction(width), Fraction(rate)) for width, rate in zip(widths, rates, strict=True)]
    return tiers, slices if ends else [*slices[:-1], (Fraction(0), slices[-1][1])]


def value_of(slices: list[tuple[Fraction, Fraction]], value: Fraction) -> Fraction:
    """What counts of a value, slice by slice; nothing above the last edge."""
    counts = Fraction(0)
    for width, rate in slices:
        part = min(width, value) if width else value
        counts, value = counts + part * rate, value - part
    return counts


@settings(max_examples=60, deadline=None)
@given(st.lists(tier_lists(), min_size=1, max_size=3), STEP, RATE)
def test_imported_ratios_count_what_the_response_says(
    lists: list[Any], value: Decimal, rate: Decimal
) -> None:
    flat = [{"minUsdValue": "0", "discountRate": str(rate)}]
    names = ("BTC", "DOGE", "ETH")
    text = json.dumps(
        [
            {
                "assetNames": [name],
                "collaterals": tiers,
                "borrowCollaterals": flat,
                "withdrawCollaterals": flat,
            }
            for name, (tiers, _) in zip(names, lists, strict=False)
        ]
    )
    made = read(text)
    assert made.understanding.findings == ()
    lines = [asset(name, str(value), free="1") for name, _ in zip(names, lists, strict=False)]
    made_lines = decided(book(made), account(*lines))["assets"]
    for line, (_, slices) in zip(made_lines, lists, strict=True):
        assert Fraction(line["counts"]) == value_of(slices, Fraction(value))
        assert Fraction(line["counts_for_borrowing"]) == Fraction(value) * Fraction(rate)


@settings(max_examples=40, deadline=None)
@given(bracket_responses(), st.data())
def test_an_amount_that_is_off_is_always_found(
    response: tuple[str, dict[str, list[dict[str, Decimal]]]], data: st.DataObject
) -> None:
    _, known = response
    coin = data.draw(st.sampled_from(sorted(known)))
    at = data.draw(st.integers(0, len(known[coin]) - 1))
    rows = [{key: f"{value:f}" for key, value in row.items()} for row in known[coin]]
    rows[at]["fastNum"] = f"{known[coin][at]['fastNum'] + Decimal('0.01'):f}"
    (problem,) = read(json.dumps([{"assetNames": [coin], "brackets": rows}])).understanding.findings
    assert problem.code == "amount-mismatch"
    assert problem.place.pointer == f"[0].brackets[{at}].fastNum"


# --- what else can be in the way ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ruleset", "old", "new", "response"),
    [
        ("position_brackets", ", amount: USDT}", ", amount: USDT, more: USDT}", "brackets.json"),
        ("position_brackets", "  brackets:\n", "  others:\n", "brackets.json"),
        ("collateral", "  collateral_ratio:\n", "  others:\n", "ratios.json"),
        ("collateral", "  collateral_rank:\n", "  others:\n", "ratios.json"),
        ("coin_limits", "by: [text, number]", "by: [text, text]", "limits_vip_0.json"),
    ],
)
def test_rules_of_another_form_have_no_place_for_it(
    ruleset: str, old: str, new: str, response: str
) -> None:
    path = RULES / ruleset / "2026-01-01.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new).replace(
        "amount: 0}", "amount: 0, more: 0}" if "more" in new else "amount: 0}"
    )
    made = Rulebook([(path.as_posix(), text)])
    body = (IMPORTS_FOLDER / response).read_text(encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        kind_of(body).version([part(body)], made.versions[0], Terms(AT, None, "2026-11-21"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.path) == ("no-place-for-it", path.as_posix())
    assert problem.hint
