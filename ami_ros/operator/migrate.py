# SPDX-License-Identifier: Apache-2.0
"""
Rewrites the old names in a robot file, a parameter file or a safety policy.

Only names change: comments, order, quotes and numbers stay as they are. A comment at the end of a
line stays in its column where the longer name leaves room.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ami_ros.core.durable_state import write_whole
from ami_ros.core.errors import AmiError
from ami_ros.core.renamed_public_names import FILES, NODES, PARAMETERS, RULES, SHARED

PARAMETERS_KEY = 'ros__parameters'


@dataclass(frozen=True)
class Change:
    """One name that is replaced: where it stands in the text, and what it is called now."""

    begin: int          # characters from the start of the text
    end: int
    old: str
    new: str
    line: int           # counted from 1


def changes(text: str, where: str) -> list[Change]:
    """Find the old names in the text of a file; ValueError where it is none of ours."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as wrong:
        raise AmiError(f'{where} is not YAML: {" ".join(str(wrong).split())}') from None
    if not isinstance(root, yaml.MappingNode):
        raise AmiError(f'{where} is neither a robot file, a parameter file nor a safety policy')
    keys = {key.value: value for key, value in root.value}
    if 'rules' in keys:
        return list(in_policy(keys))
    if 'sensors' in keys:
        return []                       # no key of a robot file was renamed
    found = list(in_nodes(root, ''))
    if not found and PARAMETERS_KEY not in text:
        raise AmiError(f'{where} is neither a robot file (`sensors`), a parameter file '
                       f'(`{PARAMETERS_KEY}`) nor a safety policy (`rules`)')
    return found


def in_policy(keys: dict[str, yaml.Node]) -> Iterator[Change]:
    """Find the old names in a safety policy."""
    for part, table in (('rules', RULES), ('shared', SHARED)):
        for key, _ in children(keys.get(part)):
            if key.value in table:
                yield change(key, table[key.value])


def in_nodes(node: yaml.Node, above: str) -> Iterator[Change]:
    """Find the old names in a parameter file: node names down to `ros__parameters`, then keys."""
    for key, value in children(node):
        name = key.value.rstrip('/').rpartition('/')[2]
        if key.value == PARAMETERS_KEY:
            yield from in_parameters(value, '')
            continue
        if name in NODES:
            yield change(key, key.value.replace(name, NODES[name]))
        yield from in_nodes(value, key.value)


def in_parameters(node: yaml.Node, prefix: str) -> Iterator[Change]:
    """Find old parameters: nested below their group, or dotted."""
    for key, value in children(node):
        full = f'{prefix}.{key.value}' if prefix else key.value
        if full in PARAMETERS:
            new = PARAMETERS[full]
            yield change(key, new if '.' in key.value else new.rpartition('.')[2])
        if isinstance(value, yaml.MappingNode):
            yield from in_parameters(value, full)
        elif isinstance(value, yaml.ScalarNode):
            for old, new in FILES.items():
                if value.value.startswith(old) and old.endswith('/'):
                    yield change(value, value.value.replace(old, new, 1))


def children(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    """Return the pairs of a mapping; none of anything else."""
    return node.value if isinstance(node, yaml.MappingNode) else []


def change(node: yaml.Node, new: str) -> Change:
    """Make a change of a scalar; quotes around it stay."""
    begin, end = node.start_mark.index, node.end_mark.index
    quoted = 1 if node.style in ('"', "'") else 0
    return Change(begin + quoted, end - quoted, node.value, new, node.start_mark.line + 1)


def rewritten(text: str, found: list[Change]) -> str:
    """Return the text with the new names."""
    for one in sorted(found, key=lambda one: -one.begin):
        stop = text.find('\n', one.end)
        rest, after = (text[one.end:stop], text[stop:]) if stop >= 0 else (text[one.end:], '')
        more = len(one.new) - (one.end - one.begin)
        code, mark, comment = rest.partition('  #')
        if mark and more > 0:           # the comment keeps its column, two spaces away at least
            bare = code.rstrip(' ')
            spaces = max(2, len(code) - len(bare) + 2 - more)
            rest = f'{bare}{" " * spaces}#{comment}'
        text = text[:one.begin] + one.new + rest + after
    return text


def migrate(path: Path, dry_run: bool = False) -> list[str]:
    """Rewrite a file in place; return a line for each name that was replaced."""
    try:
        text = path.read_bytes().decode()
    except OSError as why:
        raise AmiError(f'{path} cannot be read: {why.strerror}') from why
    except UnicodeDecodeError as why:
        raise AmiError(f'{path} is not text in UTF-8: {why.reason} at byte {why.start}') from why
    found = changes(text, str(path))
    if found and not dry_run:
        write_whole(path, rewritten(text, found))
    return [f'{path}:{one.line}: {one.old} -> {one.new}' for one in found]
