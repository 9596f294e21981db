# SPDX-License-Identifier: Apache-2.0
"""Any rosbag2 bag of a driving robot is read; one that lacks something says what it has."""

import math
import shutil

from ami_ros.perception.images import codec
from ami_ros.perception.images import image_message_fields as fields
from ami_ros.perception.images.rectify import Pinhole, Rectifier
from ami_ros.recording import bag_writer as make
from ami_ros.recording.bag_metadata import write_metadata
from ami_ros.robots.find_robot import find
from ami_ros.training.bag_reader import BagError, read
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from synthetic_bags import (
    at,
    BEGIN_NS,
    picture,
    pose,
    renamed,
    SECOND,
    topics,
    V,
    W,
    without,
    write,
)

ROVER = find('rover')
SIZE = (64, 64)
FRAMES = 12


def refused(path, *parts, **options) -> str:
    with pytest.raises(BagError) as wrong:
        read(path, SIZE, **options)
    sentence = str(wrong.value)
    assert all(part in sentence for part in parts), sentence
    assert '\n' not in sentence
    return sentence


@pytest.fixture
def bag(tmp_path):
    return lambda some, **how: write(tmp_path / 'bag', some, **how)


# a bag that has everything

@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_everything_is_read(bag, plugin):
    got = read(bag(topics(), plugin=plugin), SIZE)
    assert got.topics == {'camera': '/camera/image_raw', 'odom': '/odom', 'command': '/cmd_vel',
                          'scan': '/scan', 'imu': '/imu'}
    assert np.array_equal(got.images, [picture(i) for i in range(FRAMES)])
    assert got.image_ns.tolist() == [at(0.25 * i) for i in range(FRAMES)]
    seconds = (got.odom_ns - BEGIN_NS) / SECOND
    assert got.odom[:, :3] == pytest.approx(np.array([pose(s) for s in seconds]), abs=1e-9)
    assert got.odom[:, 3:] == pytest.approx(np.tile([V, W], (len(seconds), 1)))
    assert got.command == pytest.approx(np.tile([V, W], (len(got.command_ns), 1)))
    assert got.command_ns.tolist() == got.gyro_ns.tolist() == got.odom_ns.tolist()
    assert got.gyro == pytest.approx(W)
    assert got.clearance == pytest.approx(1.0 + 0.1 * np.arange(FRAMES))
    assert got.hfov_rad == pytest.approx(1.9) and got.source_size == SIZE


def test_one_file_of_a_bag_is_a_bag(bag):
    file, = bag(topics()).glob('*.mcap')
    assert len(read(file, SIZE).images) == FRAMES


def test_progress_is_told(bag):
    told = []
    read(bag(topics()), SIZE, progress=lambda done, total: told.append((done, total)))
    assert told[0][0] == 0 and told[0][1] > 100


# names and types

def test_other_topic_names_are_found_by_their_types(bag):
    got = read(bag(renamed(topics(), camera_image_raw='robot/eye', odom='wheels/dead_reckoning',
                           cmd_vel='teleop/out', imu='chip', scan='laser')), SIZE)
    assert got.topics == {'camera': '/robot/eye', 'odom': '/wheels/dead_reckoning',
                          'command': '/teleop/out', 'imu': '/chip', 'scan': '/laser'}
    assert len(got.images) == FRAMES and len(got.gyro) and not np.isnan(got.clearance).any()


def plain_twists(some: dict) -> dict:
    """Replace stamped commands by ones without a stamp, 30 ms late."""
    rows = [(t + 30_000_000, m.twist) for t, m in some['cmd_vel'][1]]
    return {**some, 'cmd_vel': ('geometry_msgs/msg/Twist', rows)}


def test_a_plain_twist_counts_from_when_it_was_received(bag):
    got = read(bag(plain_twists(topics())), SIZE)
    assert got.command == pytest.approx(np.tile([V, W], (len(got.command), 1)))
    assert got.command_ns.tolist() == (got.odom_ns + 30_000_000).tolist()


def test_a_stamp_counts_for_more_than_the_time_of_reception(bag):
    some = {topic: (kind, [(t + 70_000_000, m) for t, m in rows])
            for topic, (kind, rows) in topics().items()}
    assert read(bag(some), SIZE).image_ns.tolist() == [at(0.25 * i) for i in range(FRAMES)]


