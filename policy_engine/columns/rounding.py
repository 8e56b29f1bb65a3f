"""Columns of numbers rounded to a step."""

from __future__ import annotations

import numpy as np

from policy_engine.columns.numbers import SLACK, SMALL, UNIT, Number, error, over

_EXACT_WHOLE = 2.0**53


def rounded(x: Number, step: Number, how: str) -> Number:
    """A multiple of the step; in doubt where the error reaches to where rounding jumps.

    An exact multiple of an exact step stays as it is: the rest of a division is exact in floats.
    """
    quotient = over(x, step)
    ratio, room = quotient.value, error(quotient) * SLACK
    if how == "round_half_up":
        size = np.abs(ratio)
        whole = np.sign(ratio) * np.floor(size + 0.5)
        jump = np.abs(size - np.floor(size) - 0.5)
    else:
        whole = np.ceil(ratio) if how == "round_up" else np.floor(ratio)
        jump = np.abs(ratio - np.rint(ratio))
    sure = (jump > room) & (np.abs(ratio) < _EXACT_WHOLE / 4)
    value = whole * step.value
    bound = np.abs(whole) * error(step) + UNIT * np.abs(value)
    exact = (error(x) == 0) & (error(step) == 0) & (np.fmod(x.value, step.value) == 0)
    unlimited = np.isinf(x.value) & (error(x) == 0)
    kept = (exact & (step.value > 0)) | unlimited
    bound = np.where(kept, 0.0, np.where(sure & (step.value > 0), bound, np.inf))
    most = x.most + step.most
    least = max(min(x.least, step.least), SMALL)
    return Number(
        np.where(kept, x.value, value), bound, 0.0, quotient.unknown, least, most, x.positive
    )
