# SPDX-License-Identifier: Apache-2.0
"""The robot file decides which topic is what; without one nothing is guessed."""

import json

from ami_ros.cli import main as cli
from ami_ros.recording import bag_writer as make
from ami_ros.recording.attached_robot_file import recorded_robot
from ami_ros.recording.internal_topics import OWN
from ami_ros.robots.find_robot import find
from ami_ros.training import merge_bags
from ami_ros.training.bag_reader import BagError, read
import numpy as np
import pytest
from synthetic_bags import BEGIN_NS, renamed, topics, without, write

SIZE = (64, 64)
ROVER = find('rover')


def robot_file(folder, name='mine', **names):
    """Write a robot file like the rover's, with other topics; keys are topics of the rover."""
    text = ROVER.path.read_text().replace('name: rover', f'name: {name}', 1)
    for old, new in names.items():
        old = old.replace('__', '/')
        assert f'topic: {old}\n' in text
        text = text.replace(f'topic: {old}\n', f'topic: {new}\n')
    (folder / 'rover.urdf').write_bytes(open(ROVER.urdf, 'rb').read())
    text = ''.join('urdf: rover.urdf\n' if line.startswith('urdf:') else line
                   for line in text.splitlines(keepends=True))
    path = folder / f'{name}.yaml'
    path.write_text(text)
    return path


def about(path) -> dict:
    """Return what a node says of itself on trace/metadata, as (type, rows) of a toy bag."""
    robot = find(str(path))
    said = {'node': '/mind', 'robot': {'file': path.name, 'text': path.read_text(),
                                       'urdf_file': 'rover.urdf',
                                       'urdf': open(robot.urdf).read()}}
    return {'trace/metadata': ('std_msgs/msg/String', [
        (BEGIN_NS, make.make('std_msgs/String', data=json.dumps(said)))])}


def refused(path, *parts, **options) -> None:
    with pytest.raises(BagError) as wrong:
        read(path, SIZE, **options)
    assert all(part in str(wrong.value) for part in parts), str(wrong.value)


def accel_and_gyro() -> dict:
    """Return a drive with the two Imu topics of a RealSense: one has no gyro, one no accel."""
    some = topics()
    kind, rows = some['imu']
    accel = [(t, make.imu(t, np.zeros(3), np.array([0, 0, 9.81]))) for t, _ in rows]
    return {**without(some, 'imu'), 'camera/accel/sample': (kind, accel),
            'camera/gyro/sample': (kind, rows)}


def test_of_an_accelerometer_and_a_gyro_none_is_guessed(tmp_path):
    path = write(tmp_path / 'bag', accel_and_gyro())
    refused(path, 'several topics could be the imu: /camera/accel/sample, /camera/gyro/sample',
            '--topic imu=NAME (or imu=none)')
    refused(path, 'several topics could be the imu', 'names imu, which is none of them',
            robot=ROVER)


def test_the_robot_file_says_which_is_the_gyro(tmp_path, capsys):
    mine = robot_file(tmp_path, imu='camera/gyro/sample')
    path = write(tmp_path / 'bag', accel_and_gyro())
    got = read(path, SIZE, robot=find(str(mine)))
    assert got.topics['imu'] == '/camera/gyro/sample' and got.gyro == pytest.approx(0.5)
    cli.main(['record', '--check', str(path), '--robot', str(mine)])
    assert 'imu: /camera/gyro/sample' in capsys.readouterr().out
    cli.main(['record', '--check', str(path)])
    assert 'in the way: several topics could be the imu' in capsys.readouterr().out


def test_the_robot_file_in_the_recording_decides_as_well(tmp_path, capsys):
    mine = robot_file(tmp_path, imu='camera/gyro/sample')
    path = write(tmp_path / 'bag', {**accel_and_gyro(), **about(mine)})
    assert read(path, SIZE).topics['imu'] == '/camera/gyro/sample'
    assert merge_bags.robot_of(None, (path,))[0].name == 'mine'
    assert merge_bags.robot_of(ROVER, (path,)) == (ROVER, ROVER)
    cli.main(['record', '--check', str(path)])
    assert 'imu: /camera/gyro/sample' in capsys.readouterr().out


