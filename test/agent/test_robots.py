# SPDX-License-Identifier: Apache-2.0
"""Robots by name, and their geometry from the URDF alone."""

import math
from pathlib import Path

from ami_ros.agent.robots import find, names, urdf
from ami_ros.share import share
import pytest

URDF = """<robot name="r">
 <link name="base_link"><collision><geometry><box size="0.4 0.2 0.1"/></geometry></collision>
 </link>
 <link name="left_wheel"><collision><geometry><cylinder radius="0.05" length="0.04"/></geometry>
 </collision></link>
 <link name="eye"/>
 <joint name="left_wheel_joint" type="continuous"><parent link="base_link"/>
  <child link="left_wheel"/><origin xyz="0 0.15 0.05"/></joint>
 <joint name="eye_joint" type="fixed"><parent link="base_link"/><child link="eye"/>
  <origin xyz="0.1 0 0.2" rpy="0 0.3 -0.2"/></joint>
</robot>"""


def write(folder: Path, text: str) -> Path:
    path = folder / 'r.urdf'
    path.write_text(text)
    return path


def test_geometry_of_a_small_robot(tmp_path):
    body = urdf.read(write(tmp_path, URDF))
    assert body.wheel_radius_m == 0.05 and body.track_m == 0.3
    assert body.mounts['eye'] == (0.1, 0.0, 0.2, 0.0, 0.3, -0.2)
    assert body.mounts['left_wheel'] == (0.0, 0.15, 0.05, 0.0, 0.0, 0.0)
    # the wheels stand out further than the box: 0.15 to the middle of a wheel 0.04 wide
    assert sorted(map(tuple, body.footprint.round(9))) == [
        (-0.2, -0.17), (-0.2, 0.17), (0.2, -0.17), (0.2, 0.17)]


def test_footprint_runs_counter_clockwise(tmp_path):
    x, y = urdf.read(write(tmp_path, URDF)).footprint.T
    area = (x * [*y[1:], y[0]] - y * [*x[1:], x[0]]).sum() / 2
    assert area == pytest.approx(0.4 * 0.34)


@pytest.mark.parametrize('old, new, part', [
    ('name="left_wheel_joint"', 'name="wheel_1"', 'joints: wheel_1, eye_joint'),
    ('<link name="left_wheel">', '<link name="wheel_1">', 'left_wheel with a cylinder'),
    ('<box size="0.4 0.2 0.1"/>', '<sphere radius="1"/>', 'base_link needs a collision box'),
    ('</robot>', '', 'is not a URDF'),
])
def test_a_urdf_that_lacks_something(tmp_path, old, new, part):
    path = write(tmp_path, URDF.replace(old, new))
    with pytest.raises(ValueError) as wrong:
        urdf.read(path)
    assert str(path) in str(wrong.value) and part in str(wrong.value)


def test_no_such_robot():
    with pytest.raises(ValueError, match="no robot 'rovr'; there are: rover"):
        find('rovr')


@pytest.mark.parametrize('name', names())
def test_every_robot_is_whole(name):
    robot = find(name)
    assert robot.name == name
    assert share(robot.urdf).is_file()
    assert {'camera_link', 'laser', 'imu_link'} <= set(robot.body.mounts)
    assert robot.limits == (robot.max_speed_mps, robot.max_turn_radps)
    assert robot.radius_m == max(math.hypot(*corner) for corner in robot.body.footprint)
    assert robot.lidar_range_m[0] < robot.radius_m < robot.lidar_range_m[1]


def test_the_rover_has_the_frozen_limits():
    assert find('rover').limits == (0.6, 1.5)
    assert find('rover').base_timeout_s == 0.25
