# SPDX-License-Identifier: Apache-2.0
"""Checks a manifest against config/module_schema.json: the words of JSON Schema that it uses."""

from functools import cache
import math
import re

from ami_ros.modules import strict
from ami_ros.share import share

KINDS = {'object': dict, 'array': list, 'string': str, 'integer': int, 'number': (int, float),
         'boolean': bool, 'null': type(None)}
WORDS = {'$schema', 'title', 'description', 'type', 'required', 'properties', 'const', 'pattern',
         'items', 'minItems', 'maxItems', 'minimum', 'minProperties', 'additionalProperties'}


@cache
def manifest() -> dict:
    """Read the schema of manifests."""
    return strict.parse(share('config/module_schema.json').read_bytes(), 'the schema')


def problems(value: object, schema: dict, where: str = '') -> list[str]:
    """Return what is wrong with a value, each a half-sentence that says where."""
    if unknown := set(schema) - WORDS:
        raise NotImplementedError(f'the schema says {unknown}, which is not checked here')
    at = where or 'the manifest'
    kinds = schema.get('type', [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return [f'{at} is {_short(value)}, not of type {" or ".join(kinds)}']
    out = []
    if 'const' in schema and value != schema['const']:
        out.append(f'{at} is {_short(value)}, not {schema["const"]!r}')
    if isinstance(value, str) and not re.search(schema.get('pattern', ''), value):
        out.append(f'{at} is {_short(value)}, which does not match {schema["pattern"]}')
    if _is(value, 'number') and not value >= schema.get('minimum', -math.inf):
        out.append(f'{at} is {value}, less than {schema["minimum"]}')
    if isinstance(value, list):
        if not schema.get('minItems', 0) <= len(value) <= schema.get('maxItems', math.inf):
            out.append(f'{at} has {len(value)} items, not from {schema.get("minItems", 0)} to '
                       f'{schema.get("maxItems", "any number")}')
        for index, item in enumerate(value):
            out += problems(item, schema.get('items', {}), f'{where}[{index}]')
    if isinstance(value, dict):
        out += [f'{where + ": " if where else ""}it does not say {name}'
                for name in schema.get('required', ()) if name not in value]
        if len(value) < schema.get('minProperties', 0):
            out.append(f'{at} is empty')
        known, more = schema.get('properties', {}), schema.get('additionalProperties', {})
        for name, item in value.items():
            out += problems(item, known.get(name, more), f'{where}.{name}' if where else name)
    return out


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == 'boolean'
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, KINDS[kind])


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '...'
