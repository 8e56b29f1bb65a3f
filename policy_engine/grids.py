"""Price grids: the status of an account, and a figure of it, at every step of one or two shocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from policy_engine.errors import Place, Problem, SnapshotError, did_you_mean
from policy_engine.language.code import generate
from policy_engine.language.plan import Plan, only
from policy_engine.language.thresholds import STATUS, Threshold, thresholds
from policy_engine.language.values import Undetermined, is_undetermined
from policy_engine.model import ACCOUNT, LISTS, Rule
from policy_engine.numbers import DIGITS_AFTER_POINT, EXACT, tidy
from policy_engine.policy import Compiled
from policy_engine.rules import Rules
from policy_engine.scenarios import unpriced
from policy_engine.snapshot import Reader, Taken

HUNDRED = Decimal(100)
Rows = Mapping[int, tuple[Any, ...]]
Watch = Callable[[Sequence[Decimal]], Iterable[Decimal]]


@dataclass(frozen=True, slots=True)
class Axis:
    """What moves together along one side of a grid, and by how many per cent at each step.

    `keys` None: everything that has a price, but for `held`.
    """

    percents: tuple[Decimal, ...]
    keys: tuple[str, ...] | None = None
    held: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Everything that it names."""
        return (*(self.keys or ()), *self.held)


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold along the first side of a grid: its value at each step, None where not known."""

    threshold: Threshold
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True)
class Grid:
    """What is decided at each step: rows of cells, one for each step of the second side.

    A status is its position in `statuses`, worst first; None cannot be told, and `reasons` are all
    that keep it from being told. `lines` are the thresholds of the figure, on a grid of one side.
    """

    axes: tuple[Axis, ...]
    figure: str | None
    unit: str | None
    statuses: tuple[Rule, ...]
    ranks: tuple[tuple[int | None, ...], ...]
    values: tuple[tuple[Decimal | None, ...], ...]
    lines: tuple[Line, ...]
    reasons: tuple[str, ...]


def steps(first: Decimal, last: Decimal, points: int) -> tuple[Decimal, ...] | None:
    """Percentages at equal distances from the first to the last; None where these are no plain
    numbers."""
    with localcontext(EXACT):
        step = (last - first) / (points - 1)
        exact = step.quantize(Decimal(1).scaleb(2 - DIGITS_AFTER_POINT)) == step
        return tuple(tidy(first + step * at) for at in range(points)) if exact else None


def price_grid(
    rules: Rules,
    snapshot: Mapping[str, Any],
    axes: Sequence[Axis],
    figure: str | None = None,
    watch: Watch = iter,
) -> Grid:
    """What the rules decide of an account at each step of one or two price shocks.

    `figure` is what is told of each cell beside the status: by default the one that the worst
    status tests. `watch` is given the steps of the outer side as they are gone through. Raises
    SnapshotError for what has no price, and for an unknown figure.
    """
    compiled, reader = rules.choice(snapshot)
    taken = reader.read(snapshot, rules.at)
    _check_priced(reader, snapshot, axes)
    plan, found = thresholds(compiled.plan)
    figure = _figure(compiled.plan, found) if figure is None else _known(compiled.plan, figure)
    shown = [one for one in found if one.figure == figure] if len(axes) == 1 else []
    with localcontext(EXACT):
        cells = _Cells(compiled, plan, figure, shown)
        rows = list(cells.rows(reader, taken, axes, watch))
    formula = compiled.plan.scope.formulas[ACCOUNT].get(figure or "")
    return Grid(
        tuple(axes),
        figure,
        formula.unit if formula else None,
        compiled.plan.main.statuses,
        tuple(tuple(cell[0] for cell in row) for row in rows),
        tuple(tuple(_plainly(cell[1]) for cell in row) for row in rows),
        tuple(
            Line(threshold, tuple(_plainly(cell[2][at]) for cell in rows[0]))
            for at, threshold in enumerate(shown)
        ),
        tuple(sorted(cells.reasons)),
    )


def _check_priced(reader: Reader, snapshot: Mapping[str, Any], axes: Sequence[Axis]) -> None:
    known = reader.priced_keys(snapshot)
    named = [name for axis in axes for name in axis.named]
    problems = [unpriced(name, known) for name in named if name not in known]
    if problems:
        raise SnapshotError(problems)


def _figure(plan: Plan, found: Sequence[Threshold]) -> str | None:
    """The first figure that a status tests."""
    return next((one.figure for one in found if one.kind == STATUS), None)


def _known(plan: Plan, figure: str) -> str:
    formulas = plan.scope.formulas[ACCOUNT]
    if figure in formulas and formulas[figure].kind == "number":
        return figure
    numbers = [name for name, formula in formulas.items() if formula.kind == "number"]
    hint = did_you_mean(figure, numbers) or f"there are {', '.join(sorted(numbers))}"
    message = f"these rules give no number `{figure}` for the account"
    raise SnapshotError([Problem("unknown-name", message, hint, Place(pointer="figure"))])


def _plainly(value: Any) -> Decimal | None:
    return tidy(value) if isinstance(value, Decimal) else None


Cell = tuple[int | None, Any, tuple[Any, ...]]


class _Cells:
    """Decides cells by a program of the statuses, the figure and its thresholds alone."""

    def __init__(
        self, compiled: Compiled, plan: Plan, figure: str | None, shown: Sequence[Threshold]
    ) -> None:
        statuses = [f"status.{rule.name}" for rule in compiled.plan.main.statuses if rule.when]
        names = [*statuses, *([figure] if figure else []), *(one.limit for one in shown)]
        program = generate(only(plan, set(names)), compiled.lookups)
        at = {name: position for position, name in enumerate(program.figures)}
        self.run = program.run
        self.statuses = tuple((rank, at[name]) for rank, name in enumerate(statuses))
        self.figure = None if figure is None else at[figure]
        self.limits = tuple(at[one.limit] for one in shown)
        self.reasons: set[str] = set()

    def rows(
        self, reader: Reader, taken: Taken, axes: Sequence[Axis], watch: Watch
    ) -> Iterator[list[Cell]]:
        """A row of cells for each step of the second side. To be called inside `localcontext`."""
        moves = [_moves(reader, taken, axis) for axis in axes]
        outer = zip(watch(axes[1].percents), moves[1], strict=True) if axes[1:] else [(None, {})]
        lists = [list(rows) if not is_undetermined(rows) else rows for rows in taken.lists]
        for _, up in outer:
            yield [self.cell(taken.inputs, _moved(lists, up, across)) for across in moves[0]]

    def cell(self, inputs: tuple[Any, ...], lists: Sequence[Any]) -> Cell:
        """The status of an account, the figure, and its thresholds."""
        figures, _, _ = self.run(inputs, *lists)
        value = None if self.figure is None else figures[self.figure]
        if isinstance(value, Undetermined):
            self.reasons.update(value.reasons)
        return self._rank(figures), value, tuple(figures[at] for at in self.limits)

    def _rank(self, figures: tuple[Any, ...]) -> int | None:
        for rank, at in self.statuses:
            held = figures[at]
            if isinstance(held, Undetermined):
                self.reasons.update(held.reasons)
                return None
            if held:
                return rank
        return len(self.statuses)


Moves = Mapping[int, Rows]
"""The lines that a step changes, by list and position."""


def _moves(reader: Reader, taken: Taken, axis: Axis) -> list[Moves]:
    """What each step of one side changes."""
    return [_move(reader, taken, axis, percent) for percent in axis.percents]


def _move(reader: Reader, taken: Taken, axis: Axis, percent: Decimal) -> Moves:
    factor = 1 + percent / HUNDRED
    made = {}
    for number, entity in enumerate(LISTS):
        lines, rows = reader.lines[entity], taken.lists[number]
        if lines.key is not None and lines.price is not None and not is_undetermined(rows):
            made[number] = {
                at: (*row[: lines.price], row[lines.price] * factor, *row[lines.price + 1 :])
                for at, row in enumerate(rows)
                if _is_moved(axis, row[lines.key])
            }
    return made


def _is_moved(axis: Axis, key: str) -> bool:
    return key not in axis.held if axis.keys is None else key in axis.keys


def _moved(lists: Sequence[Any], *moves: Moves) -> list[Any]:
    """The lists with the lines that change."""
    changed = list(lists)
    for move in moves:
        for number, rows in move.items():
            if changed[number] is lists[number]:
                changed[number] = list(lists[number])
            for at, row in rows.items():
                changed[number][at] = row
    return changed
