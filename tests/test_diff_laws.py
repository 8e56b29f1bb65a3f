"""Laws of `diff`, for the pairs in `diffs/`, shipped and generated rules, and what is done to them.

What differs one way differs the other way round; spelling and order are no difference; whatever
else is done to a rule file is told, under the name of what it was done to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from differences import PAIRS, check_laws
from generator import file_names, rule_files, to_yaml
from policy_engine import Rulebook, RulesError
from policy_engine.diff import compare
from policy_engine.diff.change import Change
from policy_engine.document import read_yaml
from policy_engine.model import Version
from policy_engine.schema import problems, shaped
from policy_engine.versions import read_version
from test_laws import FILES, _changed, _leaves, _other, _respelled, _shuffled

# Any two states

each_pair = pytest.mark.parametrize("name", PAIRS)


@each_pair
def test_the_laws_hold_of_a_pair(name: str) -> None:
    held = PAIRS[name]
    check_laws(held.versions(held.old), held.versions(held.new))


@each_pair
def test_a_rulebook_does_not_differ_from_itself(name: str) -> None:
    held = PAIRS[name]
    for side in (held.old, held.new):
        assert compare(held.versions(side), held.versions(side), dates=True).changes == ()


SHIPPED = Rulebook.load()


def _successive() -> Iterator[tuple[Version, Version]]:
    """Each shipped version and the next, and some versions of one ruleset further apart."""
    rng = Random("apart")
    for versions in SHIPPED.rulesets.values():
        yield from pairwise(versions)
        yield from ((one, other) for one, other in (rng.sample(versions, 2) for _ in versions[2:]))


@pytest.mark.parametrize(
    "sides", list(_successive()), ids=lambda sides: f"{sides[0].id}-{sides[1].id}"
)
def test_the_laws_hold_of_shipped_versions(sides: tuple[Version, Version]) -> None:
    old, new = sides
    assert check_laws([old], [new]) > 2
    check_laws([old], [new], dates=False)


@pytest.mark.parametrize("seed", range(20))
def test_the_laws_hold_of_generated_versions(seed: int) -> None:
    documents = rule_files(Random(f"diff {seed}"))
    names = file_names(documents)
    book = Rulebook((name, to_yaml(one)) for name, one in zip(names, documents, strict=True))
    for versions in book.rulesets.values():
        for old, new in pairwise(versions):
            check_laws([old], [new])
    starts = sorted({version.effective_from for version in book.versions})
    states = [list(book.in_force(start).versions.values()) for start in starts]
    for before, after in pairwise(states):
        check_laws(before, after)


# Laws of one file and what is done to it


def version(path: Path, data: Any) -> Version:
    """The version of a rule file with other data, or text. Raises RulesError where it is none."""
    text = data if isinstance(data, str) else to_yaml(data)
    document = read_yaml(text, path.as_posix())
    if found := problems(document, "ruleset"):
        raise RulesError(found)
    return read_version(document, shaped(document, "ruleset"))


def _documents() -> Iterator[tuple[Path, str]]:
    """The shipped rule files, and one of each pair: those hold what no shipped file has yet."""
    yield from ((path, path.read_text("utf-8")) for path in FILES)
    for name, pair in PAIRS.items():
        path, text = pair.new[0]
        yield Path(f"{name}/{path}"), text


DOCUMENTS = dict(_documents())


@cache
def known(path: Path) -> tuple[Any, Version]:
    """The data of a rule file, every scalar as it is written, and its version."""
    data = yaml.load(DOCUMENTS[path], yaml.BaseLoader)
    return data, version(path, DOCUMENTS[path])


TABLE = """\
ruleset: laws
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: A table.
sources: {}
tables: {t: {title: T, unit: ratio, otherwise: 0, TABLE}}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            'by: [text, text], rows: [{value: 1, when: [["a,b", c], [a, "b,c"]]}]',
            'by: [text, text], rows: [{value: 2, when: [["a,b", c], [a, "b,c"]]}]',
        ),
        (
            "by: text, rows: [{value: 1, when: [1, 2]}]",
            "by: number, rows: [{value: 1, when: [1, 2]}]",
        ),
    ],
    ids=["commas", "numbers"],
)
def test_keys_that_look_alike_have_ids_of_their_own(old: str, new: str) -> None:
    path = Path("laws/2025-01-01.yaml")
    before, after = (version(path, TABLE.replace("TABLE", text)) for text in (old, new))
    changes = compare([before], [after]).changes
    assert len(changes) > 1
    assert len({change.id for change in changes}) == len(changes)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_spelling_and_order_are_no_change(path: Path) -> None:
    data, said = known(path)
    respelled = data
    for at, leaf in _leaves(data):
        if at[-1] in ("value", "to", "rate", "otherwise") and _is_number(data, at):
            respelled = _changed(respelled, at, _respelled(leaf))
        if at[-1] in ("expression", "when", "applies_when"):
            respelled = _changed(respelled, at, f"({leaf} )")
    for other in (
        "# A remark.\n\n" + DOCUMENTS[path].replace("\n\n", "\n\n# Another.\n\n"),
        _shuffled(data, Random(path.stem)),
        _rows_turned(data),
        respelled,
    ):
        assert compare([said], [version(path, other)], dates=True).changes == ()


