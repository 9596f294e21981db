# SPDX-License-Identifier: Apache-2.0
"""Any camera's messages become what the network wants, or one sentence; no node runs here."""

from dataclasses import replace
import math
import tracemalloc

from ami_ros.modules.module import open_module
from ami_ros.nodes import message_conversions as convert
from ami_ros.perception.camera_contract import CameraContract, of_robot
from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.perception.images import codec
from ami_ros.perception.images import image_message_fields as fields
from ami_ros.perception.images.rectify import Pinhole, Rectifier
from ami_ros.robots.find_robot import find
from ami_ros.robots.sensor import Sensor
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest

ROVER, KNOWN = find('rover'), open_module().camera
NS = 1_700_000_000 * 10**9
RNG = np.random.default_rng(0)
FRAME = 'camera_optical_frame'
WIDE = math.radians(130)


def picture(width=64, height=64) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def image(pixels=None, frame=FRAME) -> Image:
    return convert.image_message(picture() if pixels is None else pixels, NS, frame)


def compressed(data: bytes, kind: str, frame=FRAME) -> CompressedImage:
    return CompressedImage(header=convert.header(NS, frame), format=kind, data=data)


def info(width=64, height=64, hfov=ROVER.camera_hfov_rad, **changes) -> CameraInfo:
    msg = convert.camera_info_message(NS, (width, height), hfov)
    for name, value in changes.items():
        setattr(msg, name, value)
    return msg


def refused(eye: CameraPreprocessor, msg, *parts: str) -> str:
    with pytest.raises(ValueError) as wrong:
        eye.view(msg)
    sentence = str(wrong.value)
    assert '\n' not in sentence and all(part in sentence for part in parts), sentence
    return sentence


@pytest.fixture
def eye() -> CameraPreprocessor:
    return CameraPreprocessor(ROVER, KNOWN)


# a camera as the module knows it

def test_the_simulators_picture_is_not_copied(eye):
    msg, pixels = image(), None
    for said in (None, info(), info()):
        if said is not None:
            eye.on_info(said)
        pixels = eye.view(msg)
        assert np.shares_memory(pixels, np.frombuffer(msg.data, np.uint8))
        assert pixels.shape == (64, 64, 3) and pixels.flags.c_contiguous
    assert eye.notes() == []


@pytest.mark.parametrize('told', [False, True])
@pytest.mark.parametrize('side', [64, 128, 200])
def test_larger_pictures_of_the_same_shape_are_resized_as_ever(eye, side, told):
    if told:
        eye.on_info(info(side, side))
    pixels = picture(side, side)
    assert np.array_equal(eye.view(image(pixels)), codec.resize(pixels, (64, 64)))


def test_rows_with_padding(eye):
    pixels, msg = picture(), image()
    rows = np.zeros((64, 200), np.uint8)
    rows[:, :192] = pixels.reshape(64, 192)
    msg.step, msg.data = 200, convert.packed(rows, 'B')
    out = eye.view(msg)
    assert np.array_equal(out, pixels) and out.flags.c_contiguous


def test_the_order_of_bytes_that_the_message_says(eye):
    for bigendian, kind in ((0, '<u2'), (1, '>u2')):
        msg = image()
        msg.encoding, msg.step, msg.is_bigendian = 'mono16', 128, bigendian
        msg.data = convert.packed(np.full((64, 64), 257 * 80, kind), 'B')
        msg.data[0:2] = convert.packed(np.array([257 * 80 + 250], kind), 'B')
        seen = eye.view(msg)
        assert np.all(seen[1:] == 80) and np.all(seen[0, 0] == 81)


def test_depth_is_no_picture(eye):
    refused(eye, compressed(codec.to_png(picture()), '16UC1; compressedDepth png'), 'depth')
    msg = image()
    msg.encoding = '16UC1'
    refused(eye, msg, "'16UC1' is not read; there are: rgb8")


# one that is not

def test_a_lens_is_seen_through(eye):
    said = info(320, 240, WIDE * 1.05, d=[-0.02, 0.0, 0.001, 0.0, 0.0])
    wanted = Pinhole((64, 64), KNOWN.hfov_rad)
    narrow = CameraPreprocessor(ROVER, replace(KNOWN, hfov_rad=1.6))
    narrow.on_info(said)
    way, pixels = Rectifier(fields.lens_of(said), replace(wanted, hfov_rad=1.6)), picture(320, 240)
    assert not way.plain
    assert np.array_equal(narrow.view(image(pixels)), way(pixels))
    for kind, data in (('jpeg', codec.to_jpeg(pixels)), ('png', codec.to_png(pixels))):
        expected = way(codec.from_compressed(data))
        assert np.array_equal(narrow.view(compressed(data, kind)), expected)


