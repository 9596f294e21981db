# SPDX-License-Identifier: Apache-2.0
"""
Says which nodes a ROS parameter file gives parameters to.

ROS starts a node that no key of the file matches with its default parameters, and reports nothing.
A key is a fully qualified name: `/robot1/critic`. `*` stands for one part of a name, `**` for any
number of parts, and a key without a leading slash means the same as with one.
"""

from collections.abc import Iterable
from pathlib import Path
import re

import yaml

from ami_ros.core.errors import AmiError

KEY = 'ros__parameters'


def parameters(path: str | Path) -> dict[str, dict]:
    """Return the parameters in a file by key; ValueError where the file cannot be read."""
    def walk(tree, above: str):
        for key, below in tree.items() if isinstance(tree, dict) else ():
            if key == KEY:
                yield above, below if isinstance(below, dict) else {}
            else:
                yield from walk(below, f'{above}/{str(key).strip("/")}')
    try:
        return dict(walk(yaml.safe_load(Path(path).read_text(encoding='utf-8')), ''))
    except OSError as why:
        raise AmiError(f'{path} cannot be read: {why.strerror}') from why
    except (yaml.YAMLError, ValueError) as wrong:
        raise AmiError(f'{path} is not YAML: {" ".join(str(wrong).split())}') from wrong


def flat(values: dict, above: str = '') -> dict[str, object]:
    """Return parameters by their full names: {'actor': {'elites': 8}} as actor.elites."""
    out: dict = {}
    for key, value in values.items():
        name = f'{above}{key}'
        out.update(flat(value, f'{name}.') if isinstance(value, dict) else {name: value})
    return out


def matches(key: str, full: str) -> bool:
    """Tell whether a key of a parameter file means the node of this fully qualified name."""
    pattern = re.escape(key).replace(r'/\*\*', r'(/\w+)*').replace(r'/\*', r'/\w+')
    return re.fullmatch(pattern, full, re.ASCII) is not None


def misses(keys: Iterable[str], full: str) -> list[str]:
    """Return the keys that name a node like this one but do not match it; [] where one matches.

    A file may hold the parameters of several robots, so one key that matches is enough.
    """
    name = full.rpartition('/')[2]
    alike = [key for key in keys if key.rpartition('/')[2] == name]
    return [] if any(matches(key, full) for key in alike) else alike


def given_files(arguments: Iterable[str]) -> list[str]:
    """Return the parameter files of a command line, as rcl reads it."""
    found, of_ros, words = [], False, list(arguments)
    for word, following in zip(words, [*words[1:], '']):
        of_ros = word == '--ros-args' or of_ros and word != '--'
        if of_ros and word == '--params-file' and following:
            found.append(following)
    return found


def unnamed(full: str, missing: Iterable[str], files: Iterable[str]) -> str:
    """Say that a node was not told what it must be told, and what to write."""
    what = ' and '.join(missing)
    out = f'{full} was not given its {what}, and has no default: nothing moves a robot that ' \
          'nobody named'
    name, files = full.rpartition('/')[2], list(files)
    for file in files:
        others = [key for key in parameters(file) if not matches(key, full)]
        if others:
            out += f'; {file} has parameters of {", ".join(others)}, none of which is {full}'
    where = f'in {files[-1]}' if files else 'in a file for --params-file'
    return (f'{out}. Write {", ".join(f"{key}: PATH" for key in missing)} below /**/{name}: '
            f'{KEY}: {where}, or start it with '
            f'{" ".join(f"-p {key}:=PATH" for key in missing)}')
