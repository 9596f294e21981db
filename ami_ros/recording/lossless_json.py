# SPDX-License-Identifier: Apache-2.0
"""
Writes nouns as JSON and reads them again, bit for bit, so that what was said can be judged again.

A noun is an object with its class as `!`; arrays bear their type and shape; what was a tuple, a
list or a deque comes back as a tuple. NaN and infinity are written as Python's json has them.
"""

from base64 import b64decode, b64encode
from collections import deque
from dataclasses import fields, is_dataclass
import json
from operator import attrgetter

import numpy as np

from ami_ros.core import types
from ami_ros.core.errors import AmiError
from ami_ros.core.types import Command

KIND = '!'
SMALL = 8               # so many floats are written as numbers, more of them as bytes
MANY = 16               # so many nouns of one kind are written by columns, where they are numbers
NUMBERS = (int, float)
NOUNS: dict[str, type] = {}
NAMES: dict[type, tuple[str, ...]] = {}     # of the fields, by class


def noun(kind: type) -> type:
    """Make a dataclass known, so that it can be read again."""
    NOUNS[kind.__name__] = kind
    NAMES[kind] = tuple(field.name for field in fields(kind))
    return kind


for _kind in vars(types).values():
    if isinstance(_kind, type) and is_dataclass(_kind):
        noun(_kind)


def frozen(value):
    """Turn a value into what json writes; TypeError names what cannot be written."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (tuple, list, deque):
        return row(value)
    if kind is np.ndarray:
        return array(value)
    if kind is dict:
        if all(type(key) is str and key != KIND for key in value):
            return {key: frozen(one) for key, one in value.items()}
        return {KIND: 'pairs', 'of': [[frozen(key), frozen(one)] for key, one in value.items()]}
    if kind in NAMES:
        return {KIND: kind.__name__,
                **{name: frozen(getattr(value, name)) for name in NAMES[kind]}}
    if isinstance(value, np.generic):
        return array(np.asarray(value))
    raise TypeError(f'a {kind.__name__} cannot be written exactly; there are numbers, text, '
                    f'arrays, rows, and: {", ".join(sorted(NOUNS))}')


def row(values) -> list | dict:
    """Write a tuple, a list or a deque; commands and many alike by columns, which is quicker."""
    if not values:
        return []
    kind = type(values[0])
    if kind in NUMBERS and all(type(one) in NUMBERS for one in values):
        return list(values)
    if kind is Command and all(type(one) is Command for one in values):
        return {KIND: 'commands', 'ns': array(np.array([c.stamp_ns for c in values], np.int64)),
                'values': array(np.array([c.values for c in values], float))}
    if len(values) >= MANY and kind in NAMES and all(
            type(one) is kind and all(type(part) in NUMBERS for part in parts(one))
            for one in values):
        return {KIND: 'rows', 'of': kind.__name__,
                'columns': [list(map(attrgetter(name), values)) for name in NAMES[kind]]}
    return [frozen(one) for one in values]


def parts(one) -> tuple:
    """Return what a noun is made of, in order."""
    return tuple(getattr(one, name) for name in NAMES[type(one)])


def array(values: np.ndarray) -> dict:
    """Write an array."""
    said = {KIND: 'array', 'type': values.dtype.str, 'shape': list(values.shape)}
    if values.size <= SMALL and values.dtype == np.float64:
        return {**said, 'values': values.ravel().tolist()}
    return {**said, 'bytes': b64encode(np.ascontiguousarray(values).data).decode()}


def thawed(said):
    """Turn what json read into the value again; ValueError says what nobody knows."""
    if isinstance(said, list):
        return tuple(map(thawed, said))
    if not isinstance(said, dict):
        return said
    kind = said.get(KIND)
    if kind is None:
        return {key: thawed(one) for key, one in said.items()}
    try:
        return SPECIAL[kind](said) if kind in SPECIAL else made(kind, said)
    except (KeyError, TypeError) as wrong:
        raise AmiError(f'a {kind} of the recording is not what this version knows: {wrong}; '
                       'replay it with the version that recorded it') from None


def made(kind: str, said: dict):
    """Make a noun; a field that it had not yet when it was recorded has its default."""
    if kind not in NOUNS:
        raise AmiError(f'nobody knows a {kind!r}; there are: {", ".join(sorted(NOUNS))}')
    return NOUNS[kind](**{key: thawed(one) for key, one in said.items() if key != KIND})


def array_of(said: dict) -> np.ndarray:
    """Read an array; of shape () a scalar of its type."""
    kind, shape = np.dtype(said['type']), said['shape']
    out = (np.array(said['values'], kind) if 'values' in said
           else np.frombuffer(b64decode(said['bytes']), kind)).reshape(shape)
    return out if shape else out[()]


def commands_of(said: dict) -> tuple[Command, ...]:
    """Read commands."""
    return tuple(map(Command, thawed(said['values']), thawed(said['ns']).tolist()))


def rows_of(said: dict) -> tuple:
    """Read many of one kind."""
    return tuple(map(NOUNS[said['of']], *said['columns']))


SPECIAL = {'array': array_of, 'commands': commands_of, 'rows': rows_of,
           'pairs': lambda said: {thawed(key): thawed(one) for key, one in said['of']}}


def text(value) -> str:
    """Write a value as one line of JSON."""
    return json.dumps(frozen(value), separators=(',', ':'))


def read(line: str):
    """Read a line again; ValueError says what is wrong with it."""
    return thawed(json.loads(line))
