"""Who flips, and which changes cause it: the parts of a report that put one down to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from policy_engine.impact.model import STATUS, Cause, Flip, Group, Impact, Standing
from policy_engine.render.impact_parts import ABSENT, Id, Name, Part, short

_PERMISSION = "permissions."

# --- causes ---------------------------------------------------------------------------------------

Way = tuple[str, str]
"""What flipped from what to what, and by what."""


def ways_of(impact: Impact) -> Mapping[Way, tuple[int, int]]:
    """The ways in which accounts flip, the most frequent first, each with its number and count."""
    counts = Counter(_way(flip, cause) for flip in impact.flips for cause in flip.causes)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {way: (at, count) for at, (way, count) in enumerate(ordered, 1)}


def _way(flip: Flip, cause: Cause) -> Way:
    return moved(flip, cause.outcome), by(cause)


def moved(flip: Flip, outcome: str) -> str:
    """What became of an outcome of an account."""
    if outcome == STATUS:
        return f"{flip.before} -> {flip.after}"
    name = outcome.removeprefix(_PERMISSION)
    words = {"lost": flip.lost, "gained": flip.gained}
    words |= {"can no longer be told": flip.lost_sight, "can now be told": flip.found_out}
    return f"{name} {next(word for word, names in words.items() if name in names)}"


def by(cause: Cause) -> str:
    """Which changes bring it about, in words."""
    if not cause.enough:
        return "the changes together; not taken apart"
    sets = [" and ".join(made) for made in cause.enough]
    if len(sets) == 1:
        said = f"{sets[0]} together" if len(cause.enough[0]) > 1 else f"{sets[0]} alone"
    elif all(len(made) == 1 for made in cause.enough):
        said = f"any of {', '.join(sets)}"
    else:
        said = f"any of: {'; '.join(sets)}"
    return said if cause.complete else f"{said} (not every combination was tried)"


def causes(ways: Mapping[Way, tuple[int, int]], impact: Impact) -> Part:
    rows = tuple((f"[{at}]", f"{n:,}", what, why) for (what, why), (at, n) in ways.items())
    notes = []
    if impact.not_apart:
        notes.append(f"The changes were taken as one: {impact.not_apart}.")
    if not rows:
        notes.append("Nothing is decided otherwise.")
    head = ("", "accounts", "what flips", "caused by")
    return Part("What causes which flips", head, rows, tuple(notes))


def changes(groups: Sequence[Group]) -> Part:
    """What each change does alone, and what does not happen without it."""
    active = [group for group in groups if group.flips]
    rows = tuple(
        (Id(one.id), *(f"{n:,}" for n in (one.accounts, one.alone, one.needed, one.flips)))
        for one in active
    )
    brought = [
        f"{one.id} brings or takes away {_listed(one.needs)}." for one in active if one.needs
    ]
    idle = [group.id for group in groups if not group.flips]
    told = [f"Without any flip: {', '.join(idle)}."] if idle else []
    told += [] if groups else ["None that decides or computes anything."]
    head = ("change", "accounts", "flips by it alone", "not without it", "flips it has part in")
    return Part("Changes that can be made apart", head, rows, (*brought, *told))


def _listed(ids: Iterable[str], most: int = 12) -> str:
    """Ids by their last parts, once each."""
    names = list(dict.fromkeys(name.split("/", 2)[-1] for name in ids))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


# --- accounts -------------------------------------------------------------------------------------


def flips_of(flips: Sequence[Flip], ways: Mapping[Way, tuple[int, int]], most: int) -> Part:
    rows = tuple(_flip(flip, ways) for flip in flips[:most])
    head = ("account", "status", "figure", "before", "after", "threshold", "distance")
    left = len(flips) - len(rows)
    notes = () if flips else ("Nobody.",)
    return Part("Who flips, worst first", (*head, "permissions", "causes"), rows, notes, left)


def _flip(flip: Flip, ways: Mapping[Way, tuple[int, int]]) -> tuple[str, ...]:
    status = flip.after if flip.before == flip.after else f"{flip.before} -> {flip.after}"
    numbers = dict.fromkeys(ways[_way(flip, cause)][0] for cause in flip.causes)
    return (
        Name(flip.account),
        status,
        *_standing(flip.stood, flip.stands),
        ", ".join(_signed(flip)) or ABSENT,
        "".join(f"[{number}]" for number in numbers) + _keys(flip),
    )


def _keys(flip: Flip) -> str:
    keys = sorted({key for cause in flip.causes for key in cause.keys})
    return f" {', '.join(keys)}" if keys else ""


def _signed(flip: Flip) -> Iterator[str]:
    yield from (f"-{name}" for name in flip.lost)
    yield from (f"+{name}" for name in flip.gained)
    yield from (f"?{name}" for name in flip.lost_sight)
    yield from (f"!{name}" for name in flip.found_out)


def _standing(old: Standing | None, new: Standing | None) -> tuple[str, ...]:
    one = new or old
    if one is None:
        return (ABSENT,) * 5
    values = [ABSENT if side is None else short(side.value) for side in (old, new)]
    distance = ABSENT if new is None or new.distance is None else short(new.distance)
    return (one.figure, *values, f"{one.sign} {short(one.threshold)}", distance)