def test_of_two_odometries_the_robot_file_takes_its_own(tmp_path):
    some = topics()
    path = write(tmp_path / 'bag', {**some, 'wheel/odom': some['odom']})
    refused(path, 'several topics could be the odom: /odom, /wheel/odom; say which with '
            '--topic odom=NAME; --robot FILE')
    assert read(path, SIZE, robot=ROVER).topics['odom'] == '/odom'
    mine = find(str(robot_file(tmp_path, odom='wheel/odom')))
    assert read(path, SIZE, robot=mine).topics['odom'] == '/wheel/odom'


def test_a_namespace_is_the_one_that_all_topics_share(tmp_path):
    some = {f'r1/{topic}': what for topic, what in topics().items()}
    path = write(tmp_path / 'bag', {**some, 'r1/wheel/odom': some['r1/odom']})
    got = read(path, SIZE, robot=ROVER)
    assert got.topics['odom'] == '/r1/odom' and got.topics['scan'] == '/r1/scan'


def test_two_robots_in_one_recording_are_told_apart(tmp_path):
    path = write(tmp_path / 'bag', {f'{space}/{topic}': what for topic, what in topics().items()
                                    for space in ('r1', 'r2')})
    refused(path, 'several robots could be meant, in the namespaces /r1/, /r2/', robot=ROVER)


def test_the_packages_own_topics_are_no_sensors(tmp_path):
    some = topics()
    pictures = ('goal/image', 'perception/latent', 'perception/goal', 'world_model/belief',
                'r1/configurator/goal')
    own = dict.fromkeys(pictures, some['camera/image_raw'])
    own['sim/truth/pose'] = some['odom']
    own['cmd_vel_manual'] = own['cmd_vel_smoothed'] = some['cmd_vel']
    path = write(tmp_path / 'bag', {**some, **own})
    got = read(path, SIZE)
    assert (got.topics['camera'], got.topics['odom'], got.topics['command']) == (
        '/camera/image_raw', '/odom', '/cmd_vel')
    assert all(any(name.endswith(one) for one in OWN) for name in own)
    alone = write(tmp_path / 'alone', {**without(some, 'cmd_vel'),
                                       'cmd_vel_smoothed': some['cmd_vel']})
    refused(alone, 'the bag has no command')
    assert read(alone, SIZE, topics={'command': 'cmd_vel_smoothed'}).topics['command'] == \
        '/cmd_vel_smoothed'


def test_what_the_robot_file_does_not_name_is_said(tmp_path):
    path = write(tmp_path / 'bag', renamed(topics(), odom='dead_reckoning'))
    got = read(path, SIZE, robot=ROVER)
    assert got.topics['odom'] == '/dead_reckoning'
    assert got.notes == ('/dead_reckoning is taken for the odom, the only nav_msgs/msg/Odometry; '
                         'the robot file rover names odom',)


def test_bags_of_different_robots_are_refused(tmp_path):
    paths = []
    for name in ('one', 'two'):
        folder = tmp_path / name
        folder.mkdir()
        paths.append(write(folder / 'bag', {**topics(), **about(robot_file(folder, name))}))
    with pytest.raises(BagError, match='the bags are of different robots: .* of one, .* of two'):
        merge_bags.robot_of(None, tuple(paths))


def test_a_robot_file_of_another_version_is_said(tmp_path):
    mine = robot_file(tmp_path)
    said = about(mine)
    kind, rows = said['trace/metadata']
    text = rows[0][1].data.replace('max_speed_mps', 'top_speed')
    said['trace/metadata'] = kind, [(BEGIN_NS, make.make('std_msgs/String', data=text))]
    path = write(tmp_path / 'bag', {**topics(), **said})
    with pytest.raises(ValueError, match='is none of this version .*give your own with --robot'):
        recorded_robot(path)
    refused(path, 'give your own with --robot')
    assert read(path, SIZE, robot=ROVER).topics['odom'] == '/odom'
