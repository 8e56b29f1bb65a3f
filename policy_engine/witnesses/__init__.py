"""Boundary witnesses: for each test of the rules that changed, accounts at its old and new edge."""

from policy_engine.witnesses.boundary import Boundary, Told, Witness
from policy_engine.witnesses.find import witnesses

__all__ = ["Boundary", "Told", "Witness", "witnesses"]
