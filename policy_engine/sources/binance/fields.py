"""The fields that Binance's responses share: names of coins, figures, refusals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from policy_engine.errors import Problem
from policy_engine.numbers import plain
from policy_engine.sources.part import Part

QUOTE = "USDT"
_ASSET = re.compile(r"\S{1,64}")


def asset_name(part: Part, problems: list[Problem]) -> str | None:
    """The name of an asset; None, and a problem, where it is none."""
    name = part.value
    if isinstance(name, str) and _ASSET.fullmatch(name) and name.isprintable():
        return name
    message = f"`{name}` is no asset's name" if isinstance(name, str) else _no_name(part)
    problems.append(part.problem("invalid-value", message, 'name the asset as in "BTC"'))
    return None


def _no_name(part: Part) -> str:
    key = part.at[-1] if part.at else ""
    if isinstance(key, str) and not part.given:
        return f"`{key}` is missing"
    return "this is no asset's name"


def asset_names(part: Part, problems: list[Problem]) -> tuple[str, ...]:
    """The names in a list of assets; a problem where it is missing or empty."""
    if not part.items():
        message = "`assetNames`, the list of assets that this is for, is missing or empty"
        problems.append(part.problem("missing-key", message, AGAIN))
    names = (asset_name(item, problems) for item in part.items())
    return tuple(name for name in names if name is not None)


AGAIN = "fetch the response again: every entry of it has this"


def figure(part: Part, key: str, problems: list[Problem]) -> Decimal | None:
    """The figure under a key, 0 or more; None, and a problem, where there is none."""
    field = part.member(key)
    if not field.given:
        problems.append(field.problem("missing-key", f"`{key}` is missing", AGAIN))
        return None
    value = field.amount(problems, signed=True)
    if value is not None and value < 0:
        hint = "figures of this response are 0 or more: fetch it again"
        problems.append(field.problem("invalid-value", f"`{plain(value)}` is below 0", hint))
        return None
    return value


def is_object(part: Part, problems: list[Problem]) -> bool:
    """Whether a part has named fields; a problem where it has none."""
    held = isinstance(part.value, dict)
    if not held:
        hint = "fetch the response again: each item of this list is an object"
        problems.append(part.problem("wrong-type", "there is no object here", hint))
    return held


def entries(parts: Sequence[Part], problems: list[Problem]) -> list[Part]:
    """The entries of all responses, each of which is a list of objects."""
    return [item for part in parts for item in part.items() if is_object(item, problems)]


def not_used(parts: Iterable[Part], used: Iterable[str], inside: str = "") -> Iterator[str]:
    """The keys of these objects that are not used, each once, as `inside.key`."""
    seen = set(used)
    for part in parts:
        for key in part.value if isinstance(part.value, dict) else ():
            if key not in seen:
                seen.add(key)
                yield f"{inside}{key}"


def is_refusal(part: Part) -> bool:
    """Whether a response says that there is none, and why."""
    return part.member("code").given and part.member("msg").given


def refusal(part: Part, no: str, call: str) -> Problem:
    """The problem that Binance answered with an error; `no` is what it is not."""
    said = f"{part.value['msg']} (code {part.value['code']})"
    hint = f"this is Binance's refusal and no {no}: call {call} again"
    return part.problem("error-response", f"Binance answered: {said}", hint)
