"""The policy of `cross_margin_pro@2025-01-21` as other engines would have it."""
