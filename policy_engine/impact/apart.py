"""Changes that do not stand alone, put together with those that they need."""

from __future__ import annotations

from policy_engine.impact.mixture import Mixture
from policy_engine.impact.units import Divided, Unit, merged, neighbours

NOT_APART = "the old rules cannot be made from the new ones, or back, change by change"


def stood(parts: Divided, mixture: Mixture) -> tuple[tuple[Unit, ...], str | None]:
    """The units, each of which stands alone and can be left out alone, and why not if so it is.

    A unit that does not is put together with one that it names or is named by, if that helps, else
    with all of those. Where nothing helps all are one.
    """
    units = list(parts.units)
    if not _ends_stand(units, mixture):
        mixture.ease()
    if not _ends_stand(units, mixture):
        return ((merged(units),) if units else ()), NOT_APART
    while (unit := next((u for u in units if not _stands(u, units, mixture)), None)) is not None:
        near = neighbours(unit, units) or [other for other in units if other is not unit]
        if not near:
            break
        units = _joined(unit, near, units, mixture)
    return tuple(sorted(units, key=lambda unit: unit.id)), None


def _ends_stand(units: list[Unit], mixture: Mixture) -> bool:
    every = frozenset(unit.id for unit in units)
    return all(mixture.rules(units, made) is not None for made in (frozenset[str](), every))


def _stands(unit: Unit, units: list[Unit], mixture: Mixture) -> bool:
    every = frozenset(other.id for other in units)
    alone = frozenset({unit.id})
    return all(mixture.rules(units, made) is not None for made in (alone, every - alone))


def _joined(unit: Unit, near: list[Unit], units: list[Unit], mixture: Mixture) -> list[Unit]:
    """The units with one of them put together with another, or with all that are near."""
    for other in near:
        made = _together([unit, other], units)
        if _stands(made[-1], made, mixture):
            return made
    return _together([unit, *near], units)


def _together(some: list[Unit], units: list[Unit]) -> list[Unit]:
    return [unit for unit in units if not any(unit is one for one in some)] + [merged(some)]
