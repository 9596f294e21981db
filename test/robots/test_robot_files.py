# SPDX-License-Identifier: Apache-2.0
"""Robot files: whole or refused in one sentence; the rover's numbers are the frozen ones."""

from dataclasses import fields, replace
import math
import os
from pathlib import Path
import re
import time

from ami_ros.core.share_directory import share
from ami_ros.critic.footprint_sweep import Box
from ami_ros.robots.field_validation import declared
from ami_ros.robots.find_robot import find, names, Robot
from ami_ros.robots.sensor import MAY, NEEDS, Sensor
import numpy as np
import pytest

ROVER = share('config/robots/rover.yaml').read_text()
SCAN = '    link: laser                 # of the URDF\n'
MORE = """
  - {name: front, kind: bumper, topic: bumper/front, required: true, hz: 0.0, active: true}
  - {name: edge, kind: cliff, topic: cliff, required: true, hz: 10, active: false}
  - {name: sonar, kind: Range, topic: sonar, required: true, hz: 15.0, link: laser,
     range_m: [0.02, 4.0], no_return: 4.0}
  - {name: depth, kind: PointCloud2, topic: depth/points, required: false, hz: 15.0,
     link: camera_optical_frame, range_m: [0.3, 5.0], height_m: [0.05, 0.6]}
"""


def write(folder: Path, text: str, name: str = 'own.yaml') -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def refused(path: str) -> str:
    """What reading it says, one sentence that begins with the file."""
    with pytest.raises(ValueError) as wrong:
        find(path)
    sentence = str(wrong.value)
    assert sentence.startswith(path) and '\n' not in sentence
    return sentence


def test_the_rover_says_what_it_always_said():
    rover = find('rover')
    assert rover.limits == (0.6, 1.5) and rover.axes == ('v_mps', 'w_radps')
    assert (rover.actuation_lag_s, rover.base_timeout_s) == (0.08, 0.25)
    assert rover.camera_hfov_rad == math.radians(110) and rover.camera_size == (64, 64)
    assert (rover.lidar_beams, rover.lidar_range_m, rover.lidar_no_return) == (
        180, (0.08, 8.0), math.inf)
    side = 0.26 / 2 + 0.03 / 2
    assert rover.body.footprint.tolist() == [
        [0.16, side], [-0.16, side], [-0.16, -side], [0.16, -side]]
    assert rover.radius_m == math.hypot(0.16, side)
    assert (rover.body.wheel_radius_m, rover.body.track_m) == (0.06, 0.26)
    assert repr(rover.camera_mount) == '(0.15, 0.0, 0.24, 0.0, 0.0, 0.0)'
    assert rover.body.mount('laser') == (0.0, 0.0, 0.2, 0.0, 0.0, 0.0)


def test_the_rover_says_what_else_there_is_to_know():
    rover = find('rover')
    assert rover.command_type == 'TwistStamped' and rover.odometry_scale == (1.0, 1.0)
    assert rover.path == share('config/robots/rover.yaml')
    assert rover.required == ('camera', 'scan', 'odom')
    assert {s.name: (s.kind, s.topic) for s in rover.sensors} == {
        'camera': ('Image', 'camera/image_raw'), 'camera_info': ('CameraInfo',
                                                                 'camera/camera_info'),
        'scan': ('LaserScan', 'scan'), 'odom': ('Odometry', 'odom'), 'imu': ('Imu', 'imu'),
        'joint_states': ('JointState', 'joint_states')}
    assert rover.camera.name == 'camera' and rover.odometry.name == 'odom'
    assert rover.lidar is rover.sensor('scan')
    assert rover.sensors_of('Imu', 'LaserScan') == (rover.sensor('scan'), rover.sensor('imu'))


@pytest.mark.parametrize('name', names())
def test_every_robot_is_whole(name):
    robot = find(name)
    assert robot.name == name and Path(robot.urdf).is_file()
    assert robot.limits == (robot.max_speed_mps, robot.max_turn_radps)
    assert robot.radius_m == max(math.hypot(*corner) for corner in robot.body.footprint)
    numbers = re.findall(r'^ *\w+: [-.[\d].*', robot.path.read_text(), re.M)
    assert len(numbers) > 10 and all('  # ' in line and 'source: ' in line for line in numbers)


