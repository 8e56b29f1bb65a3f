"""Which parameters, tables and scales an expression refers to, whether or not it reads them."""

import ast
from collections.abc import Iterator
from typing import cast

from oracle_figures import Provision, Rules, World
from oracle_language import AGGREGATES, Place, evaluate, scale_name


def mentioned(node: ast.AST, entity: str, rules: Rules) -> Iterator[Provision]:
    """The parameters, tables and scales that the expression, standing on `entity`, refers to."""
    if isinstance(node, ast.Name) and node.id in rules.parameters:
        local = {**rules.inputs.get(entity, {}), **rules.formulas.get(entity, {})}
        yield from [] if node.id in local else [rules.parameters[node.id]]
    if isinstance(node, ast.Call):
        yield from mentioned_by_call(node, entity, rules)
    else:
        for child in ast.iter_child_nodes(node):
            yield from mentioned(child, entity, rules)


def mentioned_by_call(node: ast.Call, entity: str, rules: Rules) -> Iterator[Provision]:
    """The same for a call, whose first argument may be a list or a scale and not a value."""
    function, arguments = cast(ast.Name, node.func).id, list(node.args)
    yield from [rules.tables[function]] if function in rules.tables else []
    if function in ("slices", "tier", "top"):
        yield rules.scales[scale_name(arguments.pop(0))[0]]
    if function in AGGREGATES or function == "at":
        inner = arguments.pop(2 if function == "at" else 1)
        yield from mentioned(inner, cast(ast.Name, arguments.pop(0)).id, rules)
        entity = entity if function == "at" else "account"
    for argument in arguments:
        yield from mentioned(argument, entity, rules)


def evaluate_gathered(node: ast.AST, world: World) -> None:
    """Evaluate what every aggregate and `at` of an expression asks of lines, on every line.

    It is a figure of its own and computed with all others, also where a branch does not read it.
    """
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
    for call in calls:
        function = cast(ast.Name, call.func).id
        if function in AGGREGATES:
            evaluate(call, Place(world))
        elif function == "at":
            entity = cast(ast.Name, call.args[0]).id
            for index in range(len(world.lines[entity] or ())):
                evaluate(call.args[2], Place(world, entity, index))
