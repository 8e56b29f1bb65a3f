"""What a batch may hold, and how a row or a column that is wrong is told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from books import book, rules
from policy_engine import SnapshotError
from policy_engine.columns.numbers import SLACK, Number, error
from policy_engine.fields import shape
from policy_engine.lines import are_amounts
from policy_engine.numbers import EXACT
from policy_engine.portfolio import decide
from policy_engine.portfolio.arrow import parsed
from policy_engine.portfolio.plain_texts import plainly_written
from portfolios import SCHEMA, batch_of, differences

LINE = {"asset": "BTC", "free": "2", "locked": "0", "borrowed": "1", "interest": "0"}
ACCOUNT: dict[str, Any] = {
    "account": "A-1",
    "mode": "pro",
    "region": "FR",
    "leverage": 5,
    "vip_level": 0,
    "questionnaire_completed": True,
    "terms_accepted": True,
    "margin_call_ratio": {"pro": "1.4"},
    "assets": [LINE | {"price": "10000"}, LINE | {"asset": "USDC", "price": "1"}],
    "orders": [{"sell": "BTC", "sell_quantity": "0.1", "buy": "USDC", "buy_quantity": "1000"}],
    "loans": [],
}


def changed(**new: Any) -> dict[str, Any]:
    """The account with some of its fields otherwise."""
    return ACCOUNT | new


def line(**new: Any) -> dict[str, Any]:
    """The account with some fields of its first line otherwise."""
    first, *others = ACCOUNT["assets"]
    return changed(assets=[first | new, *others])


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "negative amount": (line(free="-1"), "assets[0].free: invalid-value"),
    "not a number": (line(free="1e5"), "assets[0].free: bad-number"),
    "too many digits": (line(free="1" * 19), "assets[0].free: bad-number"),
    "no price": (line(price=None), "assets[0].price: missing-key"),
    "a price of 0": (line(price="0"), "assets[0].price: invalid-value"),
    "no asset": (line(asset=None), "assets[0].asset: missing-key"),
    "an asset with a space": (line(asset="B TC"), "assets[0].asset: "),
    "two lines": (line(asset="USDC"), "assets[1].asset: duplicate-line"),
    "unknown mode": (changed(mode="Pro"), "mode: "),
    "no mode": (changed(mode=None), "mode: missing-key"),
    "no assets": (changed(assets=None), "assets: missing-key"),
    "no account": (changed(account=None), "account: missing-key"),
    "unprintable account": (changed(account="A\n1"), "account: "),
    "United Kingdom": (changed(region="UK"), "region: "),
    "leverage": (changed(leverage=4), "leverage: "),
    "vip level": (changed(vip_level=100), "vip_level: "),
    "ratio": (changed(margin_call_ratio={"pro": "-1"}), "margin_call_ratio.pro: "),
    "instant": (changed(at="2025-02-01"), "at: bad-instant"),
    "both totals": (changed(open_order_loss="1"), "orders: invalid-value"),
    "unknown asset": (
        changed(orders=[ACCOUNT["orders"][0] | {"buy": "XYZ"}]),
        "orders[0].buy: unknown-key",
    ),
    "two prices": (changed(prices={"BTC": "1"}), "prices.BTC: two-prices"),
    "loan": (
        changed(loans=[{"asset": "BTC", "principal": "x", "hourly_rate": "0"}]),
        "loans[0].borrowed_at: missing-key",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_row_says_what_is_wrong_and_stays_in_its_place(what: str) -> None:
    broken, said = BROKEN[what]
    in_force = rules()
    batch = batch_of([changed(account="before"), broken, changed(account="after")])
    answer = decide(batch, in_force)
    before, row, after = answer.to_pylist()
    assert said in row["error"]
    assert (row["status"], row["borrow_permitted"], row["margin_level"]) == (None, None, None)
    assert (before["account"], row["account"], after["account"]) == (
        "before",
        broken["account"],
        "after",
    )
    assert before["error"] is None
    assert {**before, "account": "after"} == after


SOUND: dict[str, dict[str, Any]] = {
    "another script": changed(account="счёт-1"),
    "prices of what has no line": changed(prices={"ADA": "1", "USDC": "1.0"}),
    "an order of what is only priced": changed(
        prices={"ADA": "1"}, orders=[ACCOUNT["orders"][0] | {"buy": "ADA"}]
    ),
    "orders not known": changed(orders=None),
    "a total instead": changed(orders=None, open_order_loss="12.5"),
    "nothing held": line(free="0", borrowed="0") | {"orders": []},
    "nothing held of what an order names": line(free="0", borrowed="0"),
    "nothing held of what no rules know": changed(
        assets=[*ACCOUNT["assets"], dict.fromkeys(LINE, "0") | {"asset": "XYZ", "price": "1"}]
    ),
    "as many digits as there may be": line(free="9" * 18 + "." + "9" * 18),
    "an instant elsewhere": changed(at="2025-02-01T12:00:00+02:00"),
    "a setting not given": changed(leverage=None, vip_level=None, margin_call_ratio=None),
    "a loan": changed(
        loans=[
            {
                "asset": "BTC",
                "principal": "1",
                "hourly_rate": "0.00001",
                "borrowed_at": "2025-02-01T08:20:00Z",
            }
        ]
    ),
}


@pytest.mark.parametrize("mode", ["pro", "classic"])
@pytest.mark.parametrize("what", SOUND)
def test_whatever_a_snapshot_may_be_a_row_may_be(what: str, mode: str) -> None:
    in_force = rules()
    batch = batch_of([ACCOUNT, SOUND[what] | {"mode": mode}, ACCOUNT])
    answer = decide(batch, in_force)
    assert answer["error"].null_count == 3
    assert list(differences(batch, answer, in_force)) == []


# --- kinds of columns --------------------------------------------------------------------------

NUMBERS: dict[str, pa.DataType] = {
    "wide": pa.decimal128(38, 18),
    "narrow": pa.decimal128(12, 4),
    "wider": pa.decimal256(60, 20),
    "large text": pa.large_string(),
    "dictionary": pa.dictionary(pa.int16(), pa.string()),
}


def recast(batch: pa.RecordBatch, kind: pa.DataType) -> pa.RecordBatch:
    """A batch of texts with the figures of its asset lines in another type."""
    at = batch.schema.get_field_index("assets")
    lines = batch.column(at)
    parts = [
        part if field.name == "asset" else _cast(part, kind)
        for field, part in zip(lines.type.value_type, lines.values.flatten(), strict=True)
    ]
    names = [field.name for field in lines.type.value_type]
    made = pa.ListArray.from_arrays(lines.offsets, pa.StructArray.from_arrays(parts, names))
    return batch.set_column(at, "assets", made)


def _cast(part: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(kind):
        values = [None if text is None else Decimal(text) for text in part.to_pylist()]
        return pa.array(values, kind)
    return part.dictionary_encode() if pa.types.is_dictionary(kind) else part.cast(kind)


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_may_come_in_any_exact_type(kind: str) -> None:
    in_force = rules()
    batch = batch_of([ACCOUNT, line(free="0.0001", price="98123.4500"), line(free=None)])
    other = recast(batch, NUMBERS[kind])
    assert decide(other, in_force).equals(decide(batch, in_force))
    assert list(differences(other, decide(other, in_force), in_force)) == []


WRONG: dict[str, tuple[Callable[[pa.RecordBatch], pa.RecordBatch], str, str]] = {
    "binary fractions": (lambda b: recast(b, pa.float64()), "assets[].free", "wrong-column-type"),
    "assets as text": (lambda b: _put(b, "assets", pa.string()), "assets", "wrong-column-type"),
    "truths as text": (
        lambda b: _put(b, "terms_accepted", pa.string()),
        "terms_accepted",
        "wrong-column-type",
    ),
    "an unknown column": (lambda b: b.rename_columns(_misspelt(b)), "regoin", "unknown-key"),
    "no mode": (lambda b: b.drop_columns("mode"), "mode", "missing-key"),
    "no assets": (lambda b: b.drop_columns("assets"), "assets", "missing-key"),
}


def _put(batch: pa.RecordBatch, name: str, kind: pa.DataType) -> pa.RecordBatch:
    at = batch.schema.get_field_index(name)
    return batch.set_column(at, name, pa.array(["true"] * batch.num_rows, kind))


def _misspelt(batch: pa.RecordBatch) -> list[str]:
    return ["regoin" if name == "region" else name for name in batch.schema.names]


@pytest.mark.parametrize("what", WRONG)
def test_a_column_that_no_row_can_be_read_from_is_named(what: str) -> None:
    change, place, code = WRONG[what]
    with pytest.raises(SnapshotError) as raised:
        decide(change(batch_of([ACCOUNT, ACCOUNT])), rules())
    assert place in [problem.place.pointer for problem in raised.value.problems]
    assert raised.value.code == code


def test_a_timestamp_is_an_instant() -> None:
    in_force = rules()
    texts = batch_of([changed(at="2025-02-01T12:00:00Z"), ACCOUNT])
    at = texts.schema.get_field_index("at")
    stamps = pa.array([1738411200000000, None], pa.timestamp("us", "UTC"))
    assert decide(texts.set_column(at, "at", stamps), in_force).equals(decide(texts, in_force))


# --- numbers -----------------------------------------------------------------------------------

FREE = shape().lines["assets"]["free"]


@given(
    wholes=st.lists(st.integers(-(10**38) + 1, 10**38 - 1), min_size=1, max_size=20),
    scale=st.integers(0, 18),
    small=st.booleans(),
)
def test_a_decimal_becomes_a_float_within_its_bound(
    wholes: list[int], scale: int, small: bool
) -> None:
    values = [Decimal(n // 10**22 if small else n).scaleb(-scale, EXACT) for n in wholes]
    made = parsed(pa.array(values, pa.decimal128(38, scale)), "number", FREE, "free", {})
    column = made.column
    assert isinstance(column, Number)
    reach = np.broadcast_to(error(column), column.value.shape) * SLACK
    odd = np.zeros(len(values), dtype=bool) if made.odd is None else made.odd
    for value, nearest, far, strange in zip(values, column.value, reach, odd, strict=True):
        assert abs(Decimal(float(nearest)) - value) <= Decimal(float(far))
        assert strange == (value < 0 or value >= 10**18) or value > Decimal("999999999999000000")


@given(
    st.lists(
        st.one_of(
            st.text("0123456789.-+e ", max_size=24),
            st.from_regex(r"\A-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,19})?\Z"),
            st.none(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_text_is_plainly_written_exactly_where_a_snapshot_takes_it(
    texts: list[str | None],
) -> None:
    values, odd = plainly_written(pa.array(texts, pa.string()))
    for n, text in enumerate(texts):
        strange = odd is not None and bool(odd[n])
        positive = "0" if text is None else text.removeprefix("-")
        assert strange == (not are_amounts([positive]))
        if not strange:
            assert values[n] == float(text or "0")


def test_every_field_of_a_snapshot_can_be_a_column() -> None:
    assert set(SCHEMA.names) == set(shape().account)
    assert set(book(1).schema.names) <= set(SCHEMA.names)