def test_without_a_stamp_the_time_of_reception_counts(bag):
    some = topics()
    some['camera/image_raw'] = ('sensor_msgs/msg/Image', [
        (t, make.image(0, picture(i))) for i, (t, _) in enumerate(some['camera/image_raw'][1])])
    assert read(bag(some), SIZE).image_ns.tolist() == [at(0.25 * i) for i in range(FRAMES)]


def test_what_was_received_out_of_order_is_put_in_order(bag):
    some = topics()
    kind, rows = some['camera/image_raw']
    order = [3, 0, 2, 1, *range(4, FRAMES)]
    some['camera/image_raw'] = kind, [(at(0.01 * i), rows[o][1]) for i, o in enumerate(order)]
    got = read(bag(some), SIZE)
    assert np.array_equal(got.images, [picture(i) for i in range(FRAMES)])
    assert np.all(np.diff(got.image_ns) > 0)


# several topics that would serve

def twice(some: dict, topic: str, *names: str) -> dict:
    return {**without(some, topic), **dict.fromkeys(names, some[topic])}


@pytest.mark.parametrize('names', [('front/eye', 'rear/eye'),
                                   ('front/image_raw', 'rear/image_raw')])
def test_two_cameras_must_be_told_apart(bag, names):
    path = bag(twice(topics(), 'camera/image_raw', *names))
    refused(path, 'several topics could be the camera', *names, '--topic camera=NAME')
    for name in names:
        assert read(path, SIZE, {'camera': '/' + name}).topics['camera'] == '/' + name
        assert read(path, SIZE, {'camera': name}).topics['camera'] == '/' + name


def test_of_several_the_robot_file_says_which_and_nothing_is_guessed_without_it(bag):
    path = bag(twice(topics(), 'camera/image_raw', 'a/depth', 'camera/image_raw', 'z'))
    refused(path, 'several topics could be the camera: /a/depth, /camera/image_raw, /z',
            '--topic camera=NAME', '--robot FILE decides it as well')
    assert read(path, SIZE, robot=ROVER).topics['camera'] == '/camera/image_raw'


@pytest.mark.parametrize('need', ['scan', 'imu'])
def test_of_two_optional_sensors_none_is_guessed(bag, need):
    path = bag(twice(topics(), need, 'b', 'a'))
    refused(path, f'several topics could be the {need}: /a, /b; say which with --topic '
            f'{need}=NAME (or {need}=none)')
    assert read(path, SIZE, {need: 'a'}).topics[need] == '/a'
    assert need not in read(path, SIZE, {need: 'none'}).topics


@pytest.mark.parametrize('wanted, parts', [
    ({'camera': 'odom'}, ("camera topic 'odom' is not in the bag as sensor_msgs/msg/Image or",
                          'odom (nav_msgs/msg/Odometry)')),
    ({'odom': 'nowhere'}, ("odom topic 'nowhere' is not in the bag", 'it has: camera/camera_i')),
    ({'kamera': 'odom'}, ("'kamera' is nothing", 'there are: camera, odom, command, scan, imu')),
])
def test_a_topic_that_is_asked_for_and_not_there(bag, wanted, parts):
    refused(bag(topics()), *parts, topics=wanted)


# what is missing

@pytest.mark.parametrize('topic, parts', [
    ('odom', ('the bag has no odom (nav_msgs/msg/Odometry)', 'imu (sensor_msgs/msg/Imu)')),
    ('camera/image_raw', ('the bag has no camera (sensor_msgs/msg/Image or', 'odom (nav_msgs')),
    ('cmd_vel', ('the bag has no command (geometry_msgs/msg/TwistStamped or', 'odom (nav_')),
])
def test_a_bag_that_lacks_something_says_what_it_has(bag, topic, parts):
    sentence = refused(bag(without(topics(), topic)), *parts)
    assert f'{topic} (' not in sentence.split('it has:')[1]


def test_a_topic_without_messages_is_no_topic(bag):
    some = {**topics(), 'odom': ('nav_msgs/msg/Odometry', [])}
    refused(bag(some), 'the bag has no odom')


def test_an_empty_bag_has_nothing(bag):
    refused(bag({'odom': ('nav_msgs/msg/Odometry', [])}), 'the bag has no camera', 'nothing')


