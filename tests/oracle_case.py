"""Which rules apply to an account, and the account under them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oracle_account import read_account
from oracle_figures import Rules, World
from oracle_language import Place, evaluate, parsed
from oracle_values import OracleError, instant

Document = dict[str, Any]
Snapshot = Mapping[str, Any]
Watch = Callable[[str], None]
NEVER = instant("0001-01-01")


def silent(_event: str) -> None:
    """Hears nothing."""


@dataclass
class Books:
    """Every document, and what was in force at an instant as known at another.

    `merged` keeps what each applicable ruleset says with those it uses.
    """

    documents: Sequence[Document]
    moment: datetime
    known: datetime | None
    started: dict[str, Document]
    merged: dict[str, tuple[list[Document], Rules]] = field(default_factory=dict)

    def under(self, main: Document) -> tuple[list[Document], Rules]:
        """The version with all it uses, and their provisions as one."""
        if main["ruleset"] not in self.merged:
            versions = closure(main, self.started)
            self.merged[main["ruleset"]] = versions, merged(versions)
        return self.merged[main["ruleset"]]


def books(documents: Sequence[Document], rules_at: str, known_at: str | None = None) -> Books:
    """What is in force at `rules_at` as known at `known_at`."""
    moment, known = instant(rules_at), instant(known_at) if known_at else None
    return Books(documents, moment, known, in_force(documents, moment, known))


@dataclass(frozen=True)
class Case:
    """An account under the version that applies to it and all versions that it uses."""

    books: Books
    snapshot: Snapshot
    main: Document
    versions: list[Document]
    world: World


def case(there: Books, snapshot: Snapshot, watch: Watch = silent) -> Case:
    """The account under the rules that apply to it.

    Raises `OracleError` for an account that has no decision.
    """
    main = applicable(there, snapshot)
    versions, rules = there.under(main)
    lines = read_account(rules, snapshot, there.moment)
    return Case(there, snapshot, main, versions, World(rules, lines, watch))


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


def applicable(there: Books, snapshot: Snapshot) -> Document:
    """The one version whose `applies_when` is true of the snapshot."""
    having = [document for document in there.started.values() if document.get("applies_when")]
    matching = [document for document in having if applies(document, there, snapshot)]
    if len(matching) != 1:
        raise OracleError("two-rules-apply" if matching else "no-rules-apply")
    return matching[0]


def applies(document: Document, there: Books, snapshot: Snapshot) -> bool:
    """Whether the version is for this snapshot; only account texts can be asked."""
    _, rules = there.under(document)
    texts = {key: value for key, value in snapshot.items() if isinstance(value, str)}
    world = World(rules, {"account": [dict(texts)]}, silent)
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
