# SPDX-License-Identifier: Apache-2.0
"""
Checks what a person's file says of a thing against the declarations of its fields.

Beyond what settings have: a field may be a pair like tuple[float, float], each number of it within
the range, or `| None` where it is said of some things only. What a file must say has no default.
"""

import dataclasses
from dataclasses import dataclass
import difflib
from types import NoneType, UnionType
from typing import get_args, get_origin, TypeVar

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import setting


def some(unit: str, low=None, high=None, reason: str = '', default=None):
    """Declare a field that need not be said."""
    like = setting(0, unit, low, high, reason)
    return dataclasses.field(default=default, kw_only=True, metadata=like.metadata)

Kind = TypeVar('Kind', bound='Given')


@dataclass(frozen=True)
class Given:
    """Checks every declared field; written so that NaN fails too."""

    def __post_init__(self):
        for field in declared(type(self)).values():
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            kind, meta = behind(field.type), field.metadata
            values = value if get_origin(kind) is tuple else (value,)
            kinds = get_args(kind) or (kind,)
            if not isinstance(values, tuple) or len(values) != len(kinds) or not all(
                    isinstance(v, k) and (k is bool or not isinstance(v, bool))
                    for v, k in zip(values, kinds)):
                raise AmiError(f'{field.name} = {value!r} is not {called(kind)}'
                               f'{hint(value)} ({meta["reason"]})')
            if meta['low'] is not None and not all(meta['low'] <= v <= meta['high']
                                                   for v in values):
                raise AmiError(f'{field.name} = {value!r} is outside {meta["low"]} to '
                               f'{meta["high"]} {meta["unit"]} ({meta["reason"]})')


def declared(kind: type) -> dict[str, dataclasses.Field]:
    """Return the fields that a file may say."""
    return {f.name: f for f in dataclasses.fields(kind) if f.metadata}


def behind(kind):
    """Return the type behind `kind | None`."""
    if get_origin(kind) is UnionType:
        return next(k for k in get_args(kind) if k is not NoneType)
    return kind


CALLED = {float: 'a number', int: 'a whole number', str: 'text', bool: 'true or false',
          tuple: 'a list'}


def called(kind) -> str:
    """Name a type as a person would."""
    inner = get_args(kind)
    return f'[{", ".join(CALLED[k] for k in inner)}]' if inner else CALLED[kind]


def hint(value) -> str:
    """Explain the number that YAML takes for text."""
    if isinstance(value, str) and value[:1].isdigit() and 'e' in value:
        return ': YAML reads 1e-3 as text, write 1.0e-3'
    return ''


def cast(value, kind):
    """Take a number or a list as YAML gives it: 1 for a float, [1, 2] for a pair of them."""
    kind = behind(kind)
    if isinstance(value, list) and (kind is tuple or get_origin(kind) is tuple):
        inner = get_args(kind)
        return tuple(cast(v, k) for v, k in zip(value, inner)) if len(inner) == len(value) \
            else tuple(value)
    return float(value) if kind is float and type(value) is int else value


def build(kind: type[Kind], values, where: str) -> Kind:
    """Make a thing from a plain dict; ValueError names the key, and the right ones."""
    fields = declared(kind)
    if not isinstance(values, dict):
        raise AmiError(f'{where}: {type(values).__name__} where KEY: VALUE pairs belong '
                       f'(keys: {", ".join(fields)})')
    for key in values:
        if key not in fields:
            close = difflib.get_close_matches(str(key), fields, 1)
            meant = f'; did you mean {close[0]!r}?' if close else ''
            raise AmiError(f'{where}: unknown key {key!r}{meant} (there are: '
                           f'{", ".join(fields)})')
    missing = [name for name, field in fields.items()
               if field.default is dataclasses.MISSING and name not in values]
    if missing:
        raise AmiError(f'{where} does not say {", ".join(missing)}; these have no default')
    try:
        return kind(**{key: cast(value, fields[key].type) for key, value in values.items()})
    except (ValueError, OverflowError) as wrong:
        raise AmiError(f'{where}: {wrong}') from None
