# SPDX-License-Identifier: Apache-2.0
"""Geometry from the URDF: footprint, wheels, and where each link is in base_link."""

import math
from pathlib import Path

from ami_ros.robots import urdf
import numpy as np
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
QUARTER = math.pi / 2
CORNERS = np.array([[0.3, 0.0], [0.0, 0.3], [0.0, -0.3]])


def joint(name: str, parent: str, child: str, origin: str = '', kind: str = 'fixed') -> str:
    return (f'<link name="{child}"/><joint name="{name}" type="{kind}"><parent link="{parent}"/>'
            f'<child link="{child}"/>{origin and f"<origin {origin}/>"}</joint>')


def write(folder: Path, text: str, more: str = '') -> Path:
    path = folder / 'r.urdf'
    path.write_text(text.replace('</robot>', more + '</robot>') if more else text)
    return path


def test_geometry_of_a_small_robot(tmp_path):
    body = urdf.read(write(tmp_path, URDF))
    assert body.wheel_radius_m == 0.05 and body.track_m == 0.3
    assert body.mounts['eye'] == body.mount('eye') == (0.1, 0.0, 0.2, 0.0, 0.3, -0.2)
    assert body.mounts['left_wheel'] == (0.0, 0.15, 0.05, 0.0, 0.0, 0.0)
    # the wheels stand out further than the box: 0.15 to the middle of a wheel 0.04 wide
    assert sorted(map(tuple, body.footprint.round(9))) == [
        (-0.2, -0.17), (-0.2, 0.17), (0.2, -0.17), (0.2, 0.17)]


def test_the_box_may_stand_elsewhere(tmp_path):
    placed = URDF.replace('<collision><geometry><box',
                          '<collision><origin xyz="0.1 0.1 0.05"/><geometry><box')
    assert urdf.read(write(tmp_path, placed)).footprint.round(9).tolist() == [
        [0.3, 0.2], [-0.1, 0.2], [-0.1, -0.17], [0.3, -0.17]]


def test_a_box_that_stands_out_further_than_the_wheels(tmp_path):
    wide = urdf.read(write(tmp_path, URDF.replace('0.4 0.2 0.1', '0.4 0.5 0.1')))
    assert wide.footprint.tolist() == [[0.2, 0.25], [-0.2, 0.25], [-0.2, -0.25], [0.2, -0.25]]


def test_footprint_runs_counter_clockwise(tmp_path):
    x, y = urdf.read(write(tmp_path, URDF)).footprint.T
    area = (x * [*y[1:], y[0]] - y * [*x[1:], x[0]]).sum() / 2
    assert area == pytest.approx(0.4 * 0.34)


def test_a_given_footprint_needs_neither_box_nor_wheels(tmp_path):
    meshes = URDF.replace('box size', 'mesh filename').replace('left_wheel', 'wheel_left')
    body = urdf.read(write(tmp_path, meshes), CORNERS)
    assert body.footprint is CORNERS and 'eye' in body.mounts and body.wheels is None
    with pytest.raises(ValueError, match='no left_wheel with a cylinder on a left_wheel_joint'):
        body.track_m    # noqa: B018 it is a property
    whole = urdf.read(write(tmp_path, URDF), CORNERS)
    assert whole.footprint is CORNERS and whole.track_m == 0.3


def test_a_chain_of_fixed_joints_is_followed(tmp_path):
    body = urdf.read(write(tmp_path, URDF, joint('mast', 'base_link', 'mast', 'xyz="0.1 0 0.5"')
                           + joint('c', 'mast', 'cam', f'xyz="0 0.2 0" rpy="0 0 {QUARTER}"')
                           + joint('o', 'cam', 'optical',
                                   f'xyz="0.05 0 0" rpy="-{QUARTER} 0 -{QUARTER}"')))
    assert body.mount('cam') == pytest.approx((0.1, 0.2, 0.5, 0, 0, math.pi / 2))
    # the camera looks left: 0.05 ahead of it is to the left; its optical z is base_link's y
    assert body.mount('optical') == pytest.approx((0.1, 0.25, 0.5, -math.pi / 2, 0, 0))
    ahead = urdf.carried(body.mount('optical'), urdf.AHEAD_IN_OPTICAL)
    assert ahead == pytest.approx((0.1, 0.25, 0.5, 0, 0, math.pi / 2))


def homogeneous(place) -> np.ndarray:
    out = np.eye(4)
    for axis, angle in zip(np.eye(3), place[3:]):       # fixed axes: roll first, yaw last
        cross = np.cross(np.eye(3), axis)               # Rodrigues
        turn = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
        out[:3, :3] = turn @ out[:3, :3]
    out[:3, 3] = place[:3]
    return out


