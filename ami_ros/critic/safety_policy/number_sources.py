# SPDX-License-Identifier: Apache-2.0
"""Finds where each number of a policy comes from: the comment behind it says `source: KIND, ...`.

A comment, since that is how the robot files say it: beside the number, in a person's words.
"""

from collections.abc import Iterator
import re

import yaml

from ami_ros.core.errors import AmiError
from ami_ros.robots.strict_yaml import SAFE

KINDS = {
    'standard': 'a norm, a frozen protocol, a definition',
    'data sheet': 'what the maker of the part says',
    'derivation': 'computed from other numbers, which are named',
    'calibration': 'measured on this robot',
    'design': 'chosen, with a reason',
}
COMMENT = re.compile(r'(?:^|\s)#(.*)')
SOURCE = re.compile(r'\bsource:\s*(.*)')


def sources(text: str, where: str) -> dict[str, str]:
    """Return 'rules.speed.number': 'design, ...' of every number; ValueError where one has none.

    The text was read as YAML before, and by the same reader: they differ about tabs.
    """
    lines, found = text.split('\n'), {}
    for key, line, column in leaves(yaml.compose(text, SAFE)):
        comment = COMMENT.search(lines[line][column:])
        said = SOURCE.search(comment[1]) if comment else None
        source = said[1].strip() if said else ''
        kind = next((kind for kind in KINDS if source.startswith(f'{kind}, ')), None)
        if kind is None or not source.removeprefix(f'{kind}, ').strip():
            what = f'says source: {source!r}' if source else 'does not say where it comes from'
            raise AmiError(f'{where}, line {line + 1}: {key} {what}; write behind it '
                           '# source: KIND, and how you know. Kinds: ' + ', '.join(KINDS))
        found[key] = source
    return found


def leaves(node: yaml.Node, path: str = '') -> Iterator[tuple[str, int, int]]:
    """Yield the dotted key of each value, its line, and the column from which a comment may be."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        full = f'{path}.{key.value}' if path else key.value
        if isinstance(value, yaml.MappingNode):
            yield from leaves(value, full)
        elif not (isinstance(value, yaml.ScalarNode) and value.tag.endswith(':null')):
            same = value.end_mark.line == key.end_mark.line
            end = value.end_mark if same else key.end_mark
            yield full, key.end_mark.line, end.column
