# SPDX-License-Identifier: Apache-2.0
"""Every rule that there is inherits the contract, with a rule of its own kind."""

import ast
import inspect
from pathlib import Path

from ami_ros.critic.rules import RULES
import pytest

TESTS = Path(__file__).parent / 'rules'


def kind_of(file) -> str:
    """Name the class of a rule."""
    return next(name for name, thing in vars(file).items() if inspect.isclass(thing)
                and thing.__module__ == file.__name__ and hasattr(thing, 'limit'))


def tried() -> dict[str, str]:
    """Return the kind of rule -> the test class that inherits the contract for it."""
    found = {}
    for path in TESTS.glob('test_*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and 'RuleContract' in map(ast.unparse, node.bases):
                for line in node.body:
                    if (isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == 'rule'
                            and isinstance(line.value, ast.Call)):
                        found[ast.unparse(line.value.func)] = f'{path.name}: {node.name}'
    return found


@pytest.mark.parametrize('name', RULES)
def test_every_rule_keeps_the_contract(name):
    assert kind_of(RULES[name]) in tried(), f'no class in {TESTS} inherits RuleContract for {name}'
