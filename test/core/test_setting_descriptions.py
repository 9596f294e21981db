# SPDX-License-Identifier: Apache-2.0
"""The description of every setting in the package stands alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

from description_wording import wrong
import pytest

PACKAGE = Path(__file__).resolve().parents[2] / 'ami_ros'
PLACE = {'setting': 4, 'some': 3}       # of the description among the arguments


def text_of(node: ast.expr, tree: ast.Module) -> str:
    """Return the text of a literal, of an f-string, or of a constant of the module."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return ''.join(text_of(part, tree) for part in node.values)
    if isinstance(node, ast.Name):
        return next(line.value.value for line in tree.body if isinstance(line, ast.Assign)
                    and any(getattr(to, 'id', '') == node.id for to in line.targets))
    return '...'


def described() -> Iterator[tuple[str, str]]:
    """Yield where a field is declared and what its description says."""
    for path in sorted(PACKAGE.rglob('*.py')):
        tree = ast.parse(path.read_text())
        for field in ast.walk(tree):
            called = getattr(field, 'value', None)
            if not isinstance(field, ast.AnnAssign) or not isinstance(called, ast.Call):
                continue
            place = PLACE.get(getattr(called.func, 'id', ''))
            if place is None:
                continue
            said = called.args[place:place + 1] or [
                word.value for word in called.keywords if word.arg == 'reason']
            yield (f'{path.relative_to(PACKAGE.parent)}: {field.target.id}',
                   text_of(said[0], tree) if said else '')


def test_every_description_stands_alone():
    said = list(described())
    assert len(said) > 200
    bad = [f'{where}: {text!r} {wrong(text)}' for where, text in said if wrong(text)]
    assert not bad, '\n'.join(bad)


@pytest.mark.parametrize('text', [
    'and turned no further off than this', 'More spread of the time between two is',
    'or as long', 'So much must be free', 'As measured on this robot', 'the robot file in use',
    'Room frame', '', 'Stop the robot and', 'Pressed, edge or'])
def test_a_fragment_is_found(text):
    assert wrong(text)


@pytest.mark.parametrize('text', [
    'Heading tolerance at the goal', '0 disables the check', 'Android key of the phone'])
def test_a_sentence_passes(text):
    assert not wrong(text)