def _is_number(data: Any, at: tuple[Any, ...]) -> bool:
    return at[0] not in ("parameters", "tables") or "gives" not in data[at[0]][at[1]]


def _rows_turned(data: Any) -> Any:
    """The same with the rows of each table, and the keys of each row, in the opposite order."""
    tables = {
        name: table | {"rows": [row | {"when": row["when"][::-1]} for row in table["rows"][::-1]]}
        for name, table in data.get("tables", {}).items()
    }
    return data | ({"tables": tables} if tables else {})


Mutation = Callable[[Any, Random], tuple[tuple[Any, ...], Any]]


def _another_text(data: Any, rng: Random) -> tuple[tuple[Any, ...], Any]:
    """One text or number is another."""
    at, text = rng.choice(list(_leaves(data)))
    return at, _changed(data, at, _other(at, text))


def _holders(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each mapping and list of more than one item, with its path."""
    if len(data) > 1:
        yield at, data
    for key, item in data.items() if isinstance(data, dict) else enumerate(data):
        if isinstance(item, (dict, list)):
            yield from _holders(item, (*at, key))


def _put(data: Any, at: tuple[Any, ...], held: Any) -> Any:
    """The same with another mapping or list at a path."""
    if not at:
        return held
    made = data.copy()
    made[at[0]] = _put(data[at[0]], at[1:], held)
    return made


def _without_an_item(data: Any, rng: Random) -> tuple[tuple[Any, ...], Any]:
    at, held = rng.choice(list(_holders(data)))
    key = rng.choice(list(held) if isinstance(held, dict) else range(len(held)))
    made = held.copy()
    del made[key]
    return (*at, key), _put(data, at, made)


def _under_another_name(data: Any, rng: Random) -> tuple[tuple[Any, ...], Any]:
    holders = [(at, held) for at, held in _holders(data) if isinstance(held, dict)]
    at, held = rng.choice(holders)
    key = rng.choice(list(held))
    made = {f"{name}_too" if name == key else name: item for name, item in held.items()}
    return (*at, key), _put(data, at, made)


def _one_more(data: Any, rng: Random) -> tuple[tuple[Any, ...], Any]:
    """An item of a mapping or list once more, under another name."""
    at, held = rng.choice(list(_holders(data)))
    if isinstance(held, list):
        made = [*held, "MORE" if isinstance(held[0], str) else held[0]]
        return (*at, len(held)), _put(data, at, made)
    key = rng.choice(list(held))
    return (*at, key), _put(data, at, {f"{key}_too": held[key], **held})


def _in_another_order(data: Any, rng: Random) -> tuple[tuple[Any, ...], Any]:
    at, held = rng.choice(list(_holders(data)))
    keys = list(held) if isinstance(held, dict) else list(range(len(held)))
    rng.shuffle(keys)
    made = {key: held[key] for key in keys}
    return at, _put(data, at, made if isinstance(held, dict) else list(made.values()))


MUTATIONS: tuple[Mutation, ...] = (
    _another_text,
    _another_text,
    _without_an_item,
    _under_another_name,
    _one_more,
    _in_another_order,
)
UNORDERED = frozenset(
    {"assumes", "otherwise_assumes", "uses", "requires", "shows", "one_of", "effects"}
)
"""Lists whose order decides nothing."""


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(list(DOCUMENTS)), st.sampled_from(MUTATIONS), st.integers(0, 2**32))
def test_what_a_mutation_changes_is_told(path: Path, mutate: Mutation, seed: int) -> None:
    data, said = known(path)
    at, made = mutate(data, Random(seed))
    try:
        other = version(path, made)
    except RulesError:
        assume(False)
    assume(other.ruleset == said.ruleset)
    check_laws([said], [other])
    found = compare([said], [other], dates=True).changes
    if other.digest == said.digest or (mutate is _in_another_order and _free(at)):
        assert found == ()
        return
    assert found != ()
    assert {change.path[0] for change in found} == {at[0] if at else found[0].path[0]}
    if len(at) > 1 and at[0] not in ("statuses", "uses", "corrects"):
        assert all(_about(change, at) for change in found), [change.id for change in found]


def _free(at: tuple[Any, ...]) -> bool:
    return bool(at) and at[-1] in UNORDERED


def _about(change: Change, at: tuple[Any, ...]) -> bool:
    """Whether a change is of the named item that a path leads into, or of its other name."""
    return change.path[1:2] in {at[1:2], (f"{at[1]}_too",)}


# Formulas

FORMULA = """\
ruleset: laws
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: A formula.
sources: {}
inputs: {account: {a: {type: number, unit: ratio}, b: {type: number, unit: ratio}, c: {type: number, unit: ratio}}}
formulas: {account: {x: {title: Figure, unit: ratio, expression: "FORMULA"}}}
"""  # noqa: E501
_NAMES = ("a", "b", "c")
_LEAVES = st.sampled_from([*_NAMES, "1"])


def _joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(parts, st.sampled_from("+-*/+-*"), parts)
    calls = st.tuples(parts, parts).map(lambda two: f"max({two[0]}, {two[1]})")
    return st.one_of(pairs.map(lambda p: f"({p[0]} {p[1]} {p[2]})"), calls)


EXPRESSIONS = st.recursive(_LEAVES, _joined, max_leaves=5)
POINTS = [
    dict(zip(_NAMES, map(Fraction, point), strict=True)) for point in ((2, 3, 7), (5, -4, 11))
]


def _formula_changes(old: str, new: str) -> tuple[Change, ...]:
    path = Path("laws/2025-01-01.yaml")
    before, after = ([version(path, FORMULA.replace("FORMULA", text))] for text in (old, new))
    check_laws(before, after)
    return compare(before, after, dates=True).changes


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, st.randoms(use_true_random=False))
def test_formulas_that_do_not_differ_give_the_same(old: str, rng: Random) -> None:
    new = _swapped(old, rng)
    values = [[_value(text, point) for point in POINTS] for text in (old, new)]
    assert values[0] == values[1] or _formula_changes(old, new)


def _swapped(text: str, rng: Random) -> str:
    """The same formula with two of its names, or two of its signs, in each other's place."""
    words = re.findall(r"\w+|[-+*/(),]", text)
    kind = rng.choice([{*_NAMES, "1"}, {*"+-*/"}])
    spots = [spot for spot, word in enumerate(words) if word in kind]
    one, other = rng.choice(spots or [0]), rng.choice(spots or [0])
    words[one], words[other] = words[other], words[one]
    return " ".join(words)


def _value(text: str, point: dict[str, Fraction]) -> Fraction | None:
    exact = re.sub(r"\b1\b", "one", text)
    try:
        return eval(exact, {"max": max, "one": Fraction(1)}, dict(point))  # type: ignore[no-any-return]
    except ZeroDivisionError:
        return None


TERMS = st.lists(st.tuples(st.sampled_from("+-"), EXPRESSIONS), min_size=2, max_size=5)


@settings(max_examples=150, deadline=None)
@given(TERMS, st.randoms(use_true_random=False), st.integers(0, 4))
def test_the_order_of_a_sum_is_no_change(
    terms: list[tuple[str, str]], rng: Random, cut: int
) -> None:
    other = rng.sample(terms, len(terms))
    assert _formula_changes(_sum(terms), _sum(other)) == ()
    kept, taken = other[:cut], other[cut:]
    if kept and taken:
        turned = [({"+": "-", "-": "+"}[sign], text) for sign, text in taken]
        assert _formula_changes(_sum(terms), f"{_sum(kept)} - ({_sum(turned)})") == ()


def _sum(terms: list[tuple[str, str]]) -> str:
    return "".join(f" {sign} {text}" for sign, text in terms).removeprefix(" + ").strip()
