"""The oracle: a small, slow second evaluator of rule files that shares no code with the engine.

`decide` gives what the engine's decision must say, over fractions and without its wording.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from oracle_case import Books, Case, Document, Watch, books, case, in_force, silent
from oracle_figures import Provision, Rules, World
from oracle_language import Place, evaluate, key_field, parsed
from oracle_references import evaluate_gathered, mentioned
from oracle_requests import permissions
from oracle_values import (
    UNLIMITED,
    OracleError,
    Unknown,
    Value,
    instant,
    instant_text,
    rounded,
)

__all__ = ["OracleError", "decide", "decided", "in_force", "rounded"]

Shown = Fraction | str | bool | None


def decide(
    documents: Sequence[Document],
    snapshot: Mapping[str, Any],
    rules_at: str,
    known_at: str | None = None,
    watch: Watch = silent,
) -> dict[str, Any]:
    """The decision on a snapshot under the rules in force at `rules_at` as known at `known_at`.

    Null, undetermined and unknown things are None. `watch` hears each kind of undetermined value
    and each position in a scale that the evaluation meets. Raises `OracleError`.
    """
    return decided(books(documents, rules_at, known_at), snapshot, watch)


def decided(there: Books, snapshot: Mapping[str, Any], watch: Watch = silent) -> dict[str, Any]:
    """The decision on a snapshot under what is in force."""
    said = decision(account := case(there, snapshot, watch))
    under = under_way(account.versions, there.moment)
    return said | {"assumptions": sorted([*said["assumptions"], *under])}


def under_way(versions: Sequence[Document], moment: datetime) -> Iterator[str]:
    """What is assumed of each version whose change may not have reached every account yet."""
    for document in versions:
        if "completes_within" in document:
            count, unit = document["completes_within"].split()
            window = timedelta(**{unit.removesuffix("s") + "s": int(count)})
            if moment < instant(document["effective_from"]) + window:
                yield f"completes_within.{document['ruleset']}"


def decision(account: Case) -> dict[str, Any]:
    """Everything the rules say of the account."""
    world, main, versions = account.world, account.main, account.versions
    figures = {
        entity: line_values(world, entity) for entity in world.rules.inputs if entity != "account"
    }
    values = formula_values(Place(world))
    statuses, notices = truths(world, main, "statuses"), truths(world, main, "notices")
    status, rulings = status_of(statuses), permissions(account)
    for text in expressions(main, versions):
        evaluate_gathered(parsed(text), world)
    unknown = [
        *null_names("", values),
        *null_lines(world, figures),
        *([] if status else ["status"] if statuses else []),
        *(f"permissions.{name}" for name, said in rulings.items() if said.permitted is None),
        *null_names("notices.", notices),
    ]
    return {
        "status": status,
        "values": show_all(values),
        **{entity: show_lines(world, entity, lines) for entity, lines in figures.items()},
        "permissions": {
            name: {"permitted": said.permitted, "reasons": sorted(said.reasons)}
            for name, said in rulings.items()
        },
        "notices": sorted(name for name, value in notices.items() if value is True),
        "assumptions": sorted(world.reached | set(assumed(world.rules, main, versions))),
        "undetermined": sorted(unknown),
    }


def formula_values(place: Place) -> dict[str, Value]:
    """The value of every formula of the place's entity."""
    names = place.world.rules.formulas.get(place.entity, {})
    return {name: place.formula(name) for name in names}


def line_values(world: World, entity: str) -> list[dict[str, Value]] | None:
    """The formulas' values on every line of a list; None if the list is unknown."""
    lines = world.lines[entity]
    if lines is None:
        return None
    return [formula_values(Place(world, entity, index)) for index in range(len(lines))]


def truth(world: World, provision: Provision) -> Value:
    """Whether the provision's `when` holds; one without a `when` always does."""
    return evaluate(parsed(provision["when"]), Place(world)) if "when" in provision else True


def truths(world: World, document: Document, section: str) -> dict[str, Value]:
    """Whether each provision of a section holds, in the document's order."""
    return {name: truth(world, said) for name, said in (document.get(section) or {}).items()}


def status_of(statuses: dict[str, Value]) -> str | None:
    """The first status that holds; None if an undetermined one comes before it."""
    met = (
        name if value is True else None for name, value in statuses.items() if value is not False
    )
    return next(met, None)


def null_names(prefix: str, values: dict[str, Value]) -> list[str]:
    """The names of the values that are unknown."""
    return [prefix + name for name, value in values.items() if isinstance(value, Unknown)]


def null_lines(world: World, figures: dict[str, list[dict[str, Value]] | None]) -> Iterator[str]:
    """The names of the unknown values on lines: entity, key or index, value."""
    for entity, lines in figures.items():
        key = key_field(world.rules, entity)
        for index, values in enumerate(lines or ()):
            line = (world.lines[entity] or [])[index]
            yield from null_names(f"{entity}.{line[key] if key else index}.", values)


def show(value: Value) -> Shown:
    """A value as the decision shows it."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, float):
        return "unlimited" if value == UNLIMITED else None
    return instant_text(value) if isinstance(value, datetime) else value


def show_all(values: dict[str, Value]) -> dict[str, Shown]:
    """Values by sorted name as the decision shows them."""
    return {name: show(values[name]) for name in sorted(values)}


def show_lines(
    world: World, entity: str, lines: list[dict[str, Value]] | None
) -> list[dict[str, Shown]] | None:
    """Lines as the decision shows them: the key, if any, and the formulas' values."""
    if lines is None:
        return None
    key = key_field(world.rules, entity)
    given = world.lines[entity] or []
    keys = [{key: line[key]} if key else {} for line in given]
    return [show_all({**own, **values}) for own, values in zip(keys, lines, strict=True)]


def assumed(rules: Rules, main: Document, versions: Sequence[Document]) -> Iterator[str]:
    """The assumptions listed whatever the account: (a) and (b) of the semantics."""
    for entity, provision in provisions(main, versions):
        yield from provision.get("assumes", ())
        text = provision.get("expression", provision.get("when"))
        if text is not None:
            for named in mentioned(parsed(text), entity, rules):
                yield from named.get("assumes", ())


def expressions(main: Document, versions: Sequence[Document]) -> Iterator[str]:
    """The text of every expression of the plan."""
    for _, provision in provisions(main, versions):
        text = provision.get("expression", provision.get("when"))
        if text is not None:
            yield text


def provisions(main: Document, versions: Sequence[Document]) -> Iterator[tuple[str, Provision]]:
    """Every provision of the plan that may hold an expression, with the entity it stands on."""
    for document in versions:
        for entity, formulas in (document.get("formulas") or {}).items():
            yield from ((entity, said) for said in formulas.values())
    for section in ("statuses", "notices", "permissions"):
        yield from (("account", said) for said in (main.get(section) or {}).values())
    for provision in (main.get("permissions") or {}).values():
        yield from (("account", said) for said in (provision.get("refuse_when") or {}).values())
