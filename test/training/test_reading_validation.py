# SPDX-License-Identifier: Apache-2.0
"""A bad reading costs one reading, counted and named; too many refuse, in check and training."""

from dataclasses import replace
import math

from ami_ros.perception.images import codec
from ami_ros.recording import bag_writer as make
from ami_ros.robots.find_robot import find
from ami_ros.training import bag_quality, training_windows
from ami_ros.training.bag_reader import BagError, read
from ami_ros.training.merge_bags import percent
import numpy as np
import pytest
from synthetic_bags import at, picture, topics, write

SIZE = (64, 64)
ROVER = find('rover')
FRAMES = 60


def jpegs(bad: dict[int, bytes]) -> dict:
    """Return a drive with compressed pictures, some replaced."""
    rows = []
    for i in range(FRAMES):
        data = bad.get(i, codec.to_jpeg(picture(i)))
        rows.append((at(0.25 * i), make.make(
            'sensor_msgs/CompressedImage', header=make.header(at(0.25 * i), 'eye'), format='jpeg',
            data=np.frombuffer(data, np.uint8))))
    return {**topics(FRAMES), 'camera/image_raw': ('sensor_msgs/msg/CompressedImage', rows)}


def both(path) -> tuple:
    """Return what training reads and what the check says of the same bag."""
    return read(path, SIZE, hfov_rad=ROVER.camera_hfov_rad), bag_quality.check(path, ROVER)


@pytest.mark.parametrize('data, reason', [
    (codec.to_jpeg(picture(7))[:-400], 'its data ends before the image does'),
    (codec.to_jpeg(picture(7))[:60], 'neither JPEG nor PNG'),
    (codec.to_png(picture(7))[:-60], 'its data ends before the image does'),
    (b'', 'neither JPEG nor PNG')])
def test_one_cut_picture_costs_one_picture(tmp_path, data, reason):
    got, checked = both(write(tmp_path / 'bag', jpegs({7: data})))
    assert len(got.images) == len(got.image_ns) == FRAMES - 1
    assert at(0.25 * 7) not in got.image_ns
    note, = got.notes
    assert note.startswith('topic /camera/image_raw (camera): 1 of 60 readings cannot be used; '
                           'the first, 1.8 s after the beginning: ') and reason in note
    assert note in checked.warnings and not any('image_raw' in f for f in checked.failures)


def test_a_jpeg_with_padding_behind_it_is_whole(tmp_path):
    data = codec.to_jpeg(picture(7)) + bytes(512)
    assert len(read(write(tmp_path / 'bag', jpegs({7: data})), SIZE).images) == FRAMES


@pytest.mark.parametrize('bad, good', [(6, True), (7, False)])
def test_check_and_training_agree_where_too_many_are_bad(tmp_path, bad, good):
    path = write(tmp_path / 'bag', jpegs({9 * i: b'noise' for i in range(bad)}))
    checked = bag_quality.check(path, ROVER)
    said = 'at most 10% may be left out' in ' '.join(checked.failures)
    assert said is not good
    if good:
        assert len(read(path, SIZE).images) == FRAMES - bad
    else:
        with pytest.raises(BagError, match=f'{bad} of 60 readings cannot be used'):
            read(path, SIZE)


def spoiled(topic: str, spoil, which=slice(3, 4)) -> dict:
    """Return a drive of which some messages are changed."""
    some = topics(FRAMES)
    for _, message in some[topic][1][which]:
        spoil(message)
    return some


def no_orientation(message):
    q = message.pose.pose.orientation
    q.x = q.y = q.z = q.w = 0.0


BAD = {
    'odom x': ('odom', lambda m: setattr(m.pose.pose.position, 'x', math.nan), 'position is nan'),
    'odom far': ('odom', lambda m: setattr(m.pose.pose.position, 'y', 4.5e6),
                 'position is 4.5e+06; it must be a number of at most 100000 m'),
    'odom v': ('odom', lambda m: setattr(m.twist.twist.linear, 'x', math.inf), 'speed is inf'),
    'odom q': ('odom', no_orientation, 'orientation has length 0 instead of 1'),
    'command': ('cmd_vel', lambda m: setattr(m.twist.angular, 'z', math.nan), 'command is nan'),
    'gyro': ('imu', lambda m: setattr(m.angular_velocity, 'z', -math.inf), 'turning rate is -inf'),
    'accel': ('imu', lambda m: m.angular_velocity_covariance.__setitem__(0, -1.0),
              'measures no angular velocity'),
    'scan': ('scan', lambda m: (setattr(m, 'range_max', math.inf), m.ranges.fill(math.inf)),
             'range_max inf, and its nearest return would be inf m'),
    'no beams': ('scan', lambda m: setattr(m, 'ranges', m.ranges[:0]), 'it has 0 beams'),
    'range': ('scan', lambda m: setattr(m, 'range_min', 9.0), 'range_min 9 and range_max 8'),
    'nanosec': ('imu', lambda m: setattr(m.header.stamp, 'nanosec', 2**32 - 1),
                'has 4294967295 ns'),
    'stamp': ('odom', lambda m: setattr(m.header.stamp, 'sec', -5), 'before 1970'),
}


