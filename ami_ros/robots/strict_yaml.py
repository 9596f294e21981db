# SPDX-License-Identifier: Apache-2.0
"""Reads YAML that a person wrote, strictly: what is doubtful is refused, in one sentence."""

from pathlib import Path
from typing import Any

import yaml

from ami_ros.core.errors import AmiError

LONGEST = 1 << 17       # characters; ten times the longest that a person wrote so far
MOST_BITS = 1024        # of a whole number: what a float holds
# ten times quicker where libyaml is there
SAFE: Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


class Strict(SAFE):
    """Refuses a key that stands twice; YAML itself would silently take the last."""

    def construct_mapping(self, node, deep=False):
        """Read a mapping whose keys all differ."""
        seen: dict[str, int] = {}       # its line
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(':merge'):
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                raise AmiError(f'{key.value!r} stands twice, in lines {seen[key.value]} and '
                               f'{line}; keep one')
            seen[key.value] = line
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node):
        """Read a whole number; Python writes none of thousands of digits into a sentence."""
        value = super().construct_yaml_int(node)
        if value.bit_length() > MOST_BITS:
            raise AmiError(f'line {node.start_mark.line + 1} has a whole number of '
                           f'{value.bit_length()} bits; it may have {MOST_BITS}')
        return value


Strict.add_constructor('tag:yaml.org,2002:int', Strict.construct_yaml_int)


def read(text: str, where: str) -> dict:
    """Read the `key: value` lines of a file; ValueError is one sentence that begins with where."""
    if len(text) > LONGEST:
        raise AmiError(f'{where} has {len(text)} characters; it may have {LONGEST}')
    try:
        said = yaml.load(text, Strict)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        at = f', line {mark.line + 1}' if mark else ''
        raise AmiError(f'{where}{at} is not YAML: {wrong.problem or wrong.context}') from None
    except ValueError as wrong:
        raise AmiError(f'{where}: {" ".join(str(wrong).split())}') from None
    except Exception as wrong:      # over odd tags PyYAML stumbles in many ways
        raise AmiError(f'{where} is not YAML: {" ".join(str(wrong).split())}') from None
    if not isinstance(said, dict):
        raise AmiError(f'{where} holds {type(said).__name__}, not KEY: VALUE lines')
    return said


def load(path: Path) -> dict:
    """Read a file; ValueError names it and says in one sentence what is wrong."""
    try:
        return read(path.read_text(encoding='utf-8'), str(path))
    except OSError as why:
        raise AmiError(f'{path} cannot be read: {why.strerror}') from why
    except UnicodeDecodeError as why:
        raise AmiError(f'{path} is not text in UTF-8: {why.reason} at byte {why.start}') from why
