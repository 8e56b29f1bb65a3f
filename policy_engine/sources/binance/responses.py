"""Which of Binance's responses a file holds, told by its keys."""

from __future__ import annotations

from collections.abc import Sequence

from policy_engine.errors import Problem, SnapshotError
from policy_engine.sources.binance import collateral, limits, position_brackets, price_file
from policy_engine.sources.binance.account import is_account
from policy_engine.sources.binance.fields import is_refusal, refusal
from policy_engine.sources.part import Part
from policy_engine.sources.understood import Kind, OfPrices, OfRules

KINDS: tuple[Kind, ...] = (
    OfRules(
        f"GET {position_brackets.PATH}",
        '[{"assetNames": […], "brackets": […]}]',
        frozenset({"brackets"}),
        "position_brackets",
        position_brackets.version,
    ),
    OfRules(
        f"GET {collateral.PATH}",
        '[{"assetNames": […], "collaterals": […]}]',
        frozenset({"collaterals"}),
        "collateral",
        collateral.version,
    ),
    OfRules(
        f"GET {limits.PATH}",
        '[{"vipLevel": …, "coin": …, "borrowLimit": …}]',
        frozenset({"vipLevel", "coin"}),
        "coin_limits",
        limits.version,
    ),
    OfPrices(
        f"GET {price_file.PATH}",
        '{"symbol": …, "price": …} or a list of these',
        frozenset({"symbol", "price"}),
        price_file.imported,
    ),
)


def recognise(parts: Sequence[Part]) -> Kind:
    """The kind of response that all these files hold. Raises SnapshotError."""
    found = [(part, _kind(part)) for part in parts]
    unknown = [_unknown(part) for part, kind in found if kind is None]
    if unknown:
        raise SnapshotError(unknown)
    kinds = [(part, kind) for part, kind in found if kind is not None]
    first, kind = kinds[0]
    for part, other in kinds:
        if other is not kind:
            message = f"this is an answer of {other.call}, and {first.path} one of {kind.call}"
            hint = "import each kind by a command of its own"
            raise SnapshotError([part.problem("two-kinds", message, hint)])
    return kind


def _kind(part: Part) -> Kind | None:
    """The kind whose keys an entry has; one object counts as its own entry for prices alone."""
    entries = part.items() or [part]
    for kind in KINDS:
        single = isinstance(kind, OfRules) and not part.items()
        if not single and any(_has(entry, kind) for entry in entries):
            return kind
    return None


def _has(entry: Part, kind: Kind) -> bool:
    return isinstance(entry.value, dict) and kind.telling <= entry.value.keys()


def _unknown(part: Part) -> Problem:
    if is_refusal(part):
        return refusal(part, "figures", "the API")
    if is_account(part):
        hint = "it is decided, not imported: policy-engine decide FILE --from binance --prices FILE"
        return part.problem("unknown-response", "this is an account", hint)
    known = "; ".join(f"{kind.call}, {kind.shape}" for kind in KINDS)
    return part.problem("unknown-response", "no known response has this form", f"known: {known}")
