# SPDX-License-Identifier: Apache-2.0
"""A recorded drive of a Donkey Car becomes a bag that is checked and trained on as any other."""

import json
from pathlib import Path
import runpy

from ami_ros.cli import main as cli
from ami_ros.perception.images import codec
from ami_ros.recording import message_reader
from ami_ros.recording.attached_robot_file import recorded_robot
from ami_ros.recording.message_definitions import STORE
from ami_ros.training import bag_reader, merge_bags
import numpy as np
import pytest
from synthetic_bags import picture

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / 'tools/donkey_bag.py'))
BEGIN_MS, SPEED, CURVATURE = 1_668_211_603_459, 4.0, 1.5


def tub(folder: Path, seconds: float = 40.0, catalog: bool = False, **changed) -> Path:
    """Write a drive of a car that follows its command 0.2 s later, 160x120 at 20 Hz."""
    at = np.arange(0, seconds, 0.05) + 0.004 * np.sin(np.arange(0, seconds, 0.05) * 50)
    at -= at[0]
    throttle = 0.3 + 0.05 * np.sin(at / 3)
    steering = 0.8 * np.sin(at / 2)
    late = np.maximum(at - 0.2, 0)
    v = SPEED * np.interp(late, at, throttle)
    w = -CURVATURE * np.interp(late, at, steering) * v
    yaw = np.cumsum(w) * 0.05
    x, y = (np.cumsum(v * f(yaw)) * 0.05 for f in (np.cos, np.sin))
    (folder / 'images').mkdir(parents=True)
    names = [f'{i:06d}.jpg' for i in range(len(at))]
    for i, name in enumerate(names):
        (folder / 'images' / name).write_bytes(codec.to_jpeg(picture(i, (160, 120)), 90))
    rows = [[f'{t:.5f}', f'{a:.5f}', f'{b:.5f}', f'{c:.5f}', f'{d:.5f}', f'{e:.5f}']
            for t, a, b, c, d, e in zip(at, x, y, np.angle(np.exp(1j * yaw)), v, w)]
    rows = changed.get('poses', lambda rows: rows)(rows)
    (folder / 'poses.csv').write_text('\n'.join(map(','.join, [
        ['t_s', 'x_m', 'y_m', 'yaw_rad', 'v_mps', 'w_radps'], *rows])))
    if catalog:
        records = [json.dumps({'cam/image_array': name, 'user/angle': s, 'user/throttle': g,
                               '_timestamp_ms': BEGIN_MS + round(1000 * t), '_index': i})
                   for i, (t, name, s, g) in enumerate(zip(at, names, steering, throttle))]
        for number in (10, 2):      # 10 comes after 2
            part = records[:400] if number == 2 else records[400:]
            (folder / f'catalog_{number}.catalog').write_text('\n'.join(part) + '\n')
    else:
        rows = [f'{t:.5f},{BEGIN_MS},{name},{s:.5f},{g:.5f}'
                for t, name, s, g in zip(at, names, steering, throttle)]
        (folder / 'commands.csv').write_text('\n'.join(
            [changed.get('header', 't_s,unix_ms,image,steering_user_angle,throttle_user'), *rows]))
    return folder


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp('donkey')
    tub(folder / 'drive')
    assert TOOL['main']([str(folder / 'drive'), '--out', str(folder / 'bag')]) == 0
    return folder / 'drive', folder / 'bag'


def messages(bag: Path, topic: str, kind: str) -> list:
    return [STORE.deserialize_cdr(heard.data, kind)
            for heard in message_reader.messages(bag, (topic,))]


