"""Names that are declared and never used."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.checks.combinations import Combination
from policy_engine.checks.subject import Subject
from policy_engine.errors import Problem
from policy_engine.language.plan import Gather, Plan
from policy_engine.model import ACCOUNT, LISTS, Effect, Version

_SECTIONS = ("parameters", "tables", "scales")


def unused_name(subject: Subject) -> Iterator[Problem]:
    """A parameter, table, scale, input, source or assumption that nothing uses.

    Why: A reader takes it for part of the rules. It is left over, or the formula that should read
    it reads something else.
    Avoid: a parameter `lowest_ratio` that no formula and no condition names
    Prefer: when: ratio < lowest_ratio, or no such parameter
    """
    used = _used_by_versions(subject)
    for version in subject.book.versions:
        yield from _unused(version, used.get(version.id, frozenset()))
        yield from _unsaid(version)


def _used_by_versions(subject: Subject) -> Mapping[str, set[str]]:
    """The names that formulas read, by the versions in which they may stand."""
    found: dict[str, set[str]] = {}
    plans = [(versions, plan) for versions, plan, _ in subject.plans if plan is not None]
    plans += [(one.versions, one.plan) for one in subject.requests if one.plan is not None]
    for versions, plan in plans:
        for name in _names_read(versions, plan):
            for version in versions:
                found.setdefault(version.id, set()).add(name)
    return found


def _names_read(versions: Combination, plan: Plan) -> Iterator[str]:
    yield from plan.used
    for figure in plan.figures():
        yield from (*figure.reads, *figure.looks)
        if not isinstance(figure, Gather):
            yield from (node.id for node in ast.walk(figure.tree) if isinstance(node, ast.Name))
    for version in versions:
        yield from _named_elsewhere(version)


def _named_elsewhere(version: Version) -> Iterator[str]:
    """What is named beside formulas: where hours add up, and what requests change or bring."""
    for formulas in version.formulas.values():
        for accrual in (one.accrues for one in formulas.values() if one.accrues):
            yield from (f"{accrual.of}.{name}" for name in (accrual.to, accrual.by))
            yield from (f"{accrual.of}.{name}" for name in (*accrual.covers,))
            yield from (f"{one}.{accrual.by}" for one in LISTS)
    for request in version.requests.values():
        for effect in request.effects:
            yield from _set(effect, request.inputs)
    if version.applies_when is not None:
        tree = version.applies_when.tree
        yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _set(effect: Effect, inputs: Mapping[str, Any]) -> Iterator[str]:
    line = inputs[effect.line].key_of if effect.line else effect.add
    yield from (f"{line}.{name}" if line else name for name in effect.sets)


def _unused(version: Version, used: frozenset[str] | set[str]) -> Iterator[Problem]:
    for section in _SECTIONS:
        for name, item in getattr(version, section).items():
            if name not in used:
                yield _problem(section.removesuffix("s"), name, item.place)
    for entity, inputs in version.inputs.items():
        for name, given in inputs.items():
            full = name if entity == ACCOUNT else f"{entity}.{name}"
            if full not in used and not given.key and not given.key_of:
                yield _problem("input", name, given.place)


def _unsaid(version: Version) -> Iterator[Problem]:
    """The sources that nothing cites, and the assumptions that nothing makes."""
    cited, assumed = set[str](), set[str]()
    for part in _mappings(version.document):
        if isinstance(part.get("citation"), dict):
            cited.add(part["citation"]["source"])
        for key in ("assumes", "otherwise_assumes"):
            assumed |= set(part.get(key) or ())
    for section, said in (("sources", cited), ("assumptions", assumed)):
        for name in getattr(version, section):
            if name not in said:
                place = version.place((section, name), key=True)
                yield _problem(section.removesuffix("s"), name, place)


def _mappings(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        content = list(content.values())
    for part in content if isinstance(content, list) else ():
        yield from _mappings(part)


def _problem(what: str, name: str, place: Any) -> Problem:
    hint = "take it out, or use it"
    return Problem("unused-name", f"nothing uses the {what} `{name}`", hint, place)
