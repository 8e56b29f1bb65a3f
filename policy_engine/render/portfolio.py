"""What came of a whole book of accounts, as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from policy_engine.numbers import instant_text, text_of
from policy_engine.render.impact import name_text, shown
from policy_engine.render.layout import Page, columns_of, on_the_point, padded
from policy_engine.rules import Rules

if TYPE_CHECKING:
    from policy_engine.layout import InForce
    from policy_engine.policy import Compiled
    from policy_engine.portfolio.files.sql import Found
    from policy_engine.portfolio.files.tally import Tally

JSON, CSV = "json", "csv"
_LONGEST = 60


@dataclass(frozen=True)
class Summary:
    """What is told of a book: its counts, by which rules, from which file into which."""

    tally: Tally
    rules: Rules
    source: str
    output: str

    @cached_property
    def _deciding(self) -> Mapping[str, Compiled]:
        """What decided, by the digest that stands on its rows."""
        from policy_engine.portfolio.batches import portfolio
        from policy_engine.portfolio.outcome import rules_digest

        held = portfolio(self.rules).compiled
        return {rules_digest(one.layout.rulesets): one for one in held}

    @cached_property
    def combinations(self) -> Sequence[tuple[int, str, tuple[InForce, ...]]]:
        """How many accounts were decided under which versions, and the digest of these."""
        counts = sorted(self.tally.digests.items(), key=lambda one: (-one[1], one[0]))
        return [(n, digest, self._deciding[digest].layout.rulesets) for digest, n in counts]

    @cached_property
    def statuses(self) -> Mapping[str, int]:
        """How many accounts have each status that the rules know, worst first."""
        layouts = [one.layout for one in self._deciding.values()]
        names = dict.fromkeys(rule.reason.rule for of in layouts for rule in of.statuses)
        return {name: self.tally.statuses[name] for name in names}

    @cached_property
    def assumptions(self) -> Sequence[tuple[int, str, str]]:
        """What all decisions under some versions take for granted: of how many accounts, its name
        and title. What single accounts' figures add is told by `decide`."""
        held: dict[tuple[str, str], int] = {}
        for digest, count in self.tally.digests.items():
            compiled = self._deciding[digest]
            for one in compiled.layout.assumed.items():
                held[one] = held.get(one, 0) + count
        return sorted((count, name, title) for (name, title), count in held.items())


# --- text -----------------------------------------------------------------------------------------