def test_the_bag_holds_the_files_and_what_was_told_and_seen(made):
    folder, bag = made
    images = messages(bag, 'camera/image_raw/compressed', 'sensor_msgs/msg/CompressedImage')
    files = sorted((folder / 'images').iterdir())
    assert [bytes(one.data) for one in images] == [file.read_bytes() for file in files]
    assert {one.format for one in images} == {'jpeg'}
    assert images[0].header.stamp.sec == BEGIN_MS // 1000
    info, *_ = messages(bag, 'camera/camera_info', 'sensor_msgs/msg/CameraInfo')
    assert (info.width, info.height) == (160, 120)
    assert 2 * np.degrees(np.arctan(80 / info.k[0])) == pytest.approx(120)
    odometry = messages(bag, 'odom', 'nav_msgs/msg/Odometry')[100]
    assert (odometry.header.frame_id, odometry.child_frame_id) == ('odom', 'base_link')
    assert odometry.twist.twist.linear.x == pytest.approx(SPEED * 0.35, abs=0.2)
    told = messages(bag, 'cmd_vel', 'geometry_msgs/msg/TwistStamped')
    late = messages(bag, 'odom', 'nav_msgs/msg/Odometry')
    for before, after in zip(told[20:600], late[24:]):      # what it does 0.2 s later
        assert before.twist.linear.x == pytest.approx(after.twist.twist.linear.x, abs=0.05)
        assert before.twist.angular.z == pytest.approx(after.twist.twist.angular.z, abs=0.1)


def test_it_brings_its_robot_and_can_be_trained_on(made, capsys):
    _, bag = made
    robot = recorded_robot(bag)
    assert robot.name == 'donkey_car' and robot.camera_size == (64, 48)
    assert robot.camera.kind == 'CompressedImage' and robot.limits == (1.5, 3.0)
    assert cli.main(['record', '--check', str(bag)]) == 0
    said = capsys.readouterr().out
    assert 'can be trained on' in said and 'above the limits' not in said
    assert '800 images of 160x120' in said
    read = bag_reader.read(bag, robot.camera_size, hfov_rad=robot.camera_hfov_rad)
    assert read.images.shape == (800, 48, 64, 3)
    assert read.hfov_rad == pytest.approx(2.094, abs=1e-3)


def test_the_rover_is_another_robot_and_that_is_said(made, capsys):
    _, bag = made
    assert cli.main(['record', '--check', str(bag), '--robot', 'rover']) == 1
    assert 'camera sees 104.9 degrees' in capsys.readouterr().out
    fast = np.array([[1.4, 0.2], [0.5, 0.1], [0.6, 1.5]])
    assert '33 % of the commands are above the limits of the robot file rover, 0.6 m/s and ' \
        '1.5 rad/s' in merge_bags.beyond(fast, merge_bags.find('rover'))
    assert merge_bags.beyond(fast[1:], merge_bags.find('rover')) == ''
    assert merge_bags.beyond(fast[:0], merge_bags.find('rover')) == ''


def test_a_tub_says_the_same_as_a_table(made, tmp_path):
    _, bag = made
    tub(tmp_path / 'tub', catalog=True)
    assert TOOL['main']([str(tmp_path / 'tub'), '--out', str(tmp_path / 'bag')]) == 0
    for topic, kind in (('cmd_vel', 'TwistStamped'), ('camera/image_raw/compressed', '')):
        one, two = (list(message_reader.messages(path, (topic,)))
                    for path in (bag, tmp_path / 'bag'))
        assert len(one) == len(two) == 800
        for a, b in zip(one, two):
            assert abs(a.log_ns - b.log_ns) <= 2_000_000
            if kind:
                a, b = (STORE.deserialize_cdr(each.data, f'geometry_msgs/msg/{kind}').twist
                        for each in (a, b))
                assert a.angular.z == pytest.approx(b.angular.z, abs=0.02)
                assert a.linear.x == pytest.approx(b.linear.x, abs=0.02)


@pytest.mark.parametrize('size', [(32, 32), (64, 16)])
def test_a_network_of_another_image_size(size, tmp_path):
    tub(tmp_path / 'drive', 3.0)
    assert TOOL['main']([str(tmp_path / 'drive'), '--out', str(tmp_path / 'bag'), '--size',
                         *map(str, size)]) == 0
    robot = recorded_robot(tmp_path / 'bag')
    read = bag_reader.read(tmp_path / 'bag', size, hfov_rad=robot.camera_hfov_rad)
    assert read.images.shape == (60, *size[::-1], 3)
    assert np.degrees(read.hfov_rad) == pytest.approx(104.8 if size[0] == 32 else 120, abs=0.2)