def test_a_camera_that_sees_less_is_refused_until_one_comes_that_sees_enough(eye):
    eye.on_info(info(64, 64, math.radians(60)))
    refused(eye, image(), 'camera sees 60.', 'wanted are 110.0')
    eye.on_info(info())
    assert eye.view(image()).shape == (64, 64, 3)
    assert eye.notes() == ['camera_info changed 1 times']


@pytest.mark.parametrize('changes, parts', [
    ({'k': np.zeros(9)}, ('not calibrated',)),
    ({'k': np.full(9, np.nan)}, ('K [nan', 'finite')),
    ({'distortion_model': 'magic'}, ("'magic'", 'plumb_bob')),
    ({'width': 0}, ('0x64',)),
])
def test_a_camera_info_that_cannot_be_used_is_said_with_each_picture(eye, changes, parts):
    eye.on_info(info(**changes))
    for _ in range(2):
        refused(eye, image(), 'camera_info', *parts)


def test_a_camera_info_of_another_size_than_the_picture(eye):
    eye.on_info(info(128, 128))
    refused(eye, image(), 'image is 64x64, its camera_info is of 128x128')


def test_a_part_of_the_sensor_and_binned_pixels(eye):
    said = info(512, 512, ROVER.camera_hfov_rad, binning_x=4, binning_y=4)
    eye.on_info(said)
    assert eye.view(image(picture(128, 128))).shape == (64, 64, 3)
    said = info(512, 512, math.radians(140), roi=RegionOfInterest(
        x_offset=6, y_offset=6, width=500, height=500))
    eye.on_info(said)
    assert eye.view(image(picture(500, 500))).shape == (64, 64, 3)
    refused(eye, image(picture(512, 512)), 'image is 512x512, its camera_info is of 500x500')


def test_a_table_is_made_once_for_what_is_said_once(eye):
    made = []
    for stamp in range(3):
        msg = info(128, 128, WIDE)
        msg.header.stamp.sec = stamp
        eye.on_info(msg)
        made.append(eye.way[0])
    assert made[0] is made[1] is made[2] and eye.notes() == []
    eye.on_info(info(128, 128, WIDE + 0.01))
    assert eye.way[0] is not made[0] and eye.notes() == ['camera_info changed 1 times']


# one that says nothing of itself

def test_without_camera_info_it_is_believed_and_that_is_said(eye):
    pixels = picture()
    assert np.array_equal(eye.view(image(pixels)), pixels)
    note, = eye.notes()
    assert note == 'no camera_info came yet: that the camera sees 110 degrees is believed'
    refused(eye, image(picture(640, 480)), 'image is 640x480', 'sees 64x64', 'camera_info')


def sensing(*changed: Sensor):
    """Return the rover with other sensors in the place of those of the same name."""
    named = {sensor.name: sensor for sensor in changed}
    return replace(ROVER, sensors=tuple(named.get(s.name, s) for s in ROVER.sensors))


def test_where_the_robot_file_requires_a_camera_info_pictures_wait_for_it():
    eye = CameraPreprocessor(sensing(replace(ROVER.sensor('camera_info'), required=True)), KNOWN)
    refused(eye, image(), 'no camera/camera_info came yet, which rover requires')
    eye.on_info(info())
    assert eye.view(image()).shape == (64, 64, 3)


def test_a_rectified_topic_is_not_straightened_again():
    eye = CameraPreprocessor(sensing(replace(ROVER.camera, topic='camera/image_rect_color')),
                             KNOWN)
    pixels = picture(128, 128)
    assert np.array_equal(eye.view(image(pixels)), codec.resize(pixels, (64, 64)))
    note, = eye.notes()
    assert 'image_rect_color is rectified and sees 110 degrees is not compared' in note
    eye.on_info(info(128, 128, d=[-0.3, 0.0, 0.0, 0.0, 0.0]))
    assert np.array_equal(eye.view(image(pixels)), codec.resize(pixels, (64, 64)))
    assert eye.notes() == []
    bent = CameraPreprocessor(ROVER, KNOWN)
    bent.on_info(info(128, 128, d=[-0.3, 0.0, 0.0, 0.0, 0.0]))
    refused(bent, image(pixels), 'wanted are 110.0')


def test_a_module_that_never_knew_its_camera_takes_pictures_as_they_come():
    eye, pixels = CameraPreprocessor(ROVER, CameraContract((64, 64))), picture()
    eye.on_info(info(hfov=0.5, d=[-0.3, 0.0, 0.0, 0.0, 0.0]))
    assert np.array_equal(eye.view(image(pixels)), pixels)
    assert ['does not say' in note for note in eye.notes()] == [True, True]
    refused(eye, image(picture(640, 480)), 'image is 640x480')


# where it is

