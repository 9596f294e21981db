# SPDX-License-Identifier: Apache-2.0
"""A bag is judged before anybody trains on it, by what training asks for."""

from dataclasses import replace

from ami_ros.cli import main as cli
from ami_ros.robots.find_robot import find
from ami_ros.training import bag_quality, bag_reader, training_windows
from ami_ros.training.bag_reader import Recording
import numpy as np
import pytest
from synthetic_bags import picture, topics, without, write

ROVER = find('rover')
NS = 10**9


def recording(seconds=400.0, hz=10.0, **other) -> Recording:
    """Make a recording of a robot that drives and turns, and does what it is told."""
    at = (np.arange(0, seconds, 1 / hz) * NS).astype(np.int64) + 10**12
    ticks = (np.arange(0, seconds, 0.05) * NS).astype(np.int64) + 10**12
    v = 0.3 + 0.2 * np.sin(ticks / NS / 5)
    w = 0.8 * np.cos(ticks / NS / 3)
    yaw = np.cumsum(w) * 0.05
    x, y = np.cumsum(v * np.cos(yaw)) * 0.05, np.cumsum(v * np.sin(yaw)) * 0.05
    made = Recording(
        images=np.stack([picture(i) for i in range(20)]), image_ns=at, odom_ns=ticks,
        odom=np.stack([x, y, np.angle(np.exp(1j * yaw)), v, w], 1), command_ns=ticks,
        command=np.stack([v, w], 1), gyro_ns=ticks, gyro=w, clearance=np.full(len(at), 1.0),
        topics={'camera': '/camera/image_raw', 'odom': '/odom', 'command': '/cmd_vel'},
        hfov_rad=1.9, source_size=(64, 64))
    return replace(made, **other)


def judged(made: Recording) -> bag_quality.Fitness:
    return bag_quality.judge(made, training_windows.cut(made, np.random.default_rng(0)))


def test_a_good_bag_is_good():
    found = judged(recording(2000.0))
    assert found.failures == () == found.warnings
    assert found.figures[0] == '20000 images of 64x64, 10.0 a second, 33.3 minutes'
    assert ' in 17 drives' in found.figures[1] and 'm driven, by odometry' in found.figures[2]
    assert 'camera: /camera/image_raw' in found.figures


def test_it_asks_for_what_training_asks_for():
    pytest.importorskip('torch', reason='needs torch')
    from ami_ros.training.train import Recipe, split
    recipe = Recipe()
    assert (bag_quality.FRAMES, bag_quality.BATCH, bag_quality.HELD_OUT) == (
        recipe.frames, recipe.windows, recipe.held_out)
    for seconds in (10.0, 20.0, 25.0, 30.0, 40.0, 60.0, 100.0):
        made = recording(seconds)
        drives = training_windows.cut(made, np.random.default_rng(0))
        rows, held = split(drives, recipe)
        enough = len(rows) >= recipe.windows and len(held) >= bag_quality.CHECKS
        assert bool(judged(made).failures) is not enough, seconds


OTHERS = {
    'short': ({'seconds': 20.0}, 'record longer', 'minutes are little'),
    'one drive': ({'seconds': 100.0, 'hz': 4.0}, 'all images are one drive', 'are little'),
    'no scan': ({'clearance': np.full(4000, np.nan)}, '', 'most images have no scan'),
    'no imu': ({'gyro_ns': np.zeros(0, np.int64), 'gyro': np.zeros(0)}, '', 'there is no IMU'),
    'no lens': ({'hfov_rad': None}, '', 'no camera_info that was calibrated'),
    'dark': ({'images': np.zeros((20, 64, 64, 3), np.uint8)}, 'is the lens covered?', ''),
    'half dark': ({'images': np.stack([picture(i) * (i > 3) for i in range(20)])}, '',
                  '4 of 20 images that were looked at show one even colour'),
    'frozen': ({'images': np.stack([picture(3)] * 20)}, 'did the camera freeze?', ''),
}