def render(summary: Summary, page: Page) -> str:
    """The summary in its fixed order, without what there is none of."""
    tally = summary.tally
    heading = f"{tally.accounts:,} accounts of {summary.source}"
    heading += f", decided into {summary.output}" if summary.output else ", decided"
    blocks = [[page.bold(shown(heading)), *_by(summary, page)], _statuses(summary, page)]
    if tally.undetermined:
        rows = [(name, f"{n:,}") for name, n in sorted(tally.undetermined.items())]
        blocks.append([page.bold("Cannot be told"), *_table([("", "accounts"), *rows], page)])
    if tally.worst:
        blocks.append([page.bold("The worst"), *_table(_worst(tally), page)])
    if tally.wrong:
        blocks.append(list(_errors(tally, page)))
    if summary.assumptions:
        blocks.append([page.bold("Taken for granted"), *_granted(summary, page)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _by(summary: Summary, page: Page) -> Iterator[str]:
    yield f"  rules at {instant_text(summary.rules.at)}"
    for count, digest, rulesets in summary.combinations:
        names = ", ".join(f"{one.ruleset}@{one.version}" for one in rulesets)
        yield from page.wrapped(f"{count:,} by {names}", 2)
        yield page.dim(f"    {digest}")


def _statuses(summary: Summary, page: Page) -> list[str]:
    tally = summary.tally
    counts = dict(summary.statuses)
    counts["cannot be told"] = tally.undetermined["status"]
    counts["in error"] = tally.errors
    rows = [(name, f"{n:,}", _share(n, tally.accounts)) for name, n in counts.items()]
    kept = [row for row in rows if row[1] != "0" or row[0] in summary.statuses]
    told = f"  in doubt as floats, settled exactly: {tally.exactly:,}"
    return [page.bold("Statuses"), *_table([("", "accounts", "share"), *kept], page), told]


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.1f}%"


def _worst(tally: Tally) -> list[tuple[str, ...]]:
    head = ("row", "account", "status", "by", "value")
    return [
        head,
        *(
            (
                f"{one.row:,}",
                name_text(one.account),
                one.status,
                one.figure or "",
                _value(one.value),
            )
            for one in tally.worst
        ),
    ]


def _value(text: str | None) -> str:
    return "" if text is None else text


def _errors(tally: Tally, page: Page) -> Iterator[str]:
    yield page.bold("In error")
    for row, account, error in tally.wrong:
        named = name_text(account) if account else "an account without a name"
        yield from page.wrapped(f"row {row:,}, {named}: {shown(error)}", 4, "  ")
    left = tally.errors - len(tally.wrong)
    if left > 0:
        yield f"  … and {left:,} more; each has its `error` in its row"


def _granted(summary: Summary, page: Page) -> Iterator[str]:
    for count, name, title in summary.assumptions:
        yield f"  {count:,} accounts rest on `{name}`"
        yield from page.wrapped(title, 4)


def _table(rows: Sequence[Sequence[str]], page: Page) -> Iterator[str]:
    """The rows under their heads, numbers under one another."""
    columns = [_column(cells) for cells in zip(*rows, strict=True)]
    for at, cells in enumerate(zip(*columns, strict=True)):
        line = ("  " + "  ".join(cells)).rstrip()
        yield page.dim(line) if at == 0 else line


def _column(cells: Sequence[str]) -> list[str]:
    head, *texts = cells
    if texts and all(text.strip("-+e,.%0123456789infalu") == "" for text in texts):
        aligned = on_the_point(texts)
        width = max(columns_of(head), len(aligned[0]))
        return [head.rjust(width), *(text.rjust(width) for text in aligned)]
    width = max(map(columns_of, cells))
    return [padded(text, width) for text in cells]


# --- JSON -----------------------------------------------------------------------------------------


def to_json(summary: Summary) -> str:
    """The summary as JSON, whose keys are always the same."""
    tally = summary.tally
    return json.dumps(
        {
            "accounts": tally.accounts,
            "source": summary.source,
            "output": summary.output or None,
            "rules_at": instant_text(summary.rules.at),
            "rules": [
                {
                    "accounts": count,
                    "rules_digest": digest,
                    "rulesets": [f"{one.ruleset}@{one.version}" for one in rulesets],
                }
                for count, digest, rulesets in summary.combinations
            ],
            "statuses": {**summary.statuses},
            "undetermined": dict(sorted(tally.undetermined.items())),
            "decided_exactly": tally.exactly,
            "errors": tally.errors,
            "in_error": [
                dict(zip(("row", "account", "error"), o, strict=True)) for o in tally.wrong
            ],
            "worst": [
                {
                    "row": o.row,
                    "account": o.account,
                    "status": o.status,
                    "figure": o.figure,
                    "value": o.value,
                }
                for o in tally.worst
            ],
            "assumptions": [
                {"name": name, "title": title, "accounts": n}
                for n, name, title in summary.assumptions
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


# --- SQL ------------------------------------------------------------------------------------------


def found(rows: Found, format: str) -> str:
    """What a query found: a table, a list of JSON objects, or CSV."""
    if format == JSON:
        held = [dict(zip(rows.columns, map(_plain, row), strict=True)) for row in rows.rows]
        return json.dumps(held, ensure_ascii=False, indent=2)
    if format == CSV:
        made = io.StringIO()
        csv.writer(made, lineterminator="\n").writerows([rows.columns, *_texts(rows)])
        return made.getvalue()
    texts = [[shown(text) for text in row] for row in [list(rows.columns), *_texts(rows)]]
    return "\n".join(line[2:] for line in _table(texts, Page()))


def _texts(rows: Found) -> list[list[str]]:
    return [["" if value is None else str(_plain(value)) for value in row] for row in rows.rows]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "unlimited" if value > 0 else str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime):
        return instant_text(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return str(text_of(value))
