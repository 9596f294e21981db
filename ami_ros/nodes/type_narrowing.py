# SPDX-License-Identifier: Apache-2.0
"""Narrows the type of a value to what the caller knows of it; a wrong value is an error here."""

from typing import TypeVar

T = TypeVar('T')


def present(value: T | None) -> T:
    """Return a value that is None only before the node is configured, or for another input."""
    assert value is not None, 'a value is missing that the configuration of the node makes'
    return value


def of_kind(value: object, kind: type[T]) -> T:
    """Return a value that is of this class, such as a group of settings."""
    assert isinstance(value, kind), f'{type(value).__name__} is not {kind.__name__}'
    return value