@pytest.mark.parametrize('frame', [FRAME, 'camera_link', f'robot1/{FRAME}', f'/a/b/{FRAME}'])
def test_a_frame_of_the_urdf_with_any_namespace(eye, frame):
    eye.on_info(info())
    assert eye.view(image(frame=frame)).shape == (64, 64, 3) and eye.notes() == []


def test_a_frame_that_the_urdf_mounts_elsewhere_names_both_numbers(eye):
    refused(eye, image(frame='laser'), 'laser of', 'x 0 m, not 0.15')
    assert eye.view(image()).shape == (64, 64, 3)
    refused(eye, image(frame='laser'), 'laser of')


@pytest.mark.parametrize('frame', ['', 'usb_cam', 'robot1/'])
def test_for_a_frame_that_the_urdf_does_not_know_the_robot_file_stands_in(eye, frame):
    eye.on_info(info())
    assert eye.view(image(frame=frame)).shape == (64, 64, 3)
    note, = eye.notes()
    assert repr(frame) in note and f'{FRAME} of the robot file is taken' in note
    eye.view(image())
    assert eye.notes() == []


# goals

def test_a_goal_goes_the_way_of_the_pictures():
    eye = CameraPreprocessor(ROVER, replace(of_robot(ROVER), hfov_rad=1.4))
    kept, taken = picture(), picture(320, 240)
    assert np.array_equal(eye.goal(kept), kept)
    with pytest.raises(ValueError, match='image is 320x240'):
        eye.goal(taken)
    eye.on_info(info(320, 240, WIDE))
    assert np.array_equal(eye.goal(taken), eye.view(image(taken)))
    assert np.array_equal(eye.goal(kept), kept)


# training sees the same

SAID = info(320, 240, WIDE, d=[0.02, -0.01, 0.001, 0.0, 0.0])


@pytest.mark.parametrize('kind', ['rgb8', 'bgra8', 'yuv422', 'bayer_grbg8', 'mono16', 'nv12',
                                  'jpeg', 'rgb8; png compressed bgr8'])
def test_training_sees_what_the_robot_sees(kind):
    bag_reader = pytest.importorskip('ami_ros.training.bag_reader')
    from rosbags.typesys import get_typestore, Stores
    store = get_typestore(Stores.ROS2_JAZZY)
    eye = CameraPreprocessor(ROVER, replace(KNOWN, hfov_rad=1.4))
    eye.on_info(SAID)
    pixels = picture(320, 240)
    if kind in codec.ENCODINGS:
        layout = codec.ENCODINGS[kind]
        msg = image()
        msg.width, msg.height, msg.encoding = 320, 240, kind
        msg.step, msg.is_bigendian = 320 * layout.channels * layout.depth, int(kind == 'mono16')
        msg.data = convert.packed(RNG.integers(0, 256, msg.step * 360, np.uint8), 'B')
        name = 'sensor_msgs/msg/Image'
    else:
        data = codec.to_jpeg(pixels) if kind == 'jpeg' else codec.to_png(pixels)
        msg, name = compressed(data, kind), 'sensor_msgs/msg/CompressedImage'
    said, recorded = (store.deserialize_cdr(serialize_message(m), n) for m, n in (
        (SAID, 'sensor_msgs/msg/CameraInfo'), (msg, name)))
    assert fields.content(said) == fields.content(SAID)
    way = Rectifier(fields.lens_of(said), Pinhole((64, 64), 1.4), 0.05)
    seen, size = bag_reader.picture_of(recorded, (64, 64), way)
    assert size == (320, 240) and np.array_equal(seen, eye.view(msg))


# anything at all

LENGTHS = [0, 1, 3, 63, 64, 65, 100, 192, 4096, 12288, 12289, 24576]
COUNTS = [0, 1, 2, 3, 4, 63, 64, 65, 192, 256, 2**16, 2**31, 2**32 - 1]
USUAL = [64, 64, 64, 128, 192, 256]
NUMBERS = [0.0, -1.0, 1.0, 22.4, 31.5, 32.0, 64.0, 1e-300, 1e300, math.nan, math.inf, -math.inf]


def answers(eye: CameraPreprocessor, msg) -> bool:
    """Look; return whether a picture came out of it, of the right size, and nothing but it."""
    try:
        seen = eye.view(msg)
    except ValueError as wrong:
        assert str(wrong) and '\n' not in str(wrong)
        return False
    assert seen.shape == (64, 64, 3) and seen.dtype == np.uint8
    return True


