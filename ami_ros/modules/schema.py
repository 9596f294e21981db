# SPDX-License-Identifier: Apache-2.0
"""Validates a manifest against config/module_schema.json."""

from functools import cache
import math
from typing import Any

from jsonschema import Draft202012Validator, validators

from ami_ros.core.share_directory import share
from ami_ros.modules import canonical_json

LONGEST = 160       # characters of one problem


@cache
def manifest() -> dict:
    """Read the schema of manifests."""
    return canonical_json.parse(share('config/module_schema.json').read_bytes(), 'the schema')


def _finite(checker, value: Any) -> bool:
    """Whether a value is a number; JSON's 1e999 is read as infinity, which is none."""
    return Draft202012Validator.TYPE_CHECKER.is_type(value, 'number') and math.isfinite(value)


Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine('number', _finite))


def problems(value: object, schema: dict) -> list[str]:
    """Return what is wrong with a value: for each problem its JSON path and a sentence."""
    errors = sorted(Validator(schema).iter_errors(value), key=lambda error: error.json_path)
    return [_short(f'{error.json_path.removeprefix("$").lstrip(".") or "the manifest"}: '
                   f'{error.message}') for error in errors]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + '...'
