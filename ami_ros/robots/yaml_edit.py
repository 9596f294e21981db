# SPDX-License-Identifier: Apache-2.0
"""Writes measured numbers into a person's YAML file, in place: comments and order stay.

Only the value is replaced, and the comment behind it says where the new one comes from: what stood
behind `source:` goes, what stood before it stays.
"""

from collections.abc import Callable, Mapping
import os
from pathlib import Path
import re
import tempfile

import yaml

from ami_ros.core.errors import AmiError
from ami_ros.robots import strict_yaml
from ami_ros.robots.robot import understood

SOURCE = re.compile(r'[;,]?\s*\bsource:.*$')
BEHIND = re.compile(r'[ \t]*(#[^\r\n]*)?(?=\r?\n|\Z)')


def rewrite(path: Path, values: Mapping[str, object], note: str,
            check: Callable[[dict, Path], object] = understood) -> None:
    """Replace values of a file: all of them, or none and a ValueError that says why.

    A key is dotted; an entry of a list is named by its `name`: 'sensors.scan.no_return'. `note`
    says where the values come from: 'measured 2026-11-22 by ami-ros calibrate, 12 runs'; an empty
    one leaves that alone. The file must read back with just these values, and `check` must accept
    it: by default as a robot file.
    """
    path = Path(path).resolve()         # a link stays a link
    try:
        with open(path, encoding='utf-8', newline='') as file:      # the ends of lines stay, too
            text = file.read()
    except OSError as why:
        raise AmiError(f'{path} cannot be read: {why.strerror}') from why
    except UnicodeDecodeError as why:
        raise AmiError(f'{path} is not text in UTF-8: {why.reason} at byte {why.start}') from why
    new = edited(text, values, note, str(path))
    check(strict_yaml.read(new, str(path)), path)
    replaced(path, new)


def edited(text: str, values: Mapping[str, object], note: str, where: str) -> str:
    """Return the text with values replaced; ValueError where it would not read back so."""
    if '\n' in note or '\r' in note:
        raise AmiError(f'a note is one line, not {note!r}')
    said = strict_yaml.read(text, where)
    tree = yaml.compose(text, yaml.SafeLoader)      # not of libyaml: its marks count bytes
    spots = []
    for key, value in values.items():
        value = plain(value)
        if value != value:
            raise AmiError(f'{where}: {key} cannot become {value}, which is no number')
        try:
            new = written(value)
        except yaml.YAMLError:
            raise AmiError(f'{where}: {key} cannot become {value!r}, which YAML has no way to '
                           'write') from None
        node = found(tree, said, key, where)
        if node.start_mark.line != node.end_mark.line:
            raise AmiError(f'{where}: {key} runs over several lines; write it in one, then it '
                           'can be replaced')
        put(said, key, value)
        start, end = node.start_mark.index, node.end_mark.index
        spots.append((start, end, (' ' if text[start - 1] == ':' else '') + new))
    for start, end, value in sorted(spots, reverse=True):
        text = text[:start] + value + noted(text[end:], note, len(value) - (end - start))
    if not same(strict_yaml.read(text, where), said):
        raise AmiError(f'{where}: {", ".join(values)} cannot be replaced in place, the file '
                       'would say something else; is one of them an anchor or an alias?')
    return text


def found(tree: yaml.Node, said, key: str, where: str) -> yaml.Node:
    """Return the node of a value that the dotted key leads to."""
    node, at = tree, ''
    for part in key.split('.'):
        pairs = children(node)
        if part not in pairs:
            raise AmiError(f'{where}: {at or "the file"} has no {part!r}; there are: '
                           f'{", ".join(pairs) or "none"}')
        node, at = pairs[part], f'{at}.{part}' if at else part
    if isinstance(node, yaml.MappingNode) or (
            isinstance(node, yaml.SequenceNode) and any(
                not isinstance(one, yaml.ScalarNode) for one in node.value)):
        raise AmiError(f'{where}: {key} is no value but a group; name one of: '
                       f'{", ".join(children(node))}')
    return node


def children(node: yaml.Node) -> dict[str, yaml.Node]:
    """Return what is in a mapping by key, and in a list of mappings by their `name`."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: value for key, value in node.value
                if is_text(key)}
    if isinstance(node, yaml.SequenceNode):
        named = ((children(one).get('name'), one) for one in node.value)
        return {name.value: one for name, one in named
                if name is not None and is_text(name)}
    return {}


def is_text(node: yaml.Node | None) -> bool:
    """Tell whether a node is a string, as keys and names are."""
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(':str')


def put(said, key: str, value) -> None:
    """Set what a dotted key leads to, in the data."""
    *way, last = key.split('.')
    for part in way:
        said = said[part] if isinstance(said, dict) else next(
            one for one in said if isinstance(one, dict) and one.get('name') == part)
    said[last] = value


def plain(value):
    """Take numpy's numbers and tuples as YAML has them."""
    if isinstance(value, (list, tuple)) or getattr(value, 'shape', ()) != ():
        return [plain(one) for one in value]
    return value.item() if hasattr(value, 'item') else value


def written(value) -> str:
    """Write a value as YAML reads it back, in one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=1e9).split('\n')[0]


def noted(rest: str, note: str, longer: int) -> str:
    """Say the source in the comment that ends this line; in `{a: 1, b: 2}` there is none.

    The comment stays in its column, also where the value before it became `longer`.
    """
    behind = BEHIND.match(rest)
    if behind is None or not (note or behind[1]):
        return rest
    comment = behind[1] or ''
    if note:
        comment = SOURCE.sub('', comment).rstrip(' #')
        comment = f'{comment}; source: {note}' if comment else f'# source: {note}'
    gap = len(behind[0]) - len(behind[1]) - longer if behind[1] else 2
    return ' ' * max(gap, 2) + comment + rest[behind.end():]


def same(one, other) -> bool:
    """Compare as deeply as YAML goes; 1 is not True, and not 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def replaced(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the rights that it had."""
    handle, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(handle, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
