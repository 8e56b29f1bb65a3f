"""Random rule folders and accounts for comparing the engine with the oracle.

`rule_files`, `account` and `moments` depend on the random generator only, so a seed repeats them.
"""

from random import Random

from generator_accounts import account
from generator_coverage import Coverage
from generator_documents import (
    DAYS,
    Author,
    Document,
    Ruleset,
    changed,
    finished,
    inputs_of_all,
    some_inputs,
)
from generator_terms import Scope
from generator_yaml import to_yaml

__all__ = ["Coverage", "account", "file_names", "moments", "rule_files", "to_yaml"]

HOURS = ("T00:00:00Z", "T06:00:00Z", "T10:00:00Z", "T13:00:00Z")
START = "2023-01-12T00:00:00Z"


def rule_files(rng: Random, author: type[Author] = Author) -> list[Document]:
    """The documents of a rule folder: rulesets, each in several versions, some corrected.

    The `author` writes those that apply to accounts.
    """
    inputs = inputs_of_all(rng)
    lower = Ruleset("generated_limits", "low", some_inputs(rng, inputs), {}, size=4)
    made, lower_scope = used_versions(rng, lower)
    uses = {lower.name: lower_scope}
    if rng.random() < 0.6:
        between = {lower.name: lower_scope} if rng.random() < 0.5 else {}
        upper = Ruleset("generated_tiers", "mid", some_inputs(rng, inputs), between, size=4)
        documents, scope = used_versions(rng, upper)
        made += documents
        uses = {upper.name: scope} | ({} if between and rng.random() < 0.5 else uses)
    main = Ruleset("generated_main", "main", inputs, uses, "pro", 12)
    made += main_versions(rng, main, author)
    if rng.random() < 0.5:
        other = Ruleset("generated_classic", "old", inputs, uses, "classic", 6)
        made += main_versions(rng, other, author)
    return made


def used_versions(rng: Random, ruleset: Ruleset) -> tuple[list[Document], Scope]:
    """Versions of a used ruleset, all of one shape, from the start; and what others see of it."""
    author = Author(rng, ruleset, ruleset.inputs)
    documents = [finished(author.document(), START, "null")]
    for effective in later(rng, rng.randint(0, 2)):
        documents += dated(rng, changed(rng, documents[-1]), effective)
    return documents, author.exported


def main_versions(rng: Random, ruleset: Ruleset, author: type[Author]) -> list[Document]:
    """Versions of a ruleset that applies to accounts, each written anew."""
    documents: list[Document] = []
    for effective in later(rng, rng.randint(1, 3), early=True):
        declared = some_inputs(rng, ruleset.inputs)
        documents += dated(rng, author(rng, ruleset, declared).document(), effective)
    return documents


def later(rng: Random, count: int, early: bool = False) -> list[str]:
    """So many instants in order, at times two on one day; `early`: mostly from the first day."""
    days = sorted(rng.sample(DAYS, count))
    if early and rng.random() < 0.8:
        days[0] = DAYS[0]
    moments = [day + rng.choice(HOURS[:3]) for day in days]
    if moments and rng.random() < 0.15:
        moments.append(days[-1] + HOURS[3])
    return moments


def dated(rng: Random, document: Document, effective: str) -> list[Document]:
    """The version from this instant, at times with a correction announced later."""
    announced = rng.choice(("null", "2023-12-01T00:00:00Z", shifted(effective, -1)))
    versions = [finished(document, effective, announced)]
    if rng.random() < 0.3:
        reason = {"corrects": {"reason": "Some figures were copied wrongly."}}
        corrected = finished(changed(rng, document), effective, shifted(effective, 1))
        versions.append(corrected | reason)
    return versions


def shifted(instant: str, months: int) -> str:
    """The instant so many months later, on the 7th."""
    month = int(instant[:4]) * 12 + int(instant[5:7]) - 1 + months
    return f"{month // 12}-{month % 12 + 1:02}-07{instant[10:]}"


def file_names(documents: list[Document]) -> list[str]:
    """The path of each document in a rule folder, such as `generated_main/2025-01-21+2.yaml`."""
    taken: list[str] = []
    for document in documents:
        effective = document["effective_from"]
        stem = f"{document['ruleset']}/{effective[:10]}"
        first = next((path for path in taken if path.startswith(f"{stem}.")), None)
        if first and first_effective(documents, taken, first) != effective:
            stem += effective[10:13]
        taken.append(stem + ("+2" if "corrects" in document else "") + ".yaml")
    return taken


def first_effective(documents: list[Document], taken: list[str], path: str) -> str:
    """From when the document with this path holds."""
    return str(documents[taken.index(path)]["effective_from"])


def moments(rng: Random, documents: list[Document]) -> tuple[str, str | None]:
    """An instant of the rules and one of knowledge (or None), often exactly a boundary."""
    mains = sorted({str(one["effective_from"]) for one in documents if "applies_when" in one})
    starts = [str(document["effective_from"]) for document in documents]
    told = sorted({str(document["announced_at"]) for document in documents} - {"null"})
    rules_at = rng.choice(
        [*mains, *mains, *mains, *starts[1:], max(starts), "2025-12-01T00:00:00Z"]
    )
    if rng.random() < 0.03:
        rules_at = "2023-06-30T23:59:59.999999Z"
    known_at = rng.choice([*told[-3:], "2026-01-01T00:00:00Z"])
    return rules_at, known_at if rng.random() < 0.4 else None
