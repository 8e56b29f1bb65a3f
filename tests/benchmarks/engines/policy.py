"""What every engine here is given: the figures of the policy, and the shape of an answer.

The policy is the new Pro mode: collateral cut in slices, brackets of debt, open order losses, the
margin level, three statuses and three permissions. A coin or a region that is not known, a figure
that is not given, reasons and citations are left to the engine that these are compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

HAIRCUTS = (
    ("1000000", "1"),
    ("2000000", "0.975"),
    ("3000000", "0.95"),
    ("4000000", "0.9"),
    ("5000000", "0.85"),
)
"""Value held up to an edge, and the ratio at which it counts; above the last it counts 0."""

EDGES = ("1000000", "2000000", "3000000", "4000000")
INITIAL = ("0.1112", "0.1429", "0.25", "0.5")
MAINTENANCE = {
    "BTC": ("0.02", "0.03", "0.04", "0.05"),
    "USDC": ("0.03", "0.04", "0.05", "0.06"),
}
"""Rates of debt by bracket; the last one holds above the last edge too."""

MAINTENANCE |= dict.fromkeys(("ETH", "BNB", "SOL"), MAINTENANCE["BTC"])

LOW_LEVERAGE = (
    *("AE", "AT", "AU", "BH", "DK", "FI", "FR", "GB", "GI", "IE", "IT", "LU"),
    *("MT", "NO", "PL", "PT", "SC", "SE"),
)
"""Regions with 10x; the others have 20x."""

PARAMETERS = {
    "liquidation_margin_level": "1",
    "default_margin_call_ratio": "1.5",
    "transfer_out_threshold": "2",
}

VALUES = (
    *("total_asset_value", "total_liability", "total_collateral_value", "net_equity"),
    *("net_collateral", "open_order_loss", "initial_margin", "maintenance_margin"),
    *("margin_headroom", "available_margin", "margin_level", "collateral_margin_level"),
)


class Answer(NamedTuple):
    """A decision: the status, what the account may do, and its figures."""

    status: str
    trade: bool
    borrow: bool
    transfer_out: bool
    values: Mapping[str, Any]
