# SPDX-License-Identifier: Apache-2.0
"""What comes as bytes is read as rclpy would read it, and what is broken is refused."""

from functools import partial
import time

from ami_ros.core.types import Plan
from ami_ros.nodes import cdr_reader, sensor_conversions
from ami_ros.nodes import message_conversions as convert
from ami_ros.robots.find_robot import find
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image, Imu, LaserScan, PointCloud2, PointField
from std_msgs.msg import Bool, Header

CAMERA, ROVER = find('rover').camera, find('rover')
CAME = sensor_conversions.Came(7, 9)
RNG = np.random.default_rng(3)


def raw(kind='rgb8', size=(48, 64), step=0, pixels=None, big=0, name='optical'):
    """Serialise a picture; return it with its pixels, (H, step) uint8."""
    rows, columns = size
    deep = 2 if '16' in kind else 1
    channels = {'rgb8': 3, 'bgra8': 4, 'uyvy': 2, 'rgb16': 3}.get(kind, 1)
    step = step or columns * channels * deep
    pixels = RNG.integers(0, 256, (rows, step), np.uint8) if pixels is None else pixels
    msg = Image(header=Header(stamp=convert.time(5_000_000_007), frame_id=name), height=rows,
                width=columns, encoding=kind, is_bigendian=big, step=step,
                data=convert.packed(pixels, 'B'))
    return serialize_message(msg), msg


@pytest.mark.parametrize('name', ['', 'a', 'ab', 'abc', 'robot1/camera'])
@pytest.mark.parametrize('kind', ['rgb8', 'bgra8', 'mono8', 'uyvy', 'bayer_rggb8', 'rgb16'])
def test_an_image_is_what_rclpy_says(kind, name):
    data, msg = raw(kind, name=name)
    got = cdr_reader.image(data)
    assert (got.header, got.height, got.width, got.encoding, got.step, got.is_bigendian) == (
        msg.header, msg.height, msg.width, msg.encoding, msg.step, msg.is_bigendian)
    assert bytes(got.data) == bytes(msg.data)


