# SPDX-License-Identifier: Apache-2.0
"""Scale of odometry: walls, rotations and gyros whose truth is known."""

import math

from ami_ros.operator.calibration.measurement import Unclear
from ami_ros.operator.calibration.scale import gyrated, middling, rotation, scale
from ami_ros.operator.calibration.wall_distance import approached, wall
import numpy as np
import pytest

RNG = np.random.default_rng


def seen_wall(distance, slant, seed, noise=0.01, beams=180, clutter=0):
    """(N, 2) points of a lidar that faces a wall, some of them of something before it."""
    angles = -math.pi + 2 * math.pi * np.arange(beams) / beams
    facing = np.cos(angles - slant) > 0.2
    ranges = distance / np.cos(angles[facing] - slant) + RNG(seed).normal(0, noise, facing.sum())
    front = np.flatnonzero(np.abs(angles[facing]) < 0.4)
    ranges[front[:clutter]] *= 0.5
    return np.stack([ranges * np.cos(angles[facing]), ranges * np.sin(angles[facing])], 1)


@pytest.mark.parametrize('slant', [-0.4, 0.0, 0.3])
@pytest.mark.parametrize('clutter', [0, 8])
def test_a_wall_is_found_to_a_centimetre_and_a_half(slant, clutter):
    errors = []
    for seed in range(20):
        found = wall(seen_wall(1.5, slant, seed, clutter=clutter))
        assert found.slant_rad == pytest.approx(slant, abs=0.05)
        errors.append(found.distance_m - 1.5)
    assert max(map(abs, errors)) < 0.015 and abs(np.mean(errors)) < 0.003


def test_ways_to_a_wall_are_measured_along_its_normal():
    before, after = wall(seen_wall(2.0, 0.2, 1, 0.0)), wall(seen_wall(1.2, 0.25, 2, 0.0))
    real, told = approached(before, after, np.array([0.8, 0.1, -0.05]))
    assert real == pytest.approx(0.8, abs=1e-6)
    assert told == pytest.approx(0.8 * math.cos(0.2) + 0.1 * math.sin(0.2))


@pytest.mark.parametrize('points, word', [
    (np.zeros((0, 2)), '0 beams hit something'),
    (RNG(0).uniform((1.0, -0.4), (3.0, 0.4), (60, 2)), 'agree on a wall'),
    (seen_wall(1.0, 0.8, 0), 'aslant'),
    (np.full((40, 2), (1.0, 0.0)), 'smaller than'),
])
def test_what_is_no_wall(points, word):
    with pytest.raises(Unclear, match=word):
        wall(points)


def test_a_scale_is_real_over_told_with_its_spread():
    found = scale('forward', 'odometry_scale_forward', [(0.97, 1.0), (1.164, 1.2)], 'a wall')
    assert found.values == {'odometry_scale_forward': 0.97} and found.good
    assert not scale('forward', 'x', [(0.9, 1.0), (1.0, 1.0)], 'a wall').good
    assert scale('forward', 'x', [(-1.0, -1.02)], 'a tape').values['x'] == pytest.approx(0.9804)


@pytest.mark.parametrize('pair, word', [((0.2, 0.2), 'at least are needed'),
                                        ((1.0, 0.4), 'wrong axis'), ((-1.0, 1.0), 'wrong axis'),
                                        ((1.0, math.nan), 'at least')])
def test_what_is_no_scale(pair, word):
    with pytest.raises(Unclear, match=word):
        scale('forward', 'x', [pair], 'a wall')


def box_scan(yaw, seed=0, at=(0.0, 0.0), beams=180, fov=2 * math.pi, noise=0.01):
    """Ranges in a room of 5 x 3.6 m with a post, and the angles of the beams."""
    whole = fov >= 2 * math.pi
    angles = -fov / 2 + fov * np.arange(beams) / (beams if whole else beams - 1)
    c, s = np.cos(angles + yaw), np.sin(angles + yaw)
    with np.errstate(divide='ignore'):
        x = np.where(c > 0, (2.5 - at[0]) / c, (-2.5 - at[0]) / c)
        y = np.where(s > 0, (2.1 - at[1]) / s, (-1.5 - at[1]) / s)
    ranges = np.minimum(np.abs(x), np.abs(y))
    along = c * (1.2 - at[0]) + s * (0.7 - at[1])
    beside = np.abs(-s * (1.2 - at[0]) + c * (0.7 - at[1]))
    post = (along > 0) & (beside < 0.2)
    ranges = np.where(post, np.minimum(ranges, along - 0.15), ranges)
    return ranges + RNG(seed).normal(0, noise, beams), angles


@pytest.mark.parametrize('turned', [-0.9, -0.2, 0.0, 0.013, 0.3, 0.77])
@pytest.mark.parametrize('fov, beams', [(2 * math.pi, 180), (2 * math.pi, 720), (4.7, 270)])
def test_a_rotation_to_less_than_a_degree(turned, fov, beams):
    before, angles = box_scan(0.4, 1, beams=beams, fov=fov)
    after, _ = box_scan(0.4 + turned, 2, at=(0.02, -0.015), beams=beams, fov=fov)
    after[RNG(3).integers(0, beams, beams // 20)] = np.nan
    for off in (-0.3, 0.2):
        found = rotation(before, after, angles, turned + off)
        assert found == pytest.approx(turned, abs=math.radians(0.7))


def test_a_lidar_that_sweeps_the_other_way():
    before, angles = box_scan(0.0, 1)
    after, _ = box_scan(0.3, 2)
    assert rotation(before[::-1], after[::-1], angles[::-1], 0.2) == pytest.approx(0.3, abs=0.01)


def test_rotations_that_cannot_be_told():
    angles = np.linspace(-math.pi, math.pi, 180, endpoint=False)
    with pytest.raises(Unclear, match='look alike'):
        rotation(RNG(0).normal(2, 0.01, 180), RNG(1).normal(2, 0.01, 180), angles, 0.0)
    with pytest.raises(Unclear, match='too few beams'):
        rotation(np.full(180, np.inf), np.full(180, np.inf), angles, 0.0)


def test_scans_at_rest_become_one():
    scans = np.array([[1.0, 2.0, np.inf], [1.2, np.nan, np.inf], [1.1, 2.2, 3.0]])
    out = middling(scans)
    assert out[:2] == pytest.approx([1.1, 2.1]) and np.isnan(out[2])


@pytest.mark.parametrize('lost', [0.0, 0.2])
def test_a_gyro_is_freed_of_its_bias(lost):
    rng = RNG(5)
    t = np.arange(0.0, 12.0, 0.01)
    t = t[rng.random(len(t)) >= lost]
    rate = np.where((t > 2) & (t < 10), 0.8, 0.0) + 0.02 + rng.normal(0, 0.01, len(t))
    assert gyrated(t, rate, 1.5, 11.0, (0.0, 1.5)) == pytest.approx(6.4, abs=0.02)
    with pytest.raises(Unclear, match='of the gyro at rest'):
        gyrated(t, rate, 1.5, 11.0, (20.0, 21.0))
