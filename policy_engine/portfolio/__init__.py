"""Books of accounts: batches decided account for account as `rules.decide` would."""

try:
    from policy_engine.portfolio.batches import decide
except ModuleNotFoundError as missing:
    if missing.name not in ("numpy", "pyarrow"):
        raise
    message = "whole books need numpy and pyarrow: pip install 'policy-engine[portfolio]'"
    raise ModuleNotFoundError(message, name=missing.name) from None

__all__ = ["decide"]