def test_a_compressed_one_too():
    msg = CompressedImage(header=Header(stamp=convert.time(3), frame_id='c'), format='jpeg',
                          data=convert.packed(RNG.integers(0, 256, 5000, np.uint8), 'B'))
    got = cdr_reader.compressed(serialize_message(msg))
    assert (got.header, got.encoding, got.step) == (msg.header, 'jpeg', None)
    assert bytes(got.data) == bytes(msg.data)
    view = sensor_conversions.view_from(got, CAMERA, ROVER, CAME)
    assert (view.shape, view.spread, view.stamp_ns, view.received_steady_ns) == ((), None, 3, 9)
    msg.data[4999 // 2 - 4999 // 2 % 1] ^= 255
    assert view.fingerprint == sensor_conversions.view_from(got, CAMERA, ROVER, CAME).fingerprint
    other = sensor_conversions.view_from(cdr_reader.compressed(serialize_message(msg)), CAMERA,
                                         ROVER,
                                    CAME)
    assert other.fingerprint != view.fingerprint


@pytest.mark.parametrize('kind', ['rgb8', 'bgra8', 'mono8', 'uyvy', 'bayer_rggb8', 'rgb16'])
@pytest.mark.parametrize('size', [(48, 64), (480, 640), (301, 401)])
def test_how_much_a_picture_shows(kind, size):
    def seen(**more):
        return sensor_conversions.view_from(cdr_reader.image(raw(kind, size, **more)[0]), CAMERA,
                                            ROVER,
                                       CAME)
    view = seen()
    assert view.name == 'camera' and view.shape == size and view.stamp_ns == 5_000_000_007
    assert 70 < view.spread < 78        # evenly spread over 256 levels: 73.9
    assert seen().fingerprint != view.fingerprint
    step = raw(kind, size)[1].step
    flat = np.full((size[0], step), 0, np.uint8)
    assert seen(pixels=flat).spread == 0.0
    assert seen(pixels=flat).fingerprint == seen(pixels=flat).fingerprint
    if kind == 'rgb16':     # noise in the lower byte is no picture
        flat[:, 0::2] = RNG.integers(0, 256, flat[:, 0::2].shape)
        assert seen(pixels=flat).spread == 0.0 and seen(pixels=flat, big=1).spread > 70
    elif size[1] > 128 and kind in ('uyvy', 'bayer_rggb8'):     # one colour all over
        flat[::2, 0::4], flat[::2, 1::4], flat[::2, 2::4], flat[::2, 3::4] = 90, 30, 160, 30
        if kind == 'uyvy':
            flat[1::2] = flat[0]
            assert seen(pixels=flat).spread == 0.0
    padded = seen(step=step + 7)
    assert padded.shape == size and 70 < padded.spread < 78


@pytest.mark.parametrize(('change', 'sentence'), [
    ({'height': 49}, 'camera says 64 x 49, step 192, and brings 9216 bytes; it needs 9408'),
    ({'width': 193}, 'camera says 193 x 48, step 192'), ({'width': 0}, 'camera says 0 x 48'),
    ({'height': 0}, 'camera says 64 x 0'),
    ({'step': 1}, 'camera says 64 x 48, step 1; the step is the length of a row in bytes'),
    ({'step': 0}, 'camera says 64 x 48, step 0; the step is the length of a row in bytes'),
    ({'width': 150, 'encoding': 'mono16'}, 'camera says 150 x 48 mono16, and its rows have 192')])
def test_a_picture_that_is_built_wrongly(change, sentence):
    _, msg = raw()
    for key, value in change.items():
        setattr(msg, key, value)
    with pytest.raises(ValueError, match=sentence):
        sensor_conversions.view_from(cdr_reader.image(serialize_message(msg)), CAMERA, ROVER, CAME)


def test_bytes_that_end_too_soon_or_are_other_ones():
    data, _ = raw(size=(4, 4))
    for end in range(len(data) - 3):        # CDR pads the end
        with pytest.raises(ValueError, match='a message (ends after|has) '):
            cdr_reader.image(data[:end])
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        broken = bytearray(data)
        for at in rng.integers(0, 80, rng.integers(1, 6)):
            broken[at] = rng.integers(256)
        for reader in (cdr_reader.image, cdr_reader.compressed):
            try:
                got = reader(bytes(broken))
                sensor_conversions.view_from(got, CAMERA, ROVER, CAME)
            except ValueError:
                pass


def test_big_endian_bytes():
    header = b'\0\0\0\0' + (5).to_bytes(4, 'big') + (7).to_bytes(4, 'big')
    rest = (2).to_bytes(4, 'big') + b'c\0' + b'\0\0' + (5).to_bytes(4, 'big') + b'jpeg\0'
    got = cdr_reader.compressed(header + rest + b'\0\0\0' + (3).to_bytes(4, 'big') + b'abc')
    assert (got.header.stamp.sec, got.header.stamp.nanosec, got.header.frame_id) == (5, 7, 'c')
    assert (got.encoding, bytes(got.data)) == ('jpeg', b'abc')


def test_a_plan_is_opened_unless_it_is_endless():
    short, longest, endless = (serialize_message(convert.plan_message(
        Plan(np.tile([0.1, 0.2], (count, 1)), 0.25, 10**9, 7, 'r', 3))) for count in
        (8, 100, 10_000))
    for data, count in ((short, 8), (longest, 100)):
        plan = convert.plan_from(cdr_reader.plan(data))
        assert plan.knots.shape == (count, 2) and (plan.run, plan.goal) == ('r', 3)
    begun = time.perf_counter()
    with pytest.raises(ValueError, match=r'a plan has \d+ bytes; it may have 8192'):
        cdr_reader.plan(endless)
    assert time.perf_counter() - begun < 0.01
    for end in range(0, len(short), 7):
        try:
            convert.plan_from(cdr_reader.plan(short[:end]))
        except Exception as why:
            assert isinstance(why, ValueError), end


def cloud(**changes):
    fields = [PointField(name=n, offset=4 * k, datatype=7, count=1) for k, n in enumerate('xyz')]
    return PointCloud2(**{'header': Header(stamp=convert.time(5), frame_id='laser'), 'height': 1,
                          'width': 2, 'fields': fields, 'point_step': 12, 'row_step': 24,
                          'data': convert.packed(np.arange(6, dtype='<f4'), 'B'), **changes})


@pytest.mark.parametrize('msg', [cloud(), cloud(is_bigendian=True, height=0), cloud(fields=[])])
def test_a_cloud_is_what_rclpy_says(msg):
    got = cdr_reader.cloud(serialize_message(msg))
    assert (got.header, got.height, got.width, got.is_bigendian, got.point_step, got.row_step) == (
        msg.header, msg.height, msg.width, msg.is_bigendian, msg.point_step, msg.row_step)
    assert [(f.name, f.offset, f.datatype, f.count) for f in got.fields] == [
        (f.name, f.offset, f.datatype, f.count) for f in msg.fields]
    assert bytes(got.data) == bytes(msg.data)


def test_what_is_longer_than_it_may_be_is_not_opened():
    many = serialize_message(cloud(fields=[PointField(name='x')] * 65))
    with pytest.raises(ValueError, match='a cloud has 65 fields; it may have 64'):
        cdr_reader.cloud(many)
    long = Header(frame_id='x' * 1024)
    with pytest.raises(ValueError, match='a text has 1025 characters; it may have 1024'):
        cdr_reader.image(serialize_message(Image(header=long)))
    for read, msg, words in (
            (cdr_reader.status, DiagnosticArray(header=Header(frame_id='x' * 20_000)), 'a status'),
            (cdr_reader.scan, LaserScan(ranges=[0.0] * 300_000), 'a scan'),
            (partial(cdr_reader.short, Bool), Imu(header=Header(frame_id='x' * 5000)),
             'a message of type Bool')):
        with pytest.raises(ValueError, match=rf'{words} has \d+ bytes; it may have \d+'):
            read(serialize_message(msg))
    with pytest.raises(ValueError, match=r'a scan of 7 bytes cannot be opened'):
        cdr_reader.scan(b'\0\1\0\0abc')


@pytest.mark.parametrize(('sec', 'nanosec'), [(-1, 0), (0, 10**9)])
def test_a_stamp_that_is_no_time_is_refused(sec, nanosec):
    header = Header(stamp=Time(sec=sec, nanosec=nanosec))
    with pytest.raises(ValueError, match=f'a scan has a stamp of {sec} s and {nanosec} ns'):
        cdr_reader.scan(serialize_message(LaserScan(header=header)))