@pytest.mark.parametrize('topic, spoil, reason', BAD.values(), ids=BAD)
def test_one_reading_that_is_no_number_costs_one_reading(tmp_path, topic, spoil, reason):
    got, checked = both(write(tmp_path / 'bag', spoiled(topic, spoil)))
    note, = got.notes
    assert f'topic /{topic} (' in note and reason in note and ': 1 of ' in note
    assert note in checked.warnings
    for values in (got.odom, got.command, got.gyro, got.clearance[np.arange(FRAMES) != 3]):
        assert np.isfinite(values).all()


@pytest.mark.parametrize('topic, spoil, reason', BAD.values(), ids=BAD)
def test_a_sensor_of_which_nothing_can_be_used_is_refused(tmp_path, topic, spoil, reason):
    path = write(tmp_path / 'bag', spoiled(topic, spoil, slice(None)))
    with pytest.raises(BagError, match='at most 10% may be left out') as wrong:
        read(path, SIZE)
    assert reason in str(wrong.value)
    assert str(wrong.value) in bag_quality.check(path, ROVER).failures
    if topic in ('imu', 'scan'):
        need = str(wrong.value).split('--topic ')[1].partition('=')[0]
        assert need in str(wrong.value) and not read(path, SIZE, {need: 'none'}).notes


def test_a_turn_by_half_has_w_zero_and_is_a_rotation(tmp_path):
    def half(message):
        q = message.pose.pose.orientation
        q.z, q.w = 1.0, 0.0

    got = read(write(tmp_path / 'bag', spoiled('odom', half)), SIZE)
    assert got.notes == () and got.odom[3, 2] == pytest.approx(math.pi)


def test_pictures_that_come_twice_count_once(tmp_path):
    some = topics(FRAMES)
    kind, rows = some['camera/image_raw']
    got, checked = both(write(tmp_path / 'bag', {**some, 'camera/image_raw': (
        kind, rows + rows[:3])}))
    note, = got.notes
    assert '3 of 63 readings' in note and 'its stamp is that of an earlier image' in note
    assert len(got.images) == FRAMES and note in checked.warnings
    path = write(tmp_path / 'twice', {**some, 'camera/image_raw': (kind, rows + rows)})
    with pytest.raises(BagError, match='60 of 120 readings cannot be used'):
        read(path, SIZE)


def test_a_gap_of_odometry_is_not_bridged(tmp_path):
    some = topics(FRAMES)
    kind, rows = some['odom']
    path = write(tmp_path / 'bag', {**some, 'odom': (kind, rows[:100] + rows[220:])})
    got = read(path, SIZE)
    used = got.image_ns[training_windows.cut(got, np.random.default_rng(0)).frame]
    gap = (got.image_ns > at(4.95)) & (got.image_ns < at(11.0))
    assert gap.sum() == 24 and set(used) == set(got.image_ns[~gap & (got.image_ns <= at(14.95))])
    assert any('% of the images are left out: odometry says nothing' in w
               for w in bag_quality.check(path, ROVER).warnings)


def test_a_gyro_that_never_says_anything_else_is_doubted(tmp_path):
    some = topics(FRAMES)
    some['imu'] = some['imu'][0], [(t, make.imu(t, np.zeros(3), np.array([0, 0, 9.81])))
                                   for t, _ in some['imu'][1]]
    found = bag_quality.check(write(tmp_path / 'bag', some), ROVER)
    assert any('/imu says a turning rate of 0 rad/s all the time' in f for f in found.failures)


@pytest.mark.parametrize(('mount', 'spin'), [
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.6)), ((math.pi, 0.0, 0.0), (0.0, 0.0, -0.6)),
    ((-math.pi / 2, 0.0, -math.pi / 2), (0.0, -0.6, 0.0))])     # level, upside down, optical
def test_training_turns_the_gyro_as_the_mind_of_the_robot_does(tmp_path, mount, spin):
    robot, body = replace(ROVER), ROVER.body
    object.__setattr__(robot, 'body', replace(body, mounts={**body.mounts,
                                                            'imu_link': (0, 0, 0, *mount)}))
    some = topics(FRAMES)
    some['imu'] = some['imu'][0], [(t, make.imu(t, np.array(spin), np.zeros(3)))
                                   for t, _ in some['imu'][1]]
    path = write(tmp_path / 'bag', some)
    assert read(path, SIZE, robot=robot).gyro == pytest.approx(0.6)
    for one in some['imu'][1]:
        one[1].header.frame_id = 'elsewhere'
    path = write(tmp_path / 'other', some)
    with pytest.raises(BagError, match="frame 'elsewhere', .*says link: imu_link.*imu=none"):
        read(path, SIZE, robot=robot)


def test_reading_says_each_tenth_once():
    said = []
    progress = percent('reading bag', said.append)
    for done in range(0, 1001):
        progress(done, 1000)
    assert said == [f'reading bag: {n} %' for n in range(0, 101, 10)]
    percent('empty', said.append)(0, 0)
    assert said[-1] == 'empty: 0 %'
