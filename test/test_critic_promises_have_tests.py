# SPDX-License-Identifier: Apache-2.0
"""Each promise of docs/critic.md names a test, and that test is there."""

import ast
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROMISES = (ROOT / 'docs/critic.md').read_text().split('\n## ')[0]
ROWS = re.findall(r'^\| (?!guarantee|---)(.+?) \| (.+) \|$', PROMISES, re.M)


def names_in(path: Path) -> set[str]:
    """Return the names of all tests of a file, those within classes as well."""
    return {node.name for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef) and node.name.startswith('test_')}


@pytest.mark.parametrize(('promise', 'held_by'), ROWS)
def test_each_promise_is_held_by_tests_that_are_there(promise, held_by):
    named = re.findall('`([^`]+)`', held_by)
    assert named and ', '.join(f'`{one}`' for one in named) == held_by
    for one in named:
        path, _, test = one.partition('::')
        found = names_in(ROOT / path)
        assert found, one
        assert not test or test in found, one


def test_there_are_promises():
    assert len(ROWS) > 20
