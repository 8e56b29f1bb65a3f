"""Whole books in files: decided part by part, so that a run that is ended can be gone on with."""

from policy_engine.portfolio.files.run import Finished, Order, run

__all__ = ["Finished", "Order", "run"]
