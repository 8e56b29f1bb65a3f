"""What is found while rule files are read: one file alone, or a file that does not fit others."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.checks.subject import Subject
from policy_engine.errors import Place, Problem


def unread_file(subject: Subject) -> Iterator[Problem]:
    """A YAML file that stands where no rules are read.

    Why: Rules that nobody reads decide nothing, and nothing else would say so.
    Avoid: rules/2025-01-21.yaml, or rules/pro/2025-01-21.yml
    Prefer: rules/pro/2025-01-21.yaml
    """
    for path in subject.stray:
        hint = "rules are read from `<ruleset>/<date>.yaml`: rename it, or move it elsewhere"
        yield Problem("unread-file", "this file is not read", hint, Place(path))


def bad_formula(subject: Subject) -> Iterator[Problem]:
    """A formula that is not in the language, or asks for what cannot be asked there.

    Why: The language is small on purpose, so that a formula has one meaning, which can be decided,
    drawn, measured in units and compared.
    Avoid: when: 1 < level < 2
    Prefer: when: level > lowest and level < highest
    """
    return subject.coded("bad-formula")


def bare_number(subject: Subject) -> Iterator[Problem]:
    """A number other than 0 and 1 that stands in a formula without a name.

    Why: A threshold inside a formula has no title, no unit and no source, and a comparison of
    versions cannot say what it was that changed.
    Avoid: when: level <= 1.5
    Prefer: when: level <= warning_level
    """
    return subject.coded("bare-number")


def bad_number(subject: Subject) -> Iterator[Problem]:
    """A number that is not spelled as numbers are here.

    Why: YAML programs read `010`, `1_000` and `1e3` in more than one way.
    Avoid: value: 1_000
    Prefer: value: 1000
    """
    return subject.coded("bad-number")


def duplicate_key(subject: Subject) -> Iterator[Problem]:
    """A key that is written twice in one place, or a table with two rows for one key.

    Why: Only one of the two could hold, and which one would be a matter of order.
    Avoid: two rows with `when: [FR]`
    Prefer: one row for each country
    """
    return subject.coded("duplicate-key")


def missing_key(subject: Subject) -> Iterator[Problem]:
    """A part without something that it needs.

    Why: What a rule file leaves out is not guessed: without a unit, a title or a condition a part
    means nothing certain.
    Avoid: highest_debt: {title: Highest debt, value: 100}
    Prefer: highest_debt: {title: Highest debt, value: 100, unit: EUR}
    """
    return subject.coded("missing-key")


def unknown_key(subject: Subject) -> Iterator[Problem]:
    """A key that no rule file has there.

    Why: A misspelled key would otherwise be passed over, and with it what it says.
    Avoid: citaton: {source: faq}
    Prefer: citation: {source: faq}
    """
    return subject.coded("unknown-key")


def invalid_value(subject: Subject) -> Iterator[Problem]:
    """A value that is not of the kind its key takes.

    Why: What cannot be read as it is meant is not read at all.
    Avoid: effective_from: yesterday
    Prefer: effective_from: 2025-01-21T10:00:00Z
    """
    return subject.coded("invalid-value")


def tier_order(subject: Subject) -> Iterator[Problem]:
    """A tier whose edge does not lie above the edge before it.

    Why: Tiers follow each other; one that ends before it starts would be passed over.
    Avoid: tiers: [{to: 500, rate: 1}, {to: 200, rate: 50%}]
    Prefer: tiers: [{to: 200, rate: 1}, {to: 500, rate: 50%}]
    """
    return subject.coded("tier-order")


def tier_gap(subject: Subject) -> Iterator[Problem]:
    """A tier that says it starts above where the one before it ends.

    Why: For an amount in the gap there would be no rate.
    Avoid: tiers: [{to: 200, rate: 1}, {from: 300, to: 500, rate: 50%}]
    Prefer: tiers: [{to: 200, rate: 1}, {from: 200, to: 500, rate: 50%}]
    """
    return subject.coded("tier-gap")


def tier_overlap(subject: Subject) -> Iterator[Problem]:
    """A tier that says it starts below where the one before it ends.

    Why: For an amount in both there would be two rates.
    Avoid: tiers: [{to: 200, rate: 1}, {from: 100, to: 500, rate: 50%}]
    Prefer: tiers: [{to: 200, rate: 1}, {from: 200, to: 500, rate: 50%}]
    """
    return subject.coded("tier-overlap")


def file_name(subject: Subject) -> Iterator[Problem]:
    """A file that is not named after the day on which it takes effect, or its ruleset.

    Why: A version is cited by its ruleset and the name of its file.
    Avoid: rules/pro/2025-02-01.yaml with effective_from: 2025-01-21T10:00:00Z
    Prefer: rules/pro/2025-01-21.yaml with effective_from: 2025-01-21T10:00:00Z
    """
    return subject.coded("file-name")


def two_versions(subject: Subject) -> Iterator[Problem]:
    """Two versions of a ruleset that take effect at one instant, neither of which corrects another.

    Why: Only one version is in force at an instant.
    Avoid: 2025-01-21.yaml and 2025-01-21T10.yaml, both from 10:00
    Prefer: 2025-01-21+2.yaml with a later `announced_at` and `corrects: {reason: …}`
    """
    return subject.coded("two-versions")


def corrects_nothing(subject: Subject) -> Iterator[Problem]:
    """A correction of a version that is not there.

    Why: A correction has the instant of the version it corrects, which stays in its file: what was
    decided by it can be decided again as it was known then.
    Avoid: 2025-01-22+2.yaml without a version from that instant
    Prefer: 2025-01-21+2.yaml beside 2025-01-21.yaml
    """
    return subject.coded("corrects-nothing")


def announced_too_early(subject: Subject) -> Iterator[Problem]:
    """A correction that was announced no later than what it corrects.

    Why: Of versions with one instant, the one announced last holds.
    Avoid: a correction with the `announced_at` of the version that it corrects
    Prefer: a correction with the instant at which it was itself made known
    """
    return subject.coded("announced-too-early")


def unknown_ruleset(subject: Subject) -> Iterator[Problem]:
    """A ruleset in `uses` that is not in the folder.

    Why: Its figures would be missing.
    Avoid: uses: [countrys]
    Prefer: uses: [countries]
    """
    return subject.coded("unknown-ruleset")


def uses_not_started(subject: Subject) -> Iterator[Problem]:
    """A version that uses a ruleset whose first version takes effect later.

    Why: Until then there would be no figures to use.
    Avoid: a version from January that uses one whose first version is from March
    Prefer: a first version of the used ruleset that takes effect in January, or before
    """
    return subject.coded("uses-not-started")
