# SPDX-License-Identifier: Apache-2.0
"""What the manifest says of its camera is held against the URDF, both numbers named."""

from dataclasses import replace
import math

from ami_ros.core.share_directory import share
from ami_ros.modules.module import fits, ModuleError, open_module
from ami_ros.perception.camera_contract import (
    CameraContract,
    contract,
    contradiction,
    of_robot,
    place,
    SHIFT_TOLERANCE_M,
    TURN_TOLERANCE_RAD,
)
from ami_ros.robots.find_robot import find
import pytest

ROVER = find('rover')
KNOWN = open_module().camera
JOINT = '<child link="camera_link"/><origin xyz="0.15 0 0.24"/>'


def moved(tmp_path, xyz: str, rpy: str = '0 0 0'):
    """Return the rover with its camera elsewhere."""
    text = share('urdf/rover.urdf').read_text()
    assert JOINT in text
    path = tmp_path / 'moved.urdf'
    path.write_text(text.replace(
        JOINT, f'<child link="camera_link"/><origin xyz="{xyz}" rpy="{rpy}"/>'))
    return replace(ROVER, urdf=str(path))


def test_the_shipped_module_knows_the_rovers_camera():
    assert KNOWN.size == ROVER.camera_size and KNOWN.hfov_rad == ROVER.camera_hfov_rad
    assert KNOWN.mount == pytest.approx(of_robot(ROVER).mount, abs=1e-6)
    assert contradiction(KNOWN, ROVER, 'camera_optical_frame') == ''


@pytest.mark.parametrize('link', ['camera_link', 'camera_optical_frame'])
def test_an_optical_frame_is_where_its_camera_is(link):
    assert place(ROVER, link) == pytest.approx((0.15, 0, 0.24, 0, 0, 0), abs=1e-6)


@pytest.mark.parametrize('xyz, rpy, parts', [
    ('0.15 0 0.40', '0 0 0', ('z 0.4 m, not 0.24',)),
    ('0.05 0.1 0.24', '0 0 0', ('x 0.05 m, not 0.15', 'y 0.1 m, not 0')),
    ('0.15 0 0.24', '0 0.1745 0', ('pitch 10 degrees, not 0',)),
    ('0.15 0 0.24', '3.14159 0 0', ('roll 180 degrees, not 0',)),
    ('0.15 0 0.24', '0 0 -1.5708', ('yaw -90 degrees, not 0',)),
])
def test_a_camera_elsewhere_is_refused_with_both_numbers(tmp_path, xyz, rpy, parts):
    robot = moved(tmp_path, xyz, rpy)
    for link in ('camera_link', 'camera_optical_frame'):
        sentence = contradiction(KNOWN, robot, link)
        assert sentence.startswith(f'{link} of {robot.urdf} has ')
        assert all(part in sentence for part in parts), sentence
        assert sentence.count(', not ') == len(parts)
    with pytest.raises(ModuleError, match='rover-room-7 learned to see from elsewhere: camera_op'):
        fits(open_module(), robot)


@pytest.mark.parametrize('share_of, right', [(0.98, True), (1.02, False)])
def test_a_little_off_is_not_elsewhere(tmp_path, share_of, right):
    shift, turn = share_of * SHIFT_TOLERANCE_M, share_of * TURN_TOLERANCE_RAD
    for xyz, rpy in ((f'0.15 0 {0.24 + shift}', '0 0 0'), (f'{0.15 - shift} 0 0.24', '0 0 0'),
                     ('0.15 0 0.24', f'0 {-turn} 0'), ('0.15 0 0.24', f'{turn} 0 0')):
        assert (contradiction(KNOWN, moved(tmp_path, xyz, rpy), 'camera_link') == '') == right


def test_angles_of_both_are_said_in_degrees():
    known = replace(KNOWN, mount=(*KNOWN.mount[:3], 0.0, math.radians(-20), math.radians(45)))
    assert contradiction(known, ROVER, 'camera_link').endswith(
        ' pitch 0 degrees, not -20, yaw 0 degrees, not 45')


def test_half_a_turn_more_is_the_same(tmp_path):
    known = replace(KNOWN, mount=(*KNOWN.mount[:3], 0.0, 0.0, 2 * math.pi))
    assert contradiction(known, ROVER, 'camera_link') == ''


def test_an_older_manifest_does_not_say_where(tmp_path):
    known = contract({'size': [64, 64], 'hfov_rad': 1.9})
    assert known == CameraContract((64, 64), 1.9, None)
    assert contradiction(known, moved(tmp_path, '0 0 2'), 'camera_link') == ''


def test_a_mount_that_is_no_number_is_no_mount():
    known = replace(KNOWN, mount=(math.nan,) * 6)
    assert contradiction(known, ROVER, 'camera_link').count(', not nan') == 6


def test_a_camera_that_turns_is_no_mount(tmp_path):
    robot = moved(tmp_path, '0.15 0 0.24')
    path = tmp_path / 'moved.urdf'
    path.write_text(path.read_text().replace('"camera_joint" type="fixed"',
                                             '"camera_joint" type="revolute"'))
    with pytest.raises(ValueError, match="moved by joint 'camera_joint'"):
        contradiction(KNOWN, robot, 'camera_link')


@pytest.mark.parametrize('said', [
    None, [], {'size': [64, 64]}, {'size': [64], 'hfov_rad': 1.0}, {'size': [0, 4], 'hfov_rad': 1},
    {'size': [64, 64], 'hfov_rad': 'wide'}, {'size': [64, math.inf], 'hfov_rad': 1.0},
    {'size': [64, 64], 'hfov_rad': 1.0, 'mount': [0, 0, 1]},
    {'size': [64, 64], 'hfov_rad': 1.0, 'mount': 'high'}])
def test_a_manifest_that_does_not_say_it(said):
    with pytest.raises(ValueError, match=r'size \[width, height\] and hfov_rad, and its mount '
                       r'\[x, y, z, roll, pitch, yaw\]'):
        contract(said)
