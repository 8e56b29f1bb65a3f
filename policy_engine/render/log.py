"""A decision log as a person reads it: what was recorded, whether it is sound, what a replay gave.

What stands in a log may have been put there by anybody, so nothing of it reaches a terminal before
what a terminal would obey is spelled out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy_engine.document.text import shortened
from policy_engine.log import Appended, Checkpoint, Record, Replayed, Verdict
from policy_engine.log.record import shown as digest_text
from policy_engine.log.replay import ABSENT, DIFFERENT, NOT_REPLAYABLE, SAME, Difference
from policy_engine.numbers import instant_text
from policy_engine.render.layout import CANNOT_BE_TOLD, Page, padded, table

_LABEL = 14
_COLOURS = {SAME: "green", DIFFERENT: "red", NOT_REPLAYABLE: "yellow"}
_SAID = {True: "agrees", False: "does not agree", None: "not reached"}
MOST_SHOWN = 20
"""Of records that did not come out the same, and of differences in each."""
_WITHOUT_CHECKPOINT = (
    "No checkpoint was compared: that records are missing at the end, or that all were written anew"
    " with their hashes, is only told by one kept elsewhere."
)
_ENDS = 12
"""Digits shown of a hash where the whole of it is a command away."""


def render_appended(appended: Appended, path: str, page: Page) -> str:
    """What was recorded, as text."""
    made = appended.checkpoint
    decision = appended.decisions[-1]
    status = decision.status or page.colour(CANNOT_BE_TOLD, "yellow")
    return "\n".join(
        (
            _label("Recorded", page.bold(f"record {made.size:,}") + f" of {shortened(path)}", page),
            _label("Account", shortened(decision.account), page),
            _label("Status", status, page),
            *_stand(made, page),
        )
    )


def render_verdict(verdict: Verdict, path: str, page: Page) -> str:
    """Whether a log is sound, and its first fault, as text."""
    return "\n".join(_verdict(verdict, path, page))


def _verdict(verdict: Verdict, path: str, page: Page) -> Iterator[str]:
    fault, size = verdict.fault, verdict.size
    yield _label("Log", shortened(path), page)
    if fault is None:
        sound = f"{_counted(size)}, each as it was written"
        yield _label("Sound", page.colour(sound if size else "no records yet", "green"), page)
    else:
        yield _label("Broken", page.colour(f"record {fault.record:,}: {fault.word}", "red"), page)
        yield from page.wrapped(shortened(fault.message, 400), _LABEL)
        them = "them" if size > 1 else "it"
        before = f"{_counted(size)} with nothing against {them}" if size else "nothing"
        yield _label("Before it", before, page)
    for one in verdict.compared:
        said = f"{_SAID[one.agrees]}: {shortened(one.name)}, of {one.checkpoint.size:,} records"
        yield _label("Checkpoint", said, page)
    if fault is None:
        yield from _stands(verdict, page)


def _counted(size: int) -> str:
    return f"{size:,} record{'' if size == 1 else 's'}"


def _stands(verdict: Verdict, page: Page) -> Iterator[str]:
    state = verdict.state
    if state.moment is not None:
        yield _label("Last at", instant_text(state.moment), page)
        yield _label("Last hash", str(state.last), page)
    yield _label("Root", digest_text(state.frontier.root), page)
    if not verdict.compared:
        yield from map(page.dim, page.wrapped(_WITHOUT_CHECKPOINT, _LABEL))


def render_checkpoint(made: Checkpoint, page: Page) -> str:
    """A checkpoint as text."""
    at = _label("Made at", instant_text(made.at), page)
    return "\n".join((_label("Records", f"{made.size:,}", page), *_stand(made, page), at))


def _stand(made: Checkpoint, page: Page) -> Iterator[str]:
    if made.last is not None:
        yield _label("Last hash", made.last, page)
    yield _label("Root", made.root, page)


def _label(label: str, text: str, page: Page) -> str:
    return page.dim(padded(label, _LABEL)) + text


# --- records -------------------------------------------------------------------------------------


def render_records(records: Iterable[Record], page: Page) -> str:
    """A table of records."""
    rows = [_row(record) for record in records]
    if not rows:
        return "no records yet"
    head, *body = table([("record", "recorded at", "account", "status", "rules of", "hash"), *rows])
    return "\n".join([page.bold(head), *body])


def _row(record: Record) -> Sequence[str]:
    mark = "" if record.intact else " (broken)"
    number = f"{record.line if record.sequence is None else record.sequence:,}"
    told = _told(record)
    hashed = (record.hash or "").removeprefix("sha256:")[:_ENDS]
    when = record.recorded_at or "-"
    return (
        number,
        when,
        told["account"],
        told["status"],
        told["rules_at"],
        f"{hashed}{mark}".strip(),
    )


def _told(record: Record) -> Mapping[str, str]:
    """What a row says of a decision; dashes for what cannot be read."""
    try:
        assert record.content is not None
        decision = record.content["decision"]
        return {
            "account": shortened(str(decision["account"]), 24),
            "status": shortened(str(decision["status"] or CANNOT_BE_TOLD), 24),
            "rules_at": shortened(str(decision["rules_at"]), 27),
        }
    except (LookupError, TypeError, AssertionError):
        return {"account": "-", "status": "-", "rules_at": "-"}


def record_json(record: Record) -> str:
    """A record as one line of JSON."""
    return _json({name: getattr(record, name) for name in Record.__slots__})


def records_json(records: Iterable[Record]) -> str:
    """The records without their contents, as one line of JSON."""
    told = [{**_head(one), **({} if one.content is None else _told(one))} for one in records]
    return _json({"records": told})


def _head(record: Record) -> Mapping[str, Any]:
    return {name: getattr(record, name) for name in Record.__slots__ if name != "content"}


def render_record(record: Record, page: Page) -> str:
    """A record with all that it holds, as text."""
    lines = [_label("Record", page.bold(f"{record.sequence or record.line:,}"), page)]
    lines += [_label("Recorded at", record.recorded_at or "-", page)]
    lines += [_label("Hash", record.hash or "-", page)]
    if not record.intact:
        lines += [_label("Broken", page.colour("it does not have the hashes it says", "red"), page)]
    for title, part in sorted((record.content or {}).items(), key=_given_first):
        rows = _versions(part) if title == "rules" else _leaves(part)
        lines += ["", page.bold(shortened(title).capitalize()), *table(rows)]
    return "\n".join(lines)


def _versions(rules: Any) -> Iterator[tuple[str, str]]:
    """The versions in force by id, with their digests; anything else as it is."""
    try:
        told = [(f"{one['ruleset']}@{one['version']}", str(one["digest"])) for one in rules]
    except (LookupError, TypeError):
        yield from _leaves(rules)
        return
    yield from ((shortened(name, 80), shortened(digest, 80)) for name, digest in told)


def _given_first(part: tuple[str, Any]) -> tuple[bool, str]:
    return part[0] == "decision", part[0]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every figure and text in a value, by its path."""
    inside: Iterable[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        inside = [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
    elif isinstance(value, list):
        inside = [(f"{path}[{n}]", item) for n, item in enumerate(value)]
    if not inside:
        yield shortened(path, 80), shortened(_value_text(value), 200)
    for name, item in inside:
        yield from _leaves(item, name)


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- replays -------------------------------------------------------------------------------------


def render_replays(replays: Iterable[Replayed], page: Page) -> Iterator[str]:
    """Each record that did not come out the same, up to the most, and how many came out how."""
    counts = dict.fromkeys(_COLOURS, 0)
    for one in replays:
        counts[one.outcome] += 1
        if one.outcome != SAME and sum(counts.values()) - counts[SAME] <= MOST_SHOWN:
            yield "\n".join([*_replay(one, page), ""])
    others = counts[DIFFERENT] + counts[NOT_REPLAYABLE] - MOST_SHOWN
    if others > 0:
        yield f"… and {others:,} more: --format json has them all\n"
    for outcome, count in counts.items():
        said = page.colour(f"{count:,}", _COLOURS[outcome]) if count else "0"
        yield padded(outcome.capitalize(), _LABEL + 3) + said


def _replay(one: Replayed, page: Page) -> Iterator[str]:
    account = "" if one.account is None else f" ({shortened(one.account)})"
    outcome = page.colour(one.outcome, _COLOURS[one.outcome])
    yield f"{page.bold(f'Record {one.sequence:,}')}{account}: {outcome}"
    if one.reason:
        yield from page.wrapped(shortened(one.reason.message, 400), 2)
    if one.reason and one.reason.hint:
        yield from page.wrapped(shortened(one.reason.hint, 200), 8, "  hint:")
    told = [("", "recorded", "replayed"), *map(_difference, one.differences[:MOST_SHOWN])]
    if one.differences:
        head, *rows = table(told)
        yield from (page.dim(head), *rows)
    if len(one.differences) > MOST_SHOWN:
        yield f"  … and {len(one.differences) - MOST_SHOWN:,} more"


def _difference(one: Difference) -> tuple[str, str, str]:
    sides = (shortened(_side(side), 40) for side in (one.recorded, one.replayed))
    recorded, replayed = sides
    return shortened(one.path, 60), recorded, replayed


def _side(value: Any) -> str:
    return "-" if value is ABSENT else _value_text(value)


def replay_dict(one: Replayed) -> Mapping[str, Any]:
    """What came of a record as plain JSON values; a side without the part has no such key."""
    reason = one.reason
    return {
        "sequence": one.sequence,
        "account": one.account,
        "outcome": one.outcome,
        "differences": [{"path": part.path, **_sides(part)} for part in one.differences],
        "reason": reason and {"code": reason.code, "message": reason.message, "hint": reason.hint},
    }


def _sides(part: Difference) -> Mapping[str, Any]:
    sides = {"recorded": part.recorded, "replayed": part.replayed}
    return {name: value for name, value in sides.items() if value is not ABSENT}


def replays_json(replays: Iterable[Replayed]) -> Iterator[str]:
    """How many records came out how, and each that did not come out the same."""
    counts, others = dict.fromkeys(_COLOURS, 0), []
    for one in replays:
        counts[one.outcome] += 1
        others += [] if one.outcome == SAME else [replay_dict(one)]
    yield _json({"counts": counts, "records": others})


# --- for programs --------------------------------------------------------------------------------


def verdict_json(verdict: Verdict, path: str) -> str:
    """A verdict as one line of JSON."""
    state, fault = verdict.state, verdict.fault
    return _json(
        {
            "log": path,
            "sound": verdict.sound,
            "records": verdict.size,
            "fault": fault and {name: getattr(fault, name) for name in fault.__slots__},
            "root": digest_text(state.frontier.root) if fault is None else None,
            "last": state.last if fault is None else None,
            "checkpoints": [
                {"name": one.name, "size": one.checkpoint.size, "agrees": one.agrees}
                for one in verdict.compared
            ],
        }
    )


def _json(said: Any) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