def test_any_image_is_a_picture_or_a_sentence(eye):
    rng, right = np.random.default_rng(1), 0
    encodings = [*codec.ENCODINGS, '', 'rgb9', '16UC1', 'h264', '\0']
    tracemalloc.start()
    for _ in range(800):
        counts = USUAL if rng.random() < 0.7 else COUNTS
        msg = image(frame=str(rng.choice([FRAME, FRAME, '', '/', 'laser', 'x' * 300])))
        msg.height, msg.width, msg.step = (int(rng.choice(counts)) for _ in range(3))
        if rng.random() < 0.3:
            msg.height = msg.width = 64
        msg.encoding, msg.is_bigendian = str(rng.choice(encodings)), int(rng.integers(256))
        msg.data = rng.bytes(int(rng.choice(LENGTHS) if rng.random() < 0.5 else 65536))
        right += answers(eye, msg)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert right > 30 and most < 20e6      # nothing is taken for what is only said


def test_any_compressed_image_is_a_picture_or_a_sentence(eye):
    rng, right = np.random.default_rng(2), 0
    wholes = [codec.to_jpeg(picture()), codec.to_png(picture()), codec.to_jpeg(picture(65, 64)),
              codec.to_jpeg(picture(48, 64)), b'', b'\xff\xd8\xff', codec.PNG]
    for _ in range(600):
        data = bytearray(wholes[rng.integers(len(wholes))])
        for at in rng.integers(0, max(1, min(len(data), 700)), rng.integers(4) if data else 0):
            data[at] = rng.integers(256)
        cut = len(data) if rng.random() < 0.7 else rng.integers(len(data) + 1)
        kind = str(rng.choice(['', 'jpeg', 'png', 'rgb8; jpeg compressed bgr8', ';;', 'bayer_']))
        right += answers(eye, compressed(bytes(data[:cut]) + rng.bytes(rng.integers(3)), kind))
    assert right > 80


def test_any_camera_info_is_a_lens_or_a_sentence(eye):
    rng, right, msg = np.random.default_rng(3), 0, image()
    for _ in range(400):
        said = info(hfov=float(rng.choice([0.5, 1.9, 2.2, 3.0])))
        for _ in range(rng.integers(4)):
            name = str(rng.choice(['k', 'd', 'r', 'p', 'width', 'height', 'binning_x', 'model',
                                   'roi']))
            if name in 'krp':
                values = getattr(said, name).copy()
                values[rng.integers(len(values))] = rng.choice(NUMBERS)
                setattr(said, name, values)
            elif name == 'd':
                said.d = [float(v) for v in rng.choice([*NUMBERS, 0.1, -0.1, 0.01, -0.3],
                                                       rng.choice([0, 4, 5, 8, 14, 5000]))]
            elif name == 'model':
                said.distortion_model = str(rng.choice(
                    ['', 'plumb_bob', 'rational_polynomial', 'equidistant', 'fisheye', 'x' * 999]))
            elif name == 'roi':
                said.roi = RegionOfInterest(**{part: int(rng.choice(COUNTS)) for part in (
                    'x_offset', 'y_offset', 'width', 'height')})
            else:
                setattr(said, name, int(rng.choice(COUNTS)))
        eye.on_info(said)
        right += answers(eye, msg)
    assert 20 < right < 380


def test_another_module_looks_through_the_same_camera(eye):
    """The same contract: the same eye; another: what the camera said is known at once."""
    said = info(128, 96, WIDE)
    eye.on_info(said)
    assert eye.through(KNOWN) is eye
    small = eye.through(replace(KNOWN, size=(32, 32)))
    fresh = CameraPreprocessor(ROVER, replace(KNOWN, size=(32, 32)))
    fresh.on_info(said)
    shot = image(picture(128, 96))
    assert small is not eye and small.view(shot).shape == (32, 32, 3)
    assert np.array_equal(small.view(shot), fresh.view(shot))
    assert eye.view(shot).shape == (64, 64, 3)
    assert CameraPreprocessor(ROVER, KNOWN).through(replace(KNOWN, size=(32, 32))).view(
        image(picture(32, 32))).shape == (32, 32, 3)


@pytest.mark.parametrize('kind, refuses', [('CompressedImage', True), ('Image', False)])
def test_a_black_picture_that_the_critic_cannot_judge_is_refused(kind, refuses):
    robot = sensing(replace(ROVER.camera, kind=kind))
    eye = CameraPreprocessor(robot, KNOWN, 8.0)
    noise = np.random.default_rng(4).integers(0, 4, (64, 64, 3), np.uint8)      # of the sensor
    for black in (np.zeros((64, 64, 3), np.uint8), noise, np.full((64, 64, 3), 255, np.uint8)):
        if refuses:
            refused(eye, image(black), 'image is black or uniform: its brightness spreads by')
            refused(eye.through(replace(KNOWN, hfov_rad=None)), image(black), 'black or uniform')
        else:
            assert eye.view(image(black)).shape == (64, 64, 3)      # the critic judges it
    assert eye.view(image(picture(64, 64))).shape == (64, 64, 3)