def test_no_imu_and_no_lidar_will_do(bag):
    got = read(bag(without(topics(), 'imu', 'scan')), SIZE)
    assert len(got.gyro) == len(got.gyro_ns) == 0 and np.isnan(got.clearance).all()
    assert len(got.clearance) == FRAMES and 'imu' not in got.topics


def test_no_camera_info_leaves_the_lens_unknown(bag):
    got = read(bag(without(topics(), 'camera/camera_info')), SIZE)
    assert got.hfov_rad is None and len(got.images) == FRAMES


def test_the_lens_is_that_of_the_camera_that_is_read(bag):
    some = topics()
    for name, hfov in (('a', 0.7), ('b', 1.1)):
        some[f'{name}/image_raw'] = some['camera/image_raw']
        some[f'{name}/camera_info'] = ('sensor_msgs/msg/CameraInfo', [
            (BEGIN_NS, make.camera_info(BEGIN_NS, SIZE, hfov))])
    path = bag(without(some, 'camera/image_raw', 'camera/camera_info'))
    for name, hfov in (('a', 0.7), ('b', 1.1)):
        assert read(path, SIZE, {'camera': f'{name}/image_raw'}).hfov_rad == pytest.approx(hfov)


def test_a_lens_that_was_never_calibrated_is_unknown(bag):
    some, info = topics(), make.camera_info(BEGIN_NS, SIZE, 1.9)
    info.k[0] = 0.0
    some['camera/camera_info'] = ('sensor_msgs/msg/CameraInfo', [(BEGIN_NS, info)])
    assert read(bag(some), SIZE).hfov_rad is None


# pictures

def pictured(message_of) -> dict:
    """Replace the camera's messages; message_of(index, stamp) makes one."""
    some = topics()
    rows = [(t, message_of(i, t)) for i, (t, _) in enumerate(some['camera/image_raw'][1])]
    kind = 'CompressedImage' if hasattr(rows[0][1], 'format') else 'Image'
    return {**some, 'camera/image_raw': (f'sensor_msgs/msg/{kind}', rows)}


def image(stamp: int, pixels: np.ndarray, encoding: str):
    height, width = pixels.shape[:2]
    return make.make('sensor_msgs/Image', header=make.header(stamp, 'eye'), height=height,
                     width=width, encoding=encoding, is_bigendian=0,
                     step=pixels.nbytes // height,
                     data=np.ascontiguousarray(pixels).view(np.uint8).reshape(-1))


def compressed(stamp: int, data: bytes, kind: str):
    return make.make('sensor_msgs/CompressedImage', header=make.header(stamp, 'eye'), format=kind,
                     data=np.frombuffer(data, np.uint8))


def test_other_sizes_are_brought_to_the_size_of_the_network(bag):
    got = read(bag(topics(size=(160, 160))), SIZE)
    assert got.source_size == (160, 160) and got.images.shape == (FRAMES, 64, 64, 3)
    assert np.array_equal(got.images[3], codec.resize(picture(3, (160, 160)), SIZE))


def test_another_shape_is_refused_as_the_robot_would(bag):
    refused(bag(topics(size=(160, 120))), 'topic /camera/image_raw (camera): 12 of 12 readings',
            'image is 160x120', '64x64', 'any shape with a camera_info')


def through(some: dict, hfov_rad: float, **changes) -> dict:
    """Give a bag another camera_info."""
    message = some['camera/image_raw'][1][0][1]
    size = (160, 120) if hasattr(message, 'format') else (message.width, message.height)
    info = make.camera_info(BEGIN_NS, size, hfov_rad)
    for name, value in changes.items():
        setattr(info, name, value)
    return {**some, 'camera/camera_info': ('sensor_msgs/msg/CameraInfo', [(BEGIN_NS, info)])}


BENT = {'distortion_model': 'equidistant', 'd': np.array([0.05, -0.01, 0.0, 0.0])}


@pytest.mark.parametrize('name', ['raw', 'compressed'])
def test_a_lens_is_seen_through_as_on_the_robot(bag, name):
    some = topics(size=(160, 120))
    if name == 'compressed':
        some = pictured(lambda i, t: compressed(t, codec.to_png(picture(i, (160, 120))), 'png'))
    got = read(bag(through(some, 1.9, **BENT)), SIZE, hfov_rad=1.4)
    way = Rectifier(fields.lens_of(through(some, 1.9, **BENT)['camera/camera_info'][1][0][1]),
                    Pinhole(SIZE, 1.4))
    assert got.hfov_rad == 1.4 and got.source_size == (160, 120) and not way.plain
    assert np.array_equal(got.images, [way(picture(i, (160, 120))) for i in range(FRAMES)])