@pytest.mark.parametrize('what, failure, warning', OTHERS.values(), ids=OTHERS)
def test_what_is_wrong_is_said(what, failure, warning):
    found = judged(recording(**what))
    assert bool(failure) == bool(found.failures)
    assert failure in ' '.join(found.failures) and warning in ' '.join(found.warnings)


def test_a_robot_that_was_never_commanded_or_never_moved():
    good = recording()
    found = judged(replace(good, command=np.zeros_like(good.command)))
    assert '/cmd_vel never asked for motion' in ' '.join(found.failures)
    found = judged(replace(good, odom=good.odom * [0, 0, 0, 0, 0]))
    assert '/odom never moved, though /cmd_vel asked' in ' '.join(found.failures)


def test_odometry_that_tells_of_half_the_way():
    good = recording()
    assert 'does /cmd_vel reach' not in ' '.join(judged(good).warnings)
    found = judged(replace(good, odom=good.odom * [0.4, 0.4, 1, 1, 1]))
    assert 'm driven where' in ' '.join(found.warnings)
    found = judged(replace(good, odom=good.odom * [1, 1, 0.1, 1, 1]))
    assert 'rad turned where' in ' '.join(found.warnings)


def test_a_robot_that_mostly_stood_or_never_turned():
    good = recording()
    still = np.arange(len(good.odom)) % 10 < 6
    odom, command = good.odom.copy(), good.command.copy()
    odom[still, 3:], command[still] = 0.0, 0.0
    found = judged(replace(good, odom=odom, command=command))
    assert 'the robot stood 60 % of the time' in ' '.join(found.warnings)
    found = judged(replace(good, command=good.command * [1, 0]))
    assert 'the robot hardly turned' in ' '.join(found.warnings) and not found.failures


def test_it_reads_as_training_reads(tmp_path):
    path = write(tmp_path / 'bag', topics(300))
    whole = bag_reader.read(path, ROVER.camera_size, hfov_rad=ROVER.camera_hfov_rad)
    part = bag_reader.read(path, ROVER.camera_size, hfov_rad=ROVER.camera_hfov_rad,
                           pictures=bag_quality.PICTURES)
    for name in ('image_ns', 'odom_ns', 'odom', 'command_ns', 'command', 'gyro_ns', 'gyro',
                 'clearance'):
        assert np.array_equal(getattr(part, name), getattr(whole, name), equal_nan=True), name
    assert (part.topics, part.hfov_rad, part.source_size) == (
        whole.topics, whole.hfov_rad, whole.source_size)
    assert np.array_equal(part.images, whole.images[::3])


def test_the_verb_says_whether_a_bag_will_do(tmp_path, capsys):
    path = write(tmp_path / 'bag', topics(12))
    assert cli.main(['record', '--check', str(path)]) == 1
    said = capsys.readouterr().out
    assert '12 images of 64x64, 4.0 a second' in said and f'{path} cannot be trained on' in said
    assert 'in the way: all images are one drive' in said
    assert 'worth knowing: 0.0 minutes are little' in said
    lacking = write(tmp_path / 'lacking', without(topics(), 'odom'))
    assert cli.main(['record', '--check', str(lacking)]) == 1
    assert 'in the way: the bag has no odom' in capsys.readouterr().out
    assert cli.main(['record', '--check', str(tmp_path / 'nowhere')]) == 1
    assert 'there is no bag at' in capsys.readouterr().out


def test_a_bag_without_its_metadata_is_mended_by_the_verb(tmp_path, capsys):
    path = write(tmp_path / 'bag', topics(12))
    (path / 'metadata.yaml').unlink()
    file, = path.glob('*.mcap')
    file.write_bytes(file.read_bytes()[:-40])
    assert cli.main(['record', '--check', str(path)]) == 1
    assert f'`ami-ros record --repair {path}` makes both' in capsys.readouterr().out
    assert cli.main(['record', '--repair', str(path)]) == 0
    said = capsys.readouterr().out
    assert 'was cut short or damaged' in said and 'a bag of' in said
    assert len(bag_reader.read(path, (64, 64)).images) == 12
    assert cli.main(['record', '--repair', str(path)]) == 1
    assert 'needs no repair' in capsys.readouterr().err
