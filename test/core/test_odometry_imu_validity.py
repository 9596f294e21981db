# SPDX-License-Identifier: Apache-2.0
"""One reading of odometry or of an IMU, judged and turned before anything computes with it."""

from dataclasses import replace
import math

from ami_ros.core.odometry_validity import not_finite, orientation_fault
from ami_ros.robots.find_robot import find
from ami_ros.robots.imu_mount import in_base, link_of
import numpy as np
import pytest

ROVER = find('rover')


def mounted(roll, pitch, yaw):
    robot = replace(ROVER)
    mounts = {**ROVER.body.mounts, 'imu_link': (0.1, 0.2, 0.3, roll, pitch, yaw)}
    object.__setattr__(robot, 'body', replace(ROVER.body, mounts=mounts))
    return robot


@pytest.mark.parametrize(('mount', 'said', 'meant'), [
    ((0, 0, 0), (1, 2, 3), (1, 2, 3)), ((math.pi, 0, 0), (1, 2, 3), (1, -2, -3)),
    ((0, 0, math.pi / 2), (1, 2, 3), (-2, 1, 3)),
    ((-math.pi / 2, 0, -math.pi / 2), (1, 2, 3), (3, -1, -2))])     # optical: z is ahead
def test_vectors_are_turned_into_base_link(mount, said, meant):
    robot = mounted(*mount)
    one, other = in_base(robot, 'r1/imu_link', said, np.array(said) * 2.0)
    assert one == pytest.approx(meant) and other == pytest.approx(np.array(meant) * 2.0)


def test_a_frame_that_is_no_imus_is_refused():
    assert link_of(ROVER, 'imu_link') == link_of(ROVER, 'a/b/imu_link') == 'imu_link'
    for frame in ('', 'laser', 'imu_link_2'):
        with pytest.raises(ValueError, match=f'frame {frame!r}, .*rover.yaml says link: imu_link'):
            in_base(ROVER, frame, np.zeros(3))
    bare = replace(ROVER, sensors=tuple(s for s in ROVER.sensors if s.kind != 'Imu'))
    with pytest.raises(ValueError, match='has no sensor of kind Imu'):
        link_of(bare, 'imu_link')


@pytest.mark.parametrize('length', [0.0, 0.5, 0.899, 0.901, 1.0, 1.099, 1.101, 2.0, math.inf,
                                    math.nan])
@pytest.mark.parametrize('axis', range(4))
def test_a_quaternion_is_a_rotation(axis, length):
    xyzw = [0.0, 0.0, 0.0, 0.0]
    xyzw[axis] = length
    wrong = math.isfinite(length) and abs(length - 1.0) > 0.1
    assert bool(orientation_fault(*xyzw)) == wrong
    if wrong:
        assert f'length {length:g} instead of 1' in orientation_fault(*xyzw)


@pytest.mark.parametrize('number', [math.nan, math.inf, -math.inf, 0.0, 1e300])
@pytest.mark.parametrize('at', range(3))
def test_what_is_not_finite_is_said(at, number):
    numbers = np.zeros(3)
    numbers[at] = number
    assert bool(not_finite(numbers)) != math.isfinite(number)
    assert not_finite([]) == ''
