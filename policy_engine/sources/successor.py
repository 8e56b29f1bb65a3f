"""The version of a ruleset that follows another: other figures under the same names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from policy_engine.errors import Problem, RulesError
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.shapes import schema
from policy_engine.sources.understood import Terms, listed

_OF_ITS_OWN = ("completes_within", "corrects")
"""What a version says of itself alone."""

_WITH_THE_FIGURES = ("citation", "note", "assumes", "otherwise_assumes")


def successor(
    before: Version,
    terms: Terms,
    summary: str,
    sources: Mapping[str, Any],
    sections: Mapping[str, Mapping[str, Any]],
    assumptions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The data of a whole rule file: that of the version before, with these parts of sections.

    Sources and assumptions that nothing in it names any more are left out.
    """
    announced = terms.announced_at
    made = {key: item for key, item in before.document.items() if key not in _OF_ITS_OWN}
    made["effective_from"] = instant_text(terms.effective_from)
    made["announced_at"] = None if announced is None else instant_text(announced)
    made["summary"] = summary
    for name, parts in sections.items():
        made[name] = {**made.get(name, {}), **parts}
    cited, assumed = set(_sources(made)), set(_assumptions(made))
    made["sources"] = _only(cited, {**made["sources"], **sources})
    made["assumptions"] = _only(assumed, {**made.get("assumptions", {}), **(assumptions or {})})
    order = schema("ruleset")["properties"]
    return {key: made[key] for key in order if key in made and made[key] != {}}


def _only(names: Collection[str], held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in held.items() if name in names}


def part_of(before: Version, section: str, name: str) -> Mapping[str, Any]:
    """A table or scale of the version in force. Raises RulesError if there is none of that name."""
    held: Mapping[str, Any] | None = before.document.get(section, {}).get(name)
    if held is not None:
        return held
    message = f"`{before.id}` has no {section.removesuffix('s')} `{name}`, which this would fill"
    raise misfit(before, (section,), message)


def figures_aside(part: Mapping[str, Any]) -> dict[str, Any]:
    """What a table or scale says beside its figures and where they are from."""
    return {key: item for key, item in part.items() if key not in _WITH_THE_FIGURES}


def above_last(scale: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The rate above the last edge of a scale, as written, and the assumptions it rests on."""
    above = scale["above_last"]
    if isinstance(above, dict):
        return above["rate"], tuple(above.get("assumes", ()))
    return above, ()


def misfit(before: Version, at: tuple[str | int, ...], message: str) -> RulesError:
    """The error that a version in force has not the form that a response can fill."""
    hint = "import it into rules whose ruleset has the form of the shipped ones, or write the file"
    return RulesError([Problem("no-place-for-it", message, hint, before.place(at))])


def without(names: Collection[str], answered: Collection[str]) -> dict[str, list[str]]:
    """`assumes` with the names that the response does not answer; nothing where none is left."""
    left = [name for name in names if name not in answered]
    return {"assumes": left} if left else {}


def changes(before: Version, made: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What of the version before is kept as it stands, and what is left out, as remarks."""
    kept = [name for name in before.document if name in made and made[name] is not None]
    same = [name for name in kept if before.document[name] == made[name] and name != "ruleset"]
    if same:
        yield "Kept", f"{listed(f'`{name}`' for name in same)} of {before.id}, as a whole"
    for section in ("assumptions", "sources"):
        gone = [
            name for name in before.document.get(section, {}) if name not in made.get(section, {})
        ]
        if gone:
            yield "Dropped", f"{section}: {listed((f'`{name}`' for name in gone), 9)}"


def _sources(value: Any) -> Iterator[str]:
    """The names of all sources that a document cites."""
    for mapping in _mappings(value):
        if isinstance(mapping.get("citation"), dict):
            yield mapping["citation"]["source"]


def _assumptions(value: Any) -> Iterator[str]:
    """The names of all assumptions that a document rests on."""
    for mapping in _mappings(value):
        for key in ("assumes", "otherwise_assumes"):
            yield from mapping.get(key, ())


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from _mappings(item)
