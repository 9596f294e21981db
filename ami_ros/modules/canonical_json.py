# SPDX-License-Identifier: Apache-2.0
"""
JSON that means one thing only, and can be written in one way only.

Two readers that take another of two equal keys would see two documents in the same bytes, so a
doubled key is refused. What is signed is besides equal to what `canonical` writes of it.
"""

import json
from typing import Any

from ami_ros.core.errors import AmiError

LARGEST = 2**20         # bytes; a manifest of ours has 6 kB


def _once(pairs: list[tuple[str, object]]) -> dict:
    """Make a dict of pairs; ValueError for a key that comes twice."""
    out: dict = {}
    for key, value in pairs:
        if key in out:
            raise AmiError(f'key {key!r} comes twice')
        out[key] = value
    return out


def _never(constant: str):
    raise AmiError(f'{constant} is no number of JSON')


def parse(data: bytes, what: str = 'it') -> Any:
    """Read JSON; ValueError says what is wrong with `what`, in one line."""
    if len(data) > LARGEST:
        raise AmiError(f'{what} has {len(data)} bytes, at most {LARGEST} are read')
    try:
        return json.loads(data.decode('utf-8'), object_pairs_hook=_once, parse_constant=_never)
    except RecursionError:
        raise AmiError(f'{what} is nested too deeply') from None
    except ValueError as why:
        raise AmiError(f'{what} is no JSON as it should be: {why}') from None


def canonical(value: object) -> bytes:
    """Write JSON in the one way: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(',', ':'), allow_nan=False).encode()
