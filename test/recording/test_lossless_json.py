# SPDX-License-Identifier: Apache-2.0
"""What is written exactly comes back bit for bit, and what cannot be is named."""

from collections import deque
import dataclasses
import json
import math

from ami_ros.core import types
from ami_ros.core.types import Belief, Command, Plan, Track
from ami_ros.recording import lossless_json
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2**63, 2**63 - 1),
                    st.floats(allow_nan=False), st.text(max_size=8))


def same(one, other) -> bool:
    """Tell whether two values are the same in every bit; rows of any kind are alike."""
    if isinstance(one, np.ndarray):
        return (isinstance(other, np.ndarray) and one.dtype == other.dtype
                and one.shape == other.shape and one.tobytes() == other.tobytes())
    if isinstance(one, (tuple, list, deque)):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return type(one) is type(other) and one == other


def back(value):
    return lossless_json.read(lossless_json.text(value))


@settings(max_examples=200, deadline=None)
@given(st.recursive(SCALARS, lambda one: st.one_of(
    st.lists(one, max_size=4), st.lists(one, max_size=4).map(tuple),
    st.dictionaries(st.one_of(st.text(max_size=4), st.integers()), one, max_size=3)),
    max_leaves=12))
def test_plain_values_come_back(value):
    assert same(value, back(value))


@pytest.mark.parametrize('kind', ['<f4', '<f8', '<i8', '|u1', '|b1'])
@pytest.mark.parametrize('shape', [(0,), (3,), (9,), (2, 0, 3), (4, 5)])
def test_arrays_come_back(kind, shape):
    values = np.random.default_rng(0).normal(size=shape) * 100
    assert same(values.astype(kind), back(values.astype(kind)))


def test_what_is_no_number_comes_back():
    values = np.array([math.nan, math.inf, -math.inf, -0.0, 5e-324])
    assert same(values, back(values)) and same(tuple(values.tolist()), back(values.tolist()))
    assert same(np.tile(values, 4), back(np.tile(values, 4)))


def test_a_view_that_is_not_in_one_piece_comes_back():
    values = np.arange(40.0).reshape(5, 8)[:, ::2]
    assert same(values, back(values))


def test_nouns_come_back():
    z = np.random.default_rng(1).normal(size=64).astype(np.float32)
    belief = Belief(z, z[:3], np.arange(3.0), np.arange(3.0), 10**18 + 1, 1 / 3, 2.0, 7, 'a')
    plan = Plan(np.arange(16.0).reshape(8, 2) / 3, 0.25, 10**18 + 3,
                energies=(('time_to_goal', 0.1),))
    commands = tuple(Command(np.array([0.1 * i, 1 / (i + 1)]), 10**18 + i) for i in range(40))
    tracks = deque(Track(10**18 + i, 0.1 * i, 1 / (i + 3), 0.0, 1.0) for i in range(200))
    for value in (belief, plan, commands, tracks, {'p': plan, 'none': None}):
        assert same(value, back(value))


def test_many_alike_are_written_in_few_words():
    tracks = tuple(Track(10**18 + i, 0.1, 0.2, 0.3, 0.4) for i in range(200))
    assert len(lossless_json.text(tracks)) < 200 * 45


def test_a_field_that_came_later_has_its_default():
    said = json.loads(lossless_json.text(types.Permit('idle', 'a', 1, 2)))
    assert lossless_json.thawed(said).mode == 'idle'
    said.pop('mode')
    with pytest.raises(ValueError, match='Permit .* missing.*mode.*version that recorded it'):
        lossless_json.thawed(said)
    plan = json.loads(lossless_json.text(Plan(np.zeros((1, 2)), 0.25, 5)))
    plan.pop('disagreement')
    assert lossless_json.thawed(plan).disagreement == 1.0


def test_what_cannot_be_written_and_what_nobody_knows_are_named():
    with pytest.raises(TypeError, match='a set cannot be written exactly; there are .*Plan'):
        lossless_json.text({1, 2})
    with pytest.raises(ValueError, match="nobody knows a 'Dragon'; there are: .*Belief"):
        lossless_json.read('{"!": "Dragon"}')
    with pytest.raises(ValueError, match="Track of the recording .*unexpected.*'wings'"):
        lossless_json.read('{"!": "Track", "wings": 2}')
