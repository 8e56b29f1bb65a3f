"""The example of a rule file on which others build loads, decides, and is checked, as it stands."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine import PolicyError, Rulebook
from policy_engine.checks import findings
from policy_engine.cli import run
from policy_engine.document import read_yaml
from policy_engine.schema import problems

FOLDER = Path(__file__).parent / "contract"
EXAMPLE = FOLDER / "cross_margin_pro" / "2025-01-21.yaml"
AT = "2025-02-01T12:00:00Z"
LINE = {"asset": "BTC", "free": "20", "locked": "0", "borrowed": "1", "interest": "0"}
ORDER = {"sell": "BTC", "sell_quantity": "0.1", "buy": "USDC", "buy_quantity": "900"}
SNAPSHOT = {
    "account": "A-1",
    "at": AT,
    "mode": "pro",
    "region": "FR",
    "assets": [{**LINE, "price": "10000"}],
    "prices": {"USDC": "1"},
    "orders": [ORDER],
}


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load(FOLDER)


def decided(book: Rulebook, **fields: Any) -> dict[str, Any]:
    return book.in_force(AT).decide({**SNAPSHOT, **fields}).to_dict()


def test_the_schema_takes_it() -> None:
    document = read_yaml(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.as_posix())
    assert problems(document, "ruleset") == []
    sections = ["inputs", "parameters", "tables", "scales", "formulas", "statuses", "notices"]
    assert set(document.data) >= {*sections, "permissions", "requests", "invariants"}


def test_nothing_is_wrong_with_it(book: Rulebook) -> None:
    assert findings(book) == []


def test_check_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--rules", str(FOLDER)]) == 0
    assert capsys.readouterr().out == (
        "4 files, 4 versions, 1 ruleset that decides, 1 combination: no findings\n"
    )


def test_it_decides(book: Rulebook) -> None:
    said = decided(book)
    # 100,000 in full and 100,000 of the next 150,000 at 80%, less the debt of 10,000.
    assert said["values"]["net_collateral"] == "170000"
    # 1,000 is given up for 900.
    assert said["values"]["open_order_loss"] == "100"
    assert said["values"]["initial_margin"] == "1112"
    assert said["values"]["margin_headroom"] == "168788"
    assert said["values"]["margin_level"] == "849.5"
    assert said["values"]["max_leverage"] == "10"
    assert said["status"] == "normal"
    assert said["permissions"]["borrow"] == {"permitted": True, "reasons": []}
    assert said["undetermined"] == {}


def test_its_thresholds_hold(book: Rulebook) -> None:
    # Debt of 10,000, maintenance margin 200: the level is (collateral - 10,000) / 200.
    for free, ratio, status in [
        ("1.02", None, "liquidation"),
        ("1.02000001", None, "margin_call"),
        ("1.03", None, "margin_call"),
        ("1.03000001", None, "normal"),
        ("1.03000001", "1.6", "margin_call"),
    ]:
        own = {"margin_call_ratio": {"pro": ratio}} if ratio else {}
        line = {**LINE, "price": "10000", "free": free}
        assert decided(book, assets=[line], orders=[], **own)["status"] == status


def test_what_it_leaves_open_cannot_be_told(book: Rulebook) -> None:
    said = decided(book, assets=[{**LINE, "asset": "DOGE", "price": "1"}], orders=[])
    assert said["status"] is None
    assert said["undetermined"]["total_collateral_value"] == [
        "no collateral rank for DOGE; hint: give `collateral_rank` of ruleset `collateral`"
        " an entry for DOGE"
    ]
    large = decided(book, assets=[{**LINE, "borrowed": "101", "price": "10000"}], orders=[])
    assert large["undetermined"]["maintenance_margin"] == ["no bracket above the last one of BTC"]
    assert large["values"]["total_liability"] == "1010000"


def test_inside_its_window_it_says_that_it_may_not_be_complete(book: Rulebook) -> None:
    inside = book.in_force("2025-01-21T10:29:59Z").decide(SNAPSHOT)
    after = book.in_force("2025-01-21T10:30:00Z").decide(SNAPSHOT)
    assert "completes_within.cross_margin_pro" in [one.name for one in inside.assumptions]
    assert "completes_within.cross_margin_pro" not in [one.name for one in after.assumptions]


def test_it_starts_at_its_instant(book: Rulebook) -> None:
    with pytest.raises(PolicyError) as caught:
        book.in_force("2025-01-21T09:59:59.999999Z").decide(SNAPSHOT)
    assert caught.value.code == "no-rules-apply"


def test_it_explains(book: Rulebook) -> None:
    trace = book.in_force(AT).decide(SNAPSHOT).explain("assets.BTC.collateral_value")
    (slices,) = [looked.slices for looked in trace.entries[0].looked if looked.slices]
    assert [(one.part, one.rate) for one in slices] == [
        (Decimal(100000), Decimal(1)),
        (Decimal(100000), Decimal("0.8")),
    ]


def test_its_digest_is_of_its_meaning(book: Rulebook) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    digest = book.version("cross_margin_pro@2025-01-21").digest
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)

    def of(changed: str) -> str:
        others = {p: p.read_text(encoding="utf-8") for p in FOLDER.glob("*/*.yaml") if p != EXAMPLE}
        documents = [(path.as_posix(), said) for path, said in others.items()]
        made = Rulebook([*documents, (EXAMPLE.as_posix(), changed)])
        return made.version("cross_margin_pro@2025-01-21").digest

    assert of(re.sub(r"(?m) +# .*$", "", text)) == digest
    for said, other in [
        ("after(margin_headroom) < 0", "after(margin_headroom) <= 0"),
        ("free: free + amount", "free: free"),
        ("step: 0.00000001", "step: 0.0000001"),
        ("above: 0", "above: 1"),
        ("rates: falling", ""),
    ]:
        assert of(text.replace(said, other)) != digest, said
    assert of(text.replace("free: free + amount", "free: (free)+amount")) == digest
