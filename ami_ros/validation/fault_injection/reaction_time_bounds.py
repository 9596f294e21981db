# SPDX-License-Identifier: Apache-2.0
"""Derives how soon a fault must be answered from the policy's own numbers, by a formula."""

import ast
from collections.abc import Mapping
import operator

from ami_ros.core.errors import AmiError

TICKS = 2               # judged at the next tick, and one more for the command to be taken
SLACK_S = 0.020         # for the messages on their way
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
             ast.Div: operator.truediv}
FUNCTIONS = {'max': max, 'min': min}


def evaluate(formula: str | float, numbers: Mapping[str, float]) -> float:
    """Compute a formula of numbers, names, + - * / ( ), max and min.

    ValueError names what is not among these, and the names there are.
    """
    try:
        return float(value(ast.parse(str(formula), mode='eval').body, numbers))
    except SyntaxError:
        raise AmiError(f'{formula!r} is not a formula') from None
    except ZeroDivisionError:
        raise AmiError(f'{formula!r} divides by zero') from None


def value(node: ast.expr, numbers: Mapping[str, float]) -> float:
    """Compute a part of a formula."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) \
            and type(node.value) is not bool:
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in numbers:
            raise AmiError(f'no number {node.id!r}; there are: {", ".join(sorted(numbers))}')
        return numbers[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](value(node.left, numbers), value(node.right, numbers))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords \
            and node.func.id in FUNCTIONS and len(node.args) > 1:
        return FUNCTIONS[node.func.id](*(value(part, numbers) for part in node.args))
    raise AmiError(f'{ast.unparse(node)!r} cannot be in a formula; numbers, names, + - * / ( ), '
                   'max and min can')


def bound(window: str | float, numbers: Mapping[str, float]) -> float:
    """Return the seconds from a fault to its answer: detection window, two ticks, and slack."""
    return evaluate(window, numbers) + TICKS * numbers['tick_s'] + SLACK_S