def test_given_numbers_are_used_and_cut_to_the_limits(tmp_path, capsys):
    tub(tmp_path / 'drive', 13.0)
    (tmp_path / 'drive/images/000007.jpg').unlink()
    assert TOOL['main']([str(tmp_path / 'drive'), '--out', str(tmp_path / 'bag'), '--speed', '5',
                         '--curvature', '1', '--limits', '1.6', '4']) == 0
    said = capsys.readouterr().out
    assert '% of the commands are above 1.6 m/s and are cut' in said
    assert '1 images are missing, the first: 000007.jpg' in said
    told = messages(tmp_path / 'bag', 'cmd_vel', 'geometry_msgs/msg/TwistStamped')
    assert max(one.twist.linear.x for one in told) == 1.6
    assert told[0].twist.linear.x == pytest.approx(1.5)


@pytest.mark.parametrize('change, part', [
    (lambda f: (f / 'poses.csv').unlink(), 'there is no '),
    (lambda f: (f / 'commands.csv').unlink(), 'there is no '),
    (lambda f: (f / 'poses.csv').write_text('t_s,x_m\n0,0\n'),
     'has no column y_m, yaw_rad, v_mps, w_radps; it has: t_s, x_m'),
    (lambda f: (f / 'poses.csv').write_text('t_s,x_m,y_m,yaw_rad,v_mps,w_radps\n0,0,0,0,0,0\n'),
     'the 1 times of poses.csv do not increase'),
    (lambda f: (f / 'poses.csv').write_text(
        't_s,x_m,y_m,yaw_rad,v_mps,w_radps\n0,0,0,0,0,0\n1,0,0,nan,0,0\n'),
     "'nan' is not a finite number"),
    (lambda f: [file.unlink() for file in (f / 'images').iterdir()], 'has none of the images'),
    (lambda f: (f / 'poses.csv').write_text('t_s,x_m,y_m,yaw_rad,v_mps,w_radps\n'),
     'has no poses'),
    (lambda f: (f / 'commands.csv').write_text('t_s,image,steering,throttle\n'),
     'has no commands'),
], ids=['no poses', 'no commands', 'columns', 'rows', 'nan', 'no images', 'no pose',
        'no command'])
def test_a_folder_that_lacks_something(change, part, tmp_path, capsys):
    change(tub(tmp_path / 'drive', 2.0))
    assert TOOL['main']([str(tmp_path / 'drive'), '--out', str(tmp_path / 'bag')]) == 1
    assert part in capsys.readouterr().out and not (tmp_path / 'bag').exists()


@pytest.mark.parametrize('text, part', [
    ('{"cam/image_array": "000000.jpg", "user/angle": 0.1, "_timestamp_ms": 5}\n',
     "KeyError('user/throttle')"),
    ('', 'IndexError'), ('{"cam/image', 'Unterminated string')])
def test_a_tub_that_is_damaged(text, part, tmp_path, capsys):
    folder = tub(tmp_path / 'drive', 2.0, catalog=True)
    (folder / 'catalog_10.catalog').unlink(missing_ok=True)
    (folder / 'catalog_2.catalog').write_text(text)
    assert TOOL['main']([str(folder), '--out', str(tmp_path / 'bag')]) == 1
    assert part in capsys.readouterr().out and not (tmp_path / 'bag').exists()


@pytest.mark.parametrize('options, part', [
    (['--hfov-deg', '175'], 'camera_hfov_rad'), (['--limits', '9', '3'], 'max_speed_mps')])
def test_numbers_that_no_robot_file_takes(options, part, tmp_path, capsys):
    tub(tmp_path / 'drive', 2.0)
    assert TOOL['main']([str(tmp_path / 'drive'), '--out', str(tmp_path / 'bag'), *options]) == 1
    assert part in capsys.readouterr().out and not (tmp_path / 'bag').exists()


def test_a_bag_that_is_there_is_kept(made, capsys):
    folder, bag = made
    assert TOOL['main']([str(folder), '--out', str(bag)]) == 1
    assert 'exists; give another --out' in capsys.readouterr().out