def test_of_a_rectified_topic_distortion_is_done_with(bag):
    some = renamed(topics(size=(160, 160)), camera_image_raw='camera/image_rect_color')
    some['camera/image_raw'] = some['camera/image_rect_color']      # only to look at its size
    some = without(through(some, 1.9, **BENT), 'camera/image_raw')
    got = read(bag(some), SIZE, hfov_rad=1.9)
    assert np.array_equal(got.images[5], codec.resize(picture(5, (160, 160)), SIZE))


@pytest.mark.parametrize('size', [(64, 64), (128, 128)])
@pytest.mark.parametrize('hfov_rad, wanted', [(1.9, 1.9), (1.9, 1.92), (1.9198621771937625,) * 2])
def test_pictures_of_the_simulator_stay_as_they_are_bit_for_bit(bag, size, hfov_rad, wanted):
    got = read(bag(through(topics(size=size), hfov_rad)), SIZE, hfov_rad=wanted)
    assert np.array_equal(got.images, [codec.resize(picture(i, size), SIZE)
                                       for i in range(FRAMES)])
    assert got.hfov_rad == pytest.approx(hfov_rad, abs=1e-12)


def test_a_camera_that_sees_too_little_to_be_trained_with(bag):
    refused(bag(topics(size=(160, 120))), 'topic /camera/camera_info: camera sees 92.',
            'wanted are 109.', hfov_rad=1.91)


def test_a_camera_info_of_another_size_than_the_pictures(bag):
    some = topics()
    info = make.camera_info(BEGIN_NS, (128, 128), 1.9)
    some['camera/camera_info'] = ('sensor_msgs/msg/CameraInfo', [(BEGIN_NS, info)])
    refused(bag(some), 'topic /camera/image_raw', 'image is 64x64', '128x128', hfov_rad=1.9)


@pytest.mark.parametrize('encoding, pixels', [
    ('bgr8', lambda p: p[..., ::-1]), ('rgba8', lambda p: np.dstack([p, p[..., 0]])),
    ('rgb8', lambda p: p)])
def test_other_encodings_give_the_same_pictures(bag, encoding, pixels):
    path = bag(pictured(lambda i, t: image(t, pixels(picture(i)), encoding)))
    assert np.array_equal(read(path, SIZE).images, [picture(i) for i in range(FRAMES)])


def test_compressed_pictures_are_read(bag):
    path = bag(pictured(lambda i, t: compressed(t, codec.to_png(picture(i)), 'png')))
    assert np.array_equal(read(path, SIZE).images, [picture(i) for i in range(FRAMES)])


def test_jpeg_of_another_size(bag):
    path = bag(pictured(lambda i, t: compressed(t, codec.to_jpeg(picture(i, (96, 96))), 'jpeg')))
    got = read(path, SIZE)
    close = np.abs(got.images[5].astype(int) - codec.resize(picture(5, (96, 96)), SIZE))
    assert got.source_size == (96, 96) and close.mean() < 4


def test_an_encoding_that_is_not_read_names_topic_and_encoding(bag):
    depth = np.zeros((64, 64), np.uint16)
    refused(bag(pictured(lambda i, t: image(t, depth, '16UC1'))),
            'topic /camera/image_raw', "'16UC1'", 'there are: rgb8')


def test_a_picture_that_is_cut_short(bag):
    def short(index, stamp):
        made = image(stamp, picture(index), 'rgb8')
        made.data = made.data[:-1]
        return made
    refused(bag(pictured(short)), 'topic /camera/image_raw', 'brings 12287 bytes', 'needs 12288')


def test_a_compressed_picture_that_is_none(bag):
    for data in (b'noise', b''):
        path = bag(pictured(lambda i, t, data=data: compressed(t, data, 'jpeg')))
        refused(path, 'topic /camera/image_raw', 'neither JPEG nor PNG')
        shutil.rmtree(path)


# the lidar

def scanned(ranges, after_s: float = 0.0) -> dict:
    some, angles = topics(), np.linspace(-3, 3, len(ranges))
    rows = [(t, make.scan(t + round(after_s * SECOND), np.array(ranges), angles, (0.1, 4.0)))
            for t, _ in some['camera/image_raw'][1]]
    return {**some, 'scan': ('sensor_msgs/msg/LaserScan', rows)}