@pytest.mark.parametrize('seed', range(20))
def test_transforms_compose_as_matrices_do(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.uniform(-3, 3, (2, 6))
    if seed % 4 == 0:
        other[3:] = 0.0
        one[4] = math.pi / 2 * (-1) ** (seed // 4)      # straight up or down
    got = urdf.carried(tuple(one), tuple(other))
    assert homogeneous(got) == pytest.approx(homogeneous(one) @ homogeneous(other), abs=1e-9)
    assert all(type(number) is float for number in got)


@pytest.mark.parametrize('kind', ['revolute', 'continuous', 'prismatic', 'floating', 'planar'])
def test_nothing_stands_fast_beyond_a_joint_that_moves(tmp_path, kind):
    body = urdf.read(write(tmp_path, URDF, joint('pan', 'base_link', 'head', kind=kind)
                           + joint('c', 'head', 'cam')))
    for link in ('head', 'cam'):
        with pytest.raises(ValueError, match=f"link '{link}' is moved by joint 'pan'; a sensor"):
            body.mount(link)


def test_a_link_that_hangs_elsewhere(tmp_path):
    body = urdf.read(write(tmp_path, URDF, joint('foot', 'base_footprint', 'base_link')
                           + '<link name="base_footprint"/>'))
    with pytest.raises(ValueError, match="no link 'base_footprint' hangs on base_link; there are: "
                                         'eye$'):
        body.mount('base_footprint')


@pytest.mark.parametrize('old, new, part', [
    ('name="left_wheel_joint"', 'name="wheel_1"', 'joints: wheel_1, eye_joint'),
    ('<link name="left_wheel">', '<link name="wheel_1">', 'left_wheel with a cylinder'),
    ('<box size="0.4 0.2 0.1"/>', '<sphere radius="1"/>', 'base_link needs a collision box'),
    ('</robot>', '', 'is not a URDF'),
    ('<link name="base_link">', '<link name="chassis">', "no link 'base_link'; links: chassis"),
    ('radius="0.05" ', 'radius="nan" ', 'the cylinder of left_wheel needs a radius and a length'),
    ('radius="0.05"', 'radius="0"', 'the cylinder of left_wheel needs a radius and a length'),
    ('length="0.04"', 'length="inf"', 'the cylinder of left_wheel needs a radius and a length'),
    ('xyz="0 0.15 0.05"', 'xyz="0 0 0.05"', 'left_wheel_joint is at y = 0.0; left of base_link'),
    ('"0.4 0.2 0.1"', '"0 0.2 0.1"', "box of base_link has no size: '0 0.2 0.1'"),
    ('"0.4 0.2 0.1"', '"0.4 0 0.1"', "box of base_link has no size: '0.4 0 0.1'"),
    ('xyz="0 0.15 0.05"', 'xyz="0 -0.15 0.05"', 'left_wheel_joint is at y = -0.15; left of'),
    ('"0.4 0.2 0.1"', '"-0.4 0.2 0.1"', "box of base_link has no size: '-0.4 0.2 0.1'"),
    ('<child link="eye"/>', '<child/>', "joint 'eye_joint' lacks its name, its parent or its"),
    ('radius="0.05" ', '', 'the cylinder of left_wheel needs a radius and a length'),
    ('"0.4 0.2 0.1"', '"0.4 0.2"', "the collision box of base_link: '0.4 0.2' is not three"),
    ('"0.4 0.2 0.1"', '"0.4 nan 0.1"', "'0.4 nan 0.1' is not three numbers"),
    ('"0.4 0.2 0.1"', '"0.4 wide 0.1"', "'0.4 wide 0.1' is not three numbers"),
    ('<collision><geometry><box', '<collision/><collision><geometry><box', 'needs a collision'),
    ('<collision><geometry><box', '<collision><origin rpy="0 0 1"/><geometry><box', 'is turned'),
    ('xyz="0.1 0 0.2"', 'xyz="0.1 0"', "joint 'eye_joint': '0.1 0' is not three numbers"),
    ('<child link="eye"/>', '', "joint 'eye_joint' lacks its name, its parent or its child"),
    ('</robot>', joint('again', 'base_link', 'eye') + '</robot>',
     "link 'eye' hangs on two joints, 'eye_joint' and 'again'"),
    ('</robot>', joint('a', 'x', 'y') + joint('b', 'y', 'x') + '</robot>', 'hangs on itself'),
    ('</robot>', joint('a', 'eye', 'base_link') + '</robot>', "'base_link' hangs on itself"),
    ('</robot>', joint('a', 'eye', 'z') + joint('b', 'me', 'me') + '</robot>', "'me' hangs on it"),
    ('<robot name="r">', '<robot xmlns:xacro="http://ros.org/wiki/xacro"><xacro:arg name="n"/>',
     'is xacro; make a URDF of it'),
])
def test_a_urdf_that_lacks_something(tmp_path, old, new, part):
    path = write(tmp_path, URDF.replace(old, new))
    with pytest.raises(ValueError) as wrong:
        urdf.read(path)
    assert str(path) in str(wrong.value) and part in str(wrong.value)
    assert '\n' not in str(wrong.value)


def test_a_urdf_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match='no.urdf cannot be read: No such file'):
        urdf.read(tmp_path / 'no.urdf')
