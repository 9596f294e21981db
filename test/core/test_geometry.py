# SPDX-License-Identifier: Apache-2.0
"""Planar poses: composing and comparing undo each other, angles stay in [-pi, pi)."""

import math

from ami_ros.core.geometry import between, compose, Rescaled, wrap
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

METRES, ANGLES = st.floats(-100, 100), st.floats(-20, 20)
POSES = st.tuples(METRES, METRES, ANGLES).map(np.array)


def matrix(pose):
    x, y, yaw = pose
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, -s, x], [s, c, y], [0, 0, 1]])


def same(a, b):
    assert matrix(a) == pytest.approx(matrix(b), abs=1e-9)


@settings(deadline=None)
@given(POSES, POSES)
def test_compose_is_the_product_of_matrices(a, b):
    assert matrix(compose(a, b)) == pytest.approx(matrix(a) @ matrix(b), abs=1e-9)


@settings(deadline=None)
@given(POSES, POSES)
def test_between_undoes_compose(a, b):
    same(between(a, compose(a, b)), b)
    same(compose(a, between(a, b)), b)


@settings(deadline=None)
@given(ANGLES)
def test_wrap_keeps_the_direction(angle):
    wrapped = wrap(angle)
    assert -math.pi <= wrapped < math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)


@pytest.mark.parametrize('angle, wrapped', [
    (math.pi, -math.pi), (-math.pi, -math.pi), (3 * math.pi, -math.pi), (0.0, 0.0),
    (1.5 * math.pi, -0.5 * math.pi)])
def test_wrap_at_its_ends(angle, wrapped):
    assert wrap(angle) == pytest.approx(wrapped)


def test_left_is_y_and_counter_clockwise_is_positive():
    facing_left = np.array([1.0, 2.0, math.pi / 2])
    assert compose(facing_left, np.array([1.0, 0.0, 0.0])) == pytest.approx([1, 3, math.pi / 2])
    assert between(facing_left, np.array([0.0, 2.0, math.pi])) == pytest.approx(
        [0, 1, math.pi / 2])


def test_arrays_of_any_shape():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 1, 3)), rng.normal(size=(1, 5, 3))
    out = compose(a, b)
    assert out.shape == (4, 5, 3)
    assert out[2, 3] == pytest.approx(compose(a[2, 0], b[0, 3]))
    assert between(a, out)[1, 2] == pytest.approx([*b[0, 2, :2], wrap(b[0, 2, 2])])


def test_odometry_that_tells_the_truth_is_left_alone_to_the_bit():
    told, same = np.array([0.1, 0.2, 3.0]), Rescaled(1.0, 1.0)
    assert same.pose(told) is told and same.twist(told[:2]).tobytes() == told[:2].tobytes()


@pytest.mark.parametrize('forward, turn', [(1.1, 1.0), (1.0, 0.9), (0.8, 1.2)])
def test_rescaled_odometry_is_the_way_that_was_driven(forward, turn):
    """Drive an arc; tell it with wheels and track that are wrong; get the arc back."""
    true, told = np.array([1.0, -2.0, 0.4]), np.array([1.0, -2.0, 0.4])
    rescaled = Rescaled(forward, turn)
    for _ in range(2000):
        assert np.allclose(between(true, rescaled.pose(told)), 0, atol=5e-3)
        step = np.array([0.002, 0.0, 0.003])
        true = compose(true, step)
        told = compose(told, step / [forward, 1, turn])
    assert rescaled.twist(np.array([0.5, 1.0])).tolist() == [0.5 * forward, turn]


def test_a_turn_over_half_a_circle_is_no_jump():
    rescaled, yaw = Rescaled(1.0, 2.0), np.array([3.1, 3.2, 3.3])
    poses = [rescaled.pose(np.array([0.0, 0.0, wrap(y)])) for y in yaw]
    assert np.allclose([wrap(p[2] - poses[0][2]) for p in poses], [0, 0.2, 0.4])
