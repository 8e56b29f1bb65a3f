"""Reports as one page each: everything is in it, nothing is loaded and no script runs."""

from policy_engine.render.html.diff import diff_page
from policy_engine.render.html.impact import impact_page
from policy_engine.render.html.page import State

__all__ = ["State", "diff_page", "impact_page"]