@pytest.mark.parametrize('ranges, nearest', [
    ([3.0, 0.7, 2.0], 0.7), ([0.05, 0.7, 2.0], 0.7), ([math.nan, math.inf, 2.5], 2.5),
    ([math.inf] * 3, 4.0), ([0.0] * 3, 4.0)])
def test_clearance_is_the_nearest_valid_return(bag, ranges, nearest):
    assert read(bag(scanned(ranges)), SIZE).clearance == pytest.approx(nearest)


@pytest.mark.parametrize('after_s, known', [(0.05, True), (-0.05, True), (0.6, False)])
def test_an_old_scan_says_nothing(bag, after_s, known):
    some = scanned([1.5] * 3, after_s)
    some['scan'] = some['scan'][0], some['scan'][1][::2]        # every 0.5 s
    nan = np.isnan(read(bag(some), SIZE).clearance)
    assert nan[0] != known and nan[1::2].all()


# what cannot be read

def test_no_bag_at_all(tmp_path):
    refused(tmp_path / 'none', f'there is no bag at {tmp_path / "none"}')


def test_a_file_that_is_no_bag(tmp_path):
    for name in ('notes.txt', 'notes.mcap', 'notes.db3'):
        (tmp_path / name).write_text('no bag')
        refused(tmp_path / name, f'{tmp_path / name} is neither an MCAP file nor a SQLite')


def test_an_empty_folder(tmp_path):
    refused(tmp_path, f'there is no recording at {tmp_path}', 'it holds: nothing')


def test_a_folder_of_a_killed_recorder(tmp_path):
    for name in ('one.mcap', 'two.txt'):
        (tmp_path / name).write_text('')
    refused(tmp_path, 'no metadata.yaml', 'one.mcap has no end', f'--repair {tmp_path}')


@pytest.mark.parametrize('plugin', list(StoragePlugin))
@pytest.mark.parametrize('text', [None, '', 'a: [', 'a: 3', '\x00', '[]',
                                  'rosbag2_bagfile_information: {version: 9}'])
def test_metadata_that_is_none_is_not_needed(bag, text, plugin):
    path = bag(topics(), plugin=plugin)
    (path / 'metadata.yaml').unlink()
    if text is not None:
        (path / 'metadata.yaml').write_text(text)
    got = read(path, SIZE)
    assert len(got.images) == FRAMES
    assert [note[:13] for note in got.notes] == ([] if text is None else ['metadata.yaml'])


def test_a_file_that_is_missing(bag):
    path = bag(topics())
    file = next(path.glob('*.mcap'))
    file.rename(path / 'other.mcap')
    refused(path, f'{path} lacks {file.name}', 'it holds: metadata.yaml, other.mcap',
            'correct relative_file_paths')


@pytest.mark.parametrize('keep', [0.0, 0.3])
def test_a_file_that_was_cut_short(bag, keep):
    path = bag(topics())
    file = next(path.glob('*.mcap'))
    data = file.read_bytes()
    file.write_bytes(data[:int(keep * len(data))])
    refused(path, 'promise')


def test_a_file_that_lost_its_index_alone_is_read(bag):
    path = bag(topics())
    file = next(path.glob('*.mcap'))
    file.write_bytes(file.read_bytes()[:-100])
    got = read(path, SIZE)
    assert len(got.images) == FRAMES and got.notes == ()


def test_a_file_with_a_hole_in_it(tmp_path):
    part = make.PartWriter(tmp_path / 'part_0000.mcap')
    for topic, (_, rows) in topics().items():
        for received, message in rows:
            part.write(topic, received, message)
    write_metadata(tmp_path, make.offered(), [part.close()])
    assert len(read(tmp_path, SIZE).images) == FRAMES
    file = tmp_path / 'part_0000.mcap'
    data = bytearray(file.read_bytes())
    packed = data.index(b'\x28\xb5\x2f\xfd')        # where zstd's first frame begins
    data[packed + 100:packed + 300] = bytes(200)
    file.write_bytes(data)
    refused(tmp_path, 'topic camera/image_raw (camera): 12 of 12 promised readings',
            'part_0000.mcap: the chunk at byte', 'Copy the bag again')