def test_there_is_the_rover():
    assert 'rover' in names()


@pytest.mark.parametrize('name, sentence', [
    ('rovr', "no robot 'rovr'; there are: rover"),
    ('', "no robot ''; there are: rover"),
    ('../rover', 'there is no robot file ../rover; make one with ami-ros robot new, or take a '
                 'name: rover'),
    ('none.yaml', 'there is no robot file none.yaml'),
    ('~/none.yaml', 'there is no robot file ~/none.yaml'),
])
def test_no_such_robot(name, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    with pytest.raises(ValueError, match=sentence):
        find(name)


def test_a_robot_by_the_path_of_its_file(tmp_path, monkeypatch):
    path = write(tmp_path, ROVER.replace('name: rover ', 'name: barge '))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    for way in (path, './own.yaml', 'own.yaml', '~/own.yaml'):
        robot = find(way)
        assert robot.name == 'barge' and robot.path == Path(path)
        assert robot.urdf == str(share('urdf/rover.urdf'))


def test_the_urdf_beside_the_file_comes_first(tmp_path):
    (tmp_path / 'urdf').mkdir()
    own = share('urdf/rover.urdf').read_text().replace('xyz="0 0 0.20"', 'xyz="0 0 0.50"')
    (tmp_path / 'urdf/rover.urdf').write_text(own)
    assert find(write(tmp_path, ROVER)).body.mount('laser')[2] == 0.5


def test_an_edited_file_is_read_anew(tmp_path):
    path = write(tmp_path, ROVER)
    status = os.stat(path)
    assert find(path).latency_s == 0.06
    write(tmp_path, ROVER.replace('latency_s: 0.06', 'latency_s: 0.07'))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert find(path).latency_s == 0.07


def test_reading_a_robot_is_quick():
    find('rover')
    took = []
    for _ in range(10):
        begun = time.thread_time()
        find('rover')
        took.append(time.thread_time() - begun)
    assert min(took) < 0.01         # 5 ms on an idle core; two busy threads share one


@pytest.mark.parametrize('old, new, part', [
    ('latency_s:', 'latncy_s:', "unknown key 'latncy_s'; did you mean 'latency_s'? (there are: "
                                'name, urdf, footprint'),
    ('latency_s:', 'path: x\nlatency_s:', "unknown key 'path'"),
    ('latency_s: 0.06', '', 'does not say latency_s; these have no default'),
    ('latency_s: 0.06', 'latency_s: slow', "latency_s = 'slow' is not a number (Measured latency"),
    ('latency_s: 0.06', 'latency_s: 1e-3',
     "latency_s = '1e-3' is not a number: YAML reads 1e-3 as text, write 1.0e-3"),
    ('latency_s: 0.06', 'latency_s: true', 'latency_s = True is not a number'),
    ('latency_s: 0.06', 'latency_s:', 'latency_s = None is not a number'),
    ('latency_s: 0.06', 'latency_s: .nan', 'latency_s = nan is outside 0.0 to 0.5 s'),
    ('latency_s: 0.06', 'latency_s: 0.6', 'latency_s = 0.6 is outside 0.0 to 0.5 s (Measured'),
    ('latency_s: 0.06', 'latency_s: 0.06\nlatency_s: 0.07', "'latency_s' stands twice, in lines "),
    ('    hz: 20.0', '    hz: 20.0\n    hz: 2.0', "'hz' stands twice, in lines 43 and 44"),
    ('name: rover ', 'name: Rover ', "name = 'Rover' is not of a-z, 0-9 and _, a letter first"),
    ('name: rover ', 'name: 7 ', 'name = 7 is not text'),
    ('command_type: TwistStamped', 'command_type: Ackermann',
     "no command_type 'Ackermann'; there are: TwistStamped, Twist"),
    ('max_speed_mps: 0.6', 'max_speed_mps: 600', 'max_speed_mps = 600.0 is outside 0.01 to 5.0'),
    ('max_speed_mps: 0.6', f'max_speed_mps: {10 ** 400}', 'has a whole number of 1329 bits'),
    ('[1.0, 1.0]', '[1.0, 3.0]', 'odometry_scale = (1.0, 3.0) is outside 0.5 to 2.0'),
    ('[1.0, 1.0]', '[1.0]', 'odometry_scale = (1.0,) is not [a number, a number]'),
    ('[1.0, 1.0]', '1.0', 'odometry_scale = 1.0 is not [a number, a number]'),
    ('[1.0, 1.0]', '[1.0, x]', "odometry_scale = (1.0, 'x') is not [a number, a number]"),
    ('[64, 64]', '[64.0, 64]', 'camera_size = (64.0, 64) is not [a whole number, a whole'),
    ('urdf: urdf/rover.urdf', 'urdf: urdf/rovr.urdf', "'urdf/rovr.urdf' is in none of: "),
    ('urdf: urdf/rover.urdf', 'urdf: config/robots/rover.yaml', 'is not a URDF'),
    ('link: laser  ', 'link: lasr  ', 'sensor scan: ' + str(share('urdf/rover.urdf')) +
     ": no link 'lasr' hangs on base_link; there are: front_caster"),
    ('link: laser  ', 'link: left_wheel  ', "link 'left_wheel' is moved by joint 'left_wheel_j"),
    (SCAN, '', 'sensor scan: link must be given for a LaserScan'),
    ('    range_m: [0.08, 8.0]', '', 'sensor scan: range_m must be given for a LaserScan'),
    ('    no_return: .inf', '', 'sensor scan: no_return must be given for a LaserScan'),
    ('[0.08, 8.0]', '[8.0, 0.08]', 'sensor scan: range_m = [8.0, 0.08] is not the smaller num'),
    ('[0.08, 8.0]', '[0.08, .inf]', 'range_m = (0.08, inf) is outside 0.0 to 200.0 m'),
    ('no_return: .inf', 'no_return: 1.0', 'no_return = 1.0 lies within range_m = [0.08, 8.0]'),
    ('no_return: .inf', 'no_return: 0.08', 'no_return = 0.08 lies within range_m = [0.08, 8.0]'),
    ('[0.08, 8.0]', '[8.0, 8.0]', 'sensor scan: range_m = [8.0, 8.0] is not the smaller number'),
    ('no_return: .inf', 'no_return: -.inf', 'no_return = -inf is outside 0.0 to inf m'),
    ('    hz: 20.0', '    hz: 0.0', 'sensor scan: hz = 0 is for switches'),
    ('    hz: 20.0', '    active: true\n    hz: 20.0', 'active means nothing for a LaserScan'),
    ('kind: LaserScan', 'kind: Laser', "sensor scan: no kind 'Laser'; there are: Image, "),
    ('  - name: scan', '  - name: odom', "two sensors have the name 'odom'"),
    ('  - name: scan', '  - name: Scan', "name 'Scan' is not of a-z, 0-9 and _"),
    ('  - name: scan\n', '  -\n', 'sensor 3 does not say name'),
    ('  - name: scan\n    kind', '  - x\n  - kind', 'sensor 3: str where KEY: VALUE pairs belong'),
    ('topic: scan', 'topic: imu', "two sensors have the topic 'imu'"),
    ('topic: scan', 'topic: /scan', "topic '/scan' is not a relative name like 'camera/image_raw'"
                                    ': no leading slash'),
    ('topic: scan', 'topic: ~/scan', "topic '~/scan' is not a relative name"),
    ('topic: scan', 'topic: scan//x', "topic 'scan//x' is not a relative name"),
    ('topic: scan', "topic: ''", "topic '' is not a relative name"),
    ('required: true              # what', 'required: 1  #', 'required = 1 is not true or false'),
    ('required: true              # what', 'required: false  #',
     'no sensor of kind LaserScan, PointCloud2, Range is required'),
    ('kind: Odometry', 'kind: JointState', 'exactly one sensor of kind Odometry is needed, for '
                                           'the odometry; there are: none'),
    ('kind: CameraInfo ', 'link: camera_link\n    kind: CompressedImage ',
     'exactly one sensor of kind Image or CompressedImage is needed, for the image; there are: '
     'camera, camera_info'),
    ('sensors:\n', 'sensors: none\nx:\n', 'sensors is no list'),
    ('sensors:\n', 'x:\n', "unknown key 'x'"),
    ('name: rover ', 'name: "rover ', 'is not YAML: '),
    ('name: rover ', '\tname: rover ', ', line 6 is not YAML: '),
    ('name: rover ', 'name: !!python/object/apply:os.system [ls]', 'is not YAML: could not det'),
    ('name: rover ', 'name: !!timestamp x ', 'is not YAML: '),
    ('name: rover ', 'when: 2026-99-99\nname: rover ', 'month must be in 1..12'),
    ('name: rover ', '7: 8\nname: rover ', 'unknown key 7'),
    ('name: rover ', '\x07name: rover ', 'is not YAML: '),
    ('name: rover ', '? [a, b]\n: c\nname: rover ', 'is not YAML: '),
    ('name: rover ', 'x: ' + 2000 * '[' + '\nname: rover ', 'is not YAML: '),
])
def test_a_damaged_file(tmp_path, old, new, part):
    assert old in ROVER
    assert part in refused(write(tmp_path, ROVER.replace(old, new, 1)))


FIRST, LAST = 'angle_min_rad: -3.141592653589793', 'angle_max_rad: 3.106686068549907'


@pytest.mark.parametrize('old, new, part', [
    (FIRST, '', 'angle_min_rad and angle_max_rad must be given together, or neither'),
    (LAST, '', 'angle_min_rad and angle_max_rad must be given together, or neither'),
    (LAST, 'angle_max_rad: -3.141592653589793', 'must differ, by a full turn (6.2832 rad) at'),
    (LAST, 'angle_max_rad: 3.2', 'angle_max_rad = 3.2 must differ, by a full turn'),
    (LAST, 'angle_max_rad: 178.0', 'angle_max_rad = 178.0 is outside -6.4 to 6.4 rad (Direction'),
    ('hz: 10.0                    # Hz; source: one', f'hz: 10.0\n    {FIRST}\n    {LAST}  #',
     'angle_min_rad and angle_max_rad mean nothing for a CameraInfo; take them out')])
def test_where_the_beams_of_a_lidar_look(tmp_path, old, new, part):
    assert old in ROVER
    assert part in refused(write(tmp_path, ROVER.replace(old, new, 1)))


@pytest.mark.parametrize('first, last', [(None, None), (0.0, 6.2832), (3.1416, -3.1416), (-1, 1)])
def test_a_lidar_may_look_any_way_round_or_say_nothing_of_it(tmp_path, first, last):
    said = ROVER.replace(FIRST, f'angle_min_rad: {first}' if last else '', 1)
    lidar = find(write(tmp_path, said.replace(LAST, f'angle_max_rad: {last}' if last else '', 1))
                 ).lidar
    assert (lidar.angle_min_rad, lidar.angle_max_rad) == (first, last)


@pytest.mark.parametrize('text, part', [
    ('', 'holds NoneType, not KEY: VALUE lines'),
    ('- a\n- b\n', 'holds list, not KEY: VALUE lines'),
    ('name: rover\n---\nname: rover\n', 'is not YAML: '),
    ('name: rover\n', 'does not say urdf, command_type, max_speed_mps'),
])
def test_a_file_that_is_no_robot(tmp_path, text, part):
    assert part in refused(write(tmp_path, text))


def test_one_that_stands_twice_in_braces_or_by_a_merge(tmp_path):
    twice = ROVER + '  - {name: a, name: b}\n'
    assert "'name' stands twice, in lines 6" in refused(write(tmp_path, twice))
    merged = ROVER + ('  - &a {name: left, kind: bumper, topic: left, required: true, hz: 0.0, '
                      'active: true}\n  - {<<: *a, name: right, topic: right}\n')
    assert find(write(tmp_path, merged)).sensor('right').active is True


def test_kinds_that_the_rover_lacks(tmp_path):
    robot = find(write(tmp_path, ROVER + MORE))
    bumper, cliff = robot.sensors_of('bumper', 'cliff')
    assert (bumper.active, bumper.hz, bumper.link, cliff.active) == (True, 0.0, None, False)
    assert cliff.hz == 10.0 and type(cliff.hz) is float
    assert robot.sensor('depth').height_m == (0.05, 0.6)
    assert robot.required == ('camera', 'scan', 'odom', 'front', 'edge', 'sonar')
    with pytest.raises(ValueError, match="rover has no sensor 'back'; there are: camera, "):
        robot.sensor('back')


def test_a_robot_without_a_lidar(tmp_path):
    cut = ROVER[:ROVER.index('  - name: scan')] + ROVER[ROVER.index('  - name: odom'):]
    robot = find(write(tmp_path, cut + MORE))
    assert robot.required == ('camera', 'odom', 'front', 'edge', 'sonar')
    with pytest.raises(ValueError, match='rover has no sensor of kind LaserScan; it has: Image'):
        robot.lidar_range_m     # noqa: B018 it is a property


@pytest.mark.parametrize('kind', NEEDS)
def test_each_kind_needs_its_own_and_no_more(kind):
    whole = {'link': 'laser', 'range_m': (0.1, 4.0), 'no_return': 0.0, 'beams': 90,
             'height_m': (0.0, 1.0), 'active': False}
    assert set(NEEDS[kind]) <= set(whole)
    given = {'name': 'x', 'kind': kind, 'topic': 'x', 'required': True, 'hz': 5.0}
    needed = {key: whole[key] for key in NEEDS[kind]}
    assert Sensor(**given, **needed).kind == kind
    for key in whole:
        if (key, kind) in MAY:
            continue
        one = {k: v for k, v in needed.items() if k != key} if key in needed else {
            **needed, key: whole[key]}
        with pytest.raises(ValueError, match=f'{key} must be given for a|{key} means nothing'):
            Sensor(**given, **one)


@pytest.mark.parametrize('corners', [
    '[[0.2, 0.1], [-0.2, 0.1], [-0.2, -0.1], [0.2, -0.1]]',
    '[[0.2, -0.1], [-0.2, -0.1], [-0.2, 0.1], [0.2, 0.1]]',         # the other way around
    '[[0.2, 0.1], [0, 0.1], [-0.2, 0.1], [-0.2, -0.1], [0.2, -0.1]]',   # one along an edge
])
def test_a_footprint_of_the_file_wins(tmp_path, corners):
    robot = find(write(tmp_path, ROVER + f'footprint: {corners}\n'))
    x, y = robot.body.footprint.T
    assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2 == pytest.approx(0.08)
    assert robot.radius_m == math.hypot(0.2, 0.1)
    box = Box.around(robot.body.footprint)
    assert (box.centre, box.half_length_m, box.half_width_m) == (0j, 0.2, 0.1)
    assert robot.body.mount('laser') == find('rover').body.mount('laser')


def test_a_footprint_that_is_not_around_base_link(tmp_path):
    robot = find(write(tmp_path, ROVER + 'footprint: [[0.5, 0], [0.1, 0.2], [0.1, -0.2]]\n'))
    box = Box.around(robot.body.footprint)
    assert box.centre == pytest.approx(0.3) and box.half_length_m == pytest.approx(0.2)
    assert robot.radius_m == 0.5 and box.radius_m >= robot.radius_m


@pytest.mark.parametrize('corners, part', [
    ('[[0.2, 0.1], [-0.2, 0.1]]', 'is not a list of three or more corners [x, y]'),
    ('[[0.2, 0.1, 0], [-0.2, 0.1, 0], [0, -0.1, 0]]', 'is not a list of three or more corners'),
    ('[[0.2, 0.1], [-0.2, 0.1], [0]]', 'is not a list of three or more corners'),
    ('[[0.2, 0.1], [-0.2, 0.1], [0, x]]', 'is not a list of three or more corners'),
    ('[0.2, 0.1, 0.3]', 'is not a list of three or more corners'),
    ('[]', 'is not a list of three or more corners'),
    ('0.2', 'footprint = 0.2 is not a list'),
    ('[[200, 100], [-200, 100], [0, -100]]', 'has a corner beyond 5.0 m; metres are meant'),
    ('[[0.2, 0.1], [-0.2, 0.1], [0, .nan]]', 'has a corner beyond 5.0 m'),
    ('[[0.2, 0.1], [-0.2, 0.1], [-0.2, 0.1], [0, -0.1]]', 'footprint says a corner twice'),
    ('[[0.2, 0.1], [-0.2, 0.1], [0, 0], [-0.2, -0.1], [0.2, -0.1]]', 'is not convex'),
    ('[[0.2, 0.1], [-0.2, -0.1], [-0.2, 0.1], [0.2, -0.1]]', 'is not convex'),
    ('[[0.2, 0], [0.1, 0], [0, 0]]', 'is not convex'),
    # a star goes around twice
    ('[[1, 0], [-0.81, 0.59], [0.31, -0.95], [0.31, 0.95], [-0.81, -0.59]]', 'is not convex'),
])
def test_a_footprint_that_is_none(tmp_path, corners, part):
    assert part in refused(write(tmp_path, ROVER + f'footprint: {corners}\n'))


def test_a_level_camera_in_any_frame_is_mounted_the_same(tmp_path):
    plain = find(write(tmp_path, ROVER.replace('camera_optical_frame', 'camera_link')))
    assert plain.camera_mount == find('rover').camera_mount
    tilted = share('urdf/rover.urdf').read_text().replace(
        'xyz="0.15 0 0.24"', 'xyz="0.15 0 0.24" rpy="0 0.3 0.5"')
    (tmp_path / 'tilted.urdf').write_text(tilted)
    for link in ('camera_link', 'camera_optical_frame'):
        robot = find(write(tmp_path, ROVER.replace('camera_optical_frame', link)
                           .replace('urdf/rover.urdf', 'tilted.urdf')))
        assert robot.camera_mount == pytest.approx((0.15, 0, 0.24, 0, 0.3, 0.5), abs=1e-6)


def test_everything_that_can_be_said_is_explained():
    for kind in (Robot, Sensor):
        assert [f.name for f in fields(kind) if f.metadata] == list(declared(kind))
        for field in declared(kind).values():
            assert field.metadata['reason'] and field.metadata['unit'], field.name
    assert 'path' not in declared(Robot)


def test_a_robot_may_be_altered_in_a_test():
    other = replace(find('rover'), max_turn_radps=1.0)
    assert other.limits == (0.6, 1.0) and other.path == find('rover').path


@pytest.mark.parametrize(('said', 'side'), [
    ({}, ''), ({'side': 'left'}, 'left'), ({'link': 'laser', 'side': 'back'}, 'back'),
    ({'link': 'laser'}, 'front'), ({'link': 'left_wheel_pad'}, 'left')])
def test_the_side_of_a_bumper_is_said_or_follows_from_its_place(said, side):
    robot = find('rover')
    mounts = {'laser': (0.1, 0.0, 0.1, 0.0, 0.0, 0.0), 'left_wheel_pad': (0.0, 0.2, 0, 0, 0, 0)}
    object.__setattr__(robot, 'body', replace(robot.body, mounts=mounts))
    bumper = Sensor(name='b', kind='bumper', topic='b', required=True, hz=5.0, active=True, **said)
    assert robot.side_of(bumper) == side


@pytest.mark.parametrize(('kind', 'side'), [('bumper', 'up'), ('bumper', ''), ('e_stop', 'front'),
                                            ('Odometry', 'front')])
def test_a_side_is_of_a_bumper_or_a_cliff_and_one_of_four(kind, side):
    more = {} if kind == 'Odometry' else {'active': True}
    with pytest.raises(ValueError, match='a bumper or a cliff has one of: front, back, left'):
        Sensor(name='b', kind=kind, topic='b', required=True, hz=5.0, side=side, **more)
