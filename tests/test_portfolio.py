"""A batch is decided as its rows are one by one: every status, permission and value."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal, localcontext
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import generator_shipped
import oracle
from agreement import rulebook
from books import book, rules
from generator import account, moments, rule_files
from generator_requests import folder_with_requests
from oracle_values import instant
from policy_engine import PolicyError, Rulebook, Rules
from policy_engine.columns.numbers import SLACK, Number, error
from policy_engine.numbers import EXACT, UNLIMITED
from policy_engine.portfolio import decide
from policy_engine.portfolio.batch import Batch
from policy_engine.portfolio.batches import CHUNK, Portfolio, portfolio
from policy_engine.portfolio.given import Reading
from policy_engine.portfolio.rows import snapshots
from portfolios import batch_of, differences

ATS = ("2025-02-01T00:00:00Z", "2026-02-01T00:00:00Z")


@pytest.fixture(scope="module", params=ATS)
def in_force(request: pytest.FixtureRequest) -> Rules:
    """The shipped rules, with brackets and ranks for five coins."""
    return rules(request.param)


@pytest.mark.parametrize(
    ("count", "at_threshold"), [(20_000, 0.0), (20_000, 0.1), (3_000, 1.0)], ids=["R", "A", "edges"]
)
def test_a_book_is_decided_as_its_accounts_are(
    in_force: Rules, count: int, at_threshold: float
) -> None:
    batch = book(count, 1, at_threshold=at_threshold, strangers=0.05)
    answer = decide(batch, in_force)
    assert list(islice(differences(batch, answer, in_force), 5)) == []
    exactly = np.mean(answer["decided_exactly"].to_numpy(zero_copy_only=False))
    assert exactly < (0.001 if not at_threshold else 0.5 * at_threshold + 0.001)
    assert answer["status"].null_count > 0
    assert len(set(answer["status"].to_pylist())) == 4


def test_what_floats_leave_in_doubt_is_told_by_the_last_digits(
    in_force: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Portfolio, batch: pa.RecordBatch, rows: Any, outcome: Any) -> None:
        assert not len(rows)

    batch = book(3_000, 2, at_threshold=1.0)
    monkeypatch.setattr(Portfolio, "_one_by_one", refused)
    answer = Portfolio(in_force).decide(batch)
    assert sum(answer["decided_exactly"].to_pylist()) > 100
    assert list(islice(differences(batch, answer, in_force), 5)) == []


def test_most_of_a_book_without_regions_is_undetermined_and_still_quick(in_force: Rules) -> None:
    batch = book(2_000, 4).drop_columns("region")
    answer = decide(batch, in_force)
    assert not any(answer["decided_exactly"].to_pylist())
    assert list(islice(differences(batch, answer, in_force), 5)) == []
    pro = [row for row in answer.to_pylist() if row["max_leverage"] is None]
    assert len(pro) == batch.num_rows


@pytest.mark.parametrize("positions", [0, 1, 5])
def test_any_number_of_lines(in_force: Rules, positions: int) -> None:
    batch = book(200, 5, positions=max(positions, 1), orders=0.2 if positions > 1 else 0.0)
    if not positions:
        empty = pa.array([[]] * 200, batch.schema.field("assets").type)
        batch = batch.set_column(batch.schema.get_field_index("assets"), "assets", empty)
    assert list(differences(batch, decide(batch, in_force), in_force)) == []


def test_every_value_lies_within_its_bound(in_force: Rules) -> None:
    batch = book(1_500, 6, at_threshold=0.2, strangers=0.05)
    whole = portfolio(in_force)
    whole.decide(batch)
    checked = 0
    for choice in whole.choices.values():
        assert choice is not None
        part = Batch(batch).part(0, batch.num_rows)
        figures = choice.prepared.figures(Reading(part, choice.reader, whole.moment).given)
        for row, snapshot in enumerate(snapshots(batch, range(batch.num_rows))):
            if snapshot["mode"] == choice.sample["mode"]:
                decision = in_force.decide(snapshot)
                for name in decision.values:
                    checked += _within(figures(name), row, decision.figure(name))
    assert checked > 20_000


def _within(column: Any, row: int, exact: Any) -> int:
    """Assert that an element is right; how many numbers that checked."""
    if not isinstance(column, Number):
        return 0
    count = max(len(column.value), row + 1)
    value, reach = (np.broadcast_to(part, count)[row] for part in (column.value, error(column)))
    unknown = False if column.unknown is None else np.broadcast_to(column.unknown, count)[row]
    if not isinstance(exact, Decimal):
        assert unknown or not np.isfinite(reach)
        return 0
    assert not unknown
    if exact == UNLIMITED:
        assert value == np.inf
        return 0
    with localcontext(EXACT):
        assert abs(Decimal(float(value)) - exact) <= Decimal(float(reach)) * Decimal(SLACK)
    return 1


# --- generated rules ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [rule_files, folder_with_requests])
@pytest.mark.parametrize("number", range(8))
def test_generated_rules_decide_batches_as_they_decide_accounts(
    make: Any, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policy_engine.portfolio.batches.FEW", 0)
    rng = Random(f"portfolio-{number}")
    documents = make(rng)
    folder = rulebook(documents)
    quickly = 0
    for _ in range(3):
        at, known_at = moments(rng, documents)
        try:
            in_force = folder.in_force(at, known_at)
        except PolicyError:
            continue
        batch = batch_of(account(rng, documents) for _ in range(100))
        answer = decide(batch, in_force)
        assert list(islice(differences(batch, answer, in_force), 3)) == [], (number, at, known_at)
        quickly += answer.num_rows - sum(answer["decided_exactly"].to_pylist())
    assert quickly > 0


@pytest.mark.parametrize("at", ["2024-03-01T00:00:00Z", "2025-02-01T00:00:00Z", ATS[1]])
def test_accounts_at_the_edges_of_the_shipped_rules(
    at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policy_engine.portfolio.batches.FEW", 0)
    started = oracle.in_force(generator_shipped.documents(), instant(at), None)
    made = generator_shipped.accounts(Random(at), started)
    batch = batch_of(islice(made, 400))
    in_force = Rulebook.load().in_force(at)
    assert list(islice(differences(batch, decide(batch, in_force), in_force), 3)) == []


PRICED: tuple[Mapping[str, str | None] | None, ...] = (
    *(None, {}, {"ADA": "0.95", "XRP": "2.3"}, {"BTC": "98000"}, {"BTC": "98123.45"}),
    *({"ADA": "-1"}, {"ADA": "0"}, {"ADA": None}, {"A DA": "1"}, {"ADA": "1", "": "1"}),
    *({"ADA": "0." + "1" * 19}, {"ADA": "9" * 19}),
)


@pytest.mark.parametrize("kind", [pa.string(), pa.decimal128(38, 19)])
def test_prices_beside_the_lines_are_no_reason_to_decide_alone(kind: pa.DataType) -> None:
    batch, in_force = book(600, 11, orders=0.5), rules()
    plain = [PRICED[2]] * batch.num_rows
    given = [PRICED[row % len(PRICED)] for row in range(batch.num_rows)]
    exactly = []
    for prices in (plain, given):
        held = [_pairs(kind, one) for one in prices]
        priced = batch.append_column("prices", pa.array(held, pa.map_(pa.string(), kind)))
        answer = decide(priced, in_force)
        assert list(islice(differences(priced, answer, in_force), 3)) == []
        exactly.append(sum(answer["decided_exactly"].to_pylist()))
    assert exactly[0] < batch.num_rows / 20


def _pairs(kind: pa.DataType, prices: Mapping[str, str | None] | None) -> Any:
    if prices is None or kind == pa.string():
        return None if prices is None else list(prices.items())
    return [(name, price and Decimal(price)) for name, price in prices.items()]


# --- order, chunks, slices ---------------------------------------------------------------------


def test_slices_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    in_force, batch = rules(), book(3_000, 7, at_threshold=0.1)
    whole = decide(batch, in_force)
    monkeypatch.setattr("policy_engine.portfolio.batches.CHUNK", 700)
    assert decide(batch, in_force).equals(whole)
    monkeypatch.setattr("policy_engine.portfolio.batches.CHUNK_LINES", 1_000)
    assert decide(batch, in_force).equals(whole)
    part = decide(batch.slice(1_000, 900), in_force)
    names = [name for name in part.schema.names if name != "decided_exactly"]
    assert part.select(names).equals(whole.slice(1_000, 900).select(names))
    assert CHUNK > 700


def test_an_empty_batch_has_an_empty_answer() -> None:
    in_force, batch = rules(), book(10)
    answer = decide(batch.slice(0, 0), in_force)
    assert (answer.num_rows, answer.schema) == (0, decide(batch, in_force).schema)


def test_the_answer_is_named_as_the_contract_says() -> None:
    in_force = rules()
    names = decide(book(3), in_force).schema.names
    assert names[:3] == ["account", "status", "borrow_permitted"]
    assert names[-3:] == ["decided_exactly", "error", "rules_digest"]
    assert {"switch_to_pro_permitted", "margin_level", "total_liability"} <= set(names)


def test_the_digest_tells_what_decided() -> None:
    rows = decide(book(50), rules()).to_pylist()
    assert len({row["rules_digest"] for row in rows}) == 2
    assert all(row["rules_digest"].startswith("sha256:") for row in rows)


@pytest.mark.parametrize("missing", ["numpy", "pyarrow"])
def test_without_its_libraries_it_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules['{missing}'] = None; import policy_engine.portfolio"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "pip install 'policy-engine[portfolio]'" in found.stderr.splitlines()[-1]
