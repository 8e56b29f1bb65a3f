"""The oracle: a small, slow second evaluator of rule files that shares no code with the engine.

`decide` gives what the engine's decision must say, over fractions and without its wording.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from oracle_account import read_account
from oracle_figures import Provision, Rules, World
from oracle_language import Place, evaluate, key_field, parsed
from oracle_references import evaluate_gathered, mentioned
from oracle_values import (
    UNLIMITED,
    OracleError,
    Unknown,
    Value,
    instant,
    instant_text,
    rounded,
)

__all__ = ["OracleError", "decide", "in_force", "rounded"]

Document = dict[str, Any]
NEVER = instant("0001-01-01")
Shown = Fraction | str | bool | None


def decide(
    documents: Sequence[Document],
    snapshot: Mapping[str, Any],
    rules_at: str,
    known_at: str | None = None,
    watch: Callable[[str], None] = lambda event: None,
) -> dict[str, Any]:
    """The decision on a snapshot under the rules in force at `rules_at` as known at `known_at`.

    Null, undetermined and unknown things are None. `watch` hears each kind of undetermined value
    and each position in a scale that the evaluation meets. Raises `OracleError`.
    """
    moment = instant(rules_at)
    started = in_force(documents, moment, instant(known_at) if known_at else None)
    main = applicable(started, snapshot)
    versions = closure(main, started)
    rules = merged(versions)
    world = World(rules, read_account(rules, snapshot, moment), watch)
    return decision(world, main, versions)


def in_force(
    documents: Sequence[Document], rules_at: datetime, known_at: datetime | None
) -> dict[str, Document]:
    """The version of each ruleset that holds at `rules_at`, as known at `known_at`."""
    best: dict[str, Document] = {}
    for document in documents:
        known = known_at is None or announced(document) <= known_at
        if known and instant(document["effective_from"]) <= rules_at:
            other = best.setdefault(document["ruleset"], document)
            best[document["ruleset"]] = max(other, document, key=precedence)
    return best


def precedence(document: Document) -> tuple[datetime, datetime]:
    """What decides between two versions of one ruleset: the larger holds."""
    return instant(document["effective_from"]), announced(document)


def announced(document: Document) -> datetime:
    """When the version became known; null counts as always."""
    said = document.get("announced_at")
    return NEVER if said in (None, "", "null", "~") else instant(str(said))


def applicable(started: dict[str, Document], snapshot: Mapping[str, Any]) -> Document:
    """The one version whose `applies_when` is true of the snapshot."""
    having = [document for document in started.values() if document.get("applies_when")]
    matching = [document for document in having if applies(document, started, snapshot)]
    if len(matching) != 1:
        raise OracleError("two-rules-apply" if matching else "no-rules-apply")
    return matching[0]


def applies(document: Document, started: dict[str, Document], snapshot: Mapping[str, Any]) -> bool:
    """Whether the version is for this snapshot; only account texts can be asked."""
    rules = merged(closure(document, started))
    texts = {key: value for key, value in snapshot.items() if isinstance(value, str)}
    world = World(rules, {"account": [dict(texts)]}, lambda event: None)
    return evaluate(parsed(document["applies_when"]), Place(world)) is True


def closure(main: Document, started: dict[str, Document]) -> list[Document]:
    """The version and all versions it uses, each once."""
    found = [main]
    for document in found:
        for name in document.get("uses") or ():
            if name not in started:
                raise OracleError("not-started", name)
            found += [started[name]] if started[name] not in found else []
    return found


def merged(versions: Sequence[Document]) -> Rules:
    """The provisions of the versions as one."""
    rules = Rules({"account": {}}, {}, {}, {}, {})
    for document in versions:
        for section in ("parameters", "tables", "scales"):
            getattr(rules, section).update(document.get(section) or {})
        for section in ("inputs", "formulas"):
            for entity, some in (document.get(section) or {}).items():
                getattr(rules, section).setdefault(entity, {}).update(some)
    return rules


def decision(world: World, main: Document, versions: Sequence[Document]) -> dict[str, Any]:
    """Everything the rules say of the account."""
    figures = {
        entity: line_values(world, entity) for entity in world.rules.inputs if entity != "account"
    }
    values = formula_values(Place(world))
    statuses, notices = truths(world, main, "statuses"), truths(world, main, "notices")
    permissions = {
        name: {rule: truth(world, said) for rule, said in provision["refuse_when"].items()}
        for name, provision in (main.get("permissions") or {}).items()
    }
    status = status_of(statuses)
    for text in expressions(main, versions):
        evaluate_gathered(parsed(text), world)
    unknown = [
        *null_names("", values),
        *null_lines(world, figures),
        *([] if status else ["status"] if statuses else []),
        *null_names("permissions.", {name: answer(some) for name, some in permissions.items()}),
        *null_names("notices.", notices),
    ]
    return {
        "status": status,
        "values": show_all(values),
        **{entity: show_lines(world, entity, lines) for entity, lines in figures.items()},
        "permissions": {name: permission(permissions[name]) for name in sorted(permissions)},
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


def answer(refusals: dict[str, Value]) -> Value:
    """Whether something is permitted, given its refusals."""
    if any(value is True for value in refusals.values()):
        return False
    return next((value for value in refusals.values() if isinstance(value, Unknown)), True)


def permission(refusals: dict[str, Value]) -> dict[str, Any]:
    """The permission as a decision shows it."""
    reasons = [rule for rule, value in refusals.items() if value is True]
    return {"permitted": show(answer(refusals)), "reasons": reasons}


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
        yield from (("account", said) for said in provision["refuse_when"].values())
