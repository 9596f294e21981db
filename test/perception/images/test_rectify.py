# SPDX-License-Identifier: Apache-2.0
"""Any lens's picture becomes what the pinhole sees of the same scene; an ideal one stays as is."""

import math

from ami_ros.perception.images import codec
from ami_ros.perception.images.lens import Lens, lens
from ami_ros.perception.images.rectify import (
    fitted,
    goal_view,
    LEEWAY_PX,
    Pinhole,
    Rectifier,
    widest,
)
import cv2
import numpy as np
import pytest

SQUARE = (64, 64)
STRAIGHT = np.eye(3).ravel()
RNG = np.random.default_rng(0)


def pinhole(size, hfov_rad, middle=None, model='plumb_bob', d=(0.0,) * 5, r=STRAIGHT) -> Lens:
    """Make the lens of a camera with square pixels and a field of view before distortion."""
    f = size[0] / 2 / math.tan(hfov_rad / 2)
    x, y = middle or ((size[0] - 1) / 2, (size[1] - 1) / 2)
    return lens(size, model, [f, 0, x, 0, f, y, 0, 0, 1], d, r, np.zeros(12))


def fish(size, hfov_rad, d=(0.0,) * 4) -> Lens:
    f = size[0] / hfov_rad
    return lens(size, 'equidistant', [f, 0, size[0] / 2, 0, f, size[1] / 2, 0, 0, 1], d, STRAIGHT,
                np.zeros(12))


def scene(rays: np.ndarray) -> np.ndarray:
    """Colours (..., 3) of directions (..., 3): smooth waves all around, each colour its own."""
    x, y, z = np.moveaxis(rays / np.linalg.norm(rays, axis=-1, keepdims=True), -1, 0)
    return 127 + 120 * np.stack([np.sin(6 * x + 1), np.cos(5 * y + 2 * x), np.sin(4 * z - 3 * y)],
                                -1)


def photo(eye: Lens) -> np.ndarray:
    """Take the picture of the scene; a pixel's ray is what inverts the model, step by step."""
    width, height = eye.size
    k = np.array([[eye.focal[0], 0, eye.middle[0]], [0, eye.focal[1], eye.middle[1]], [0, 0, 1]])
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(1, -1, 2)
    if eye.fisheye:
        at = (pixels.astype(float) - eye.middle) / eye.focal
        out = np.linalg.norm(at, axis=-1)
        angle = out.copy()
        for _ in range(50):     # fixed point; the series of these tests is nearly 1
            k1, k2, k3, k4 = eye.d
            angle = out / (1 + k1 * angle**2 + k2 * angle**4 + k3 * angle**6 + k4 * angle**8)
        side = np.sin(angle) / np.maximum(out, 1e-12)
        rays = np.concatenate([at * side[..., None], np.cos(angle)[..., None]], -1)
    else:
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-10)
        flat = cv2.undistortPoints(pixels.astype(float), k, eye.d, None, None, None, criteria)
        rays = np.concatenate([flat.reshape(1, -1, 2), np.ones((1, width * height, 1))], -1)
    seen = scene(rays @ eye.turn)       # to the rectified axes: the inverse of a turn
    return np.round(seen).astype(np.uint8).reshape(height, width, 3)


def ideal(hole: Pinhole, fine: int = 8) -> np.ndarray:
    """What the pinhole sees of the scene, each pixel the mean over its area."""
    width, height = hole.size
    f = width / 2 / math.tan(hole.hfov_rad / 2)
    x, y = (((np.arange(n * fine) + 0.5) / fine - n / 2) / f for n in (width, height))
    x, y = np.meshgrid(x, y)
    seen = scene(np.stack([x, y, np.ones_like(x)], -1))
    return seen.reshape(height, fine, width, fine, 3).mean((1, 3))


TURNED = cv2.Rodrigues(np.array([0.03, -0.06, 0.02]))[0]
EYES = {    # a lens, and what is wanted of it
    'wider': (pinhole((320, 320), math.radians(130)), Pinhole(SQUARE, math.radians(110))),
    'of another shape': (pinhole((640, 480), math.radians(120)),
                         Pinhole(SQUARE, math.radians(90))),
    'its middle elsewhere': (pinhole((200, 200), math.radians(100), (90, 112)),
                             Pinhole(SQUARE, math.radians(80))),
    'plumb_bob': (pinhole((640, 480), math.radians(100), d=(-0.15, 0.02, 0.002, -0.001, 0)),
                  Pinhole((64, 48), math.radians(90))),
    'rational_polynomial': (pinhole((320, 240), math.radians(100), model='rational_polynomial',
                                    d=(0.4, 0.05, 0.001, 0.0, 0.01, 0.6, 0.1, 0.0)),
                            Pinhole((64, 48), math.radians(85))),
    'equidistant': (fish((640, 480), math.radians(160), (0.02, -0.005, 0.001, 0)),
                    Pinhole(SQUARE, math.radians(110))),
    'a large fisheye': (fish((1280, 960), math.radians(180)), Pinhole(SQUARE, math.radians(110))),
    'turned': (pinhole((640, 480), math.radians(100), r=TURNED.ravel()),
               Pinhole((64, 48), math.radians(85))),
    'large': (pinhole((1920, 1080), math.radians(100)), Pinhole(SQUARE, math.radians(60))),
    'up to its edges': (pinhole((1999, 1087), math.radians(100)),
                        Pinhole(SQUARE, 2 * math.atan(1086 / 1998 * math.tan(math.radians(50))))),
    'small': (pinhole((80, 60), math.radians(100)), Pinhole(SQUARE, math.radians(70))),
}
# of 255: the source is rounded, read between its pixels, and rounded again; measured 1.2
SCENE_ERROR = 2.0


@pytest.mark.parametrize('name', EYES)
def test_it_sees_what_the_pinhole_would(name):
    eye, wanted = EYES[name]
    rectifier = Rectifier(eye, wanted)
    assert not rectifier.plain and rectifier.pinhole == wanted
    picture = photo(eye)
    out = rectifier(picture)
    assert out.shape == (wanted.size[1], wanted.size[0], 3) and out.dtype == np.uint8
    assert np.abs(out - ideal(wanted)).max() < SCENE_ERROR
    assert np.array_equal(out, Rectifier(eye, wanted)(picture))
    plain = codec.resize(picture, wanted.size)
    assert np.abs(plain - ideal(wanted)).max() > 3 * SCENE_ERROR      # there was something to do


# a camera that is the pinhole already

@pytest.mark.parametrize('size', [(64, 64), (128, 128), (96, 96), (640, 640)])
@pytest.mark.parametrize('reading', [0.0, 0.5])     # cx is W / 2 or (W - 1) / 2
def test_an_ideal_camera_is_only_resized(size, reading):
    wanted = Pinhole(SQUARE, math.radians(110))
    eye = pinhole(size, wanted.hfov_rad, (size[0] / 2 - reading, size[1] / 2 - reading))
    rectifier, picture = Rectifier(eye, wanted), RNG.integers(0, 256, (*size, 3), np.uint8)
    assert rectifier.plain
    expected = (picture if size == SQUARE
                else cv2.resize(picture, SQUARE, interpolation=cv2.INTER_AREA))
    assert np.array_equal(rectifier(picture), expected)
    if size == SQUARE:
        assert rectifier(picture) is picture


def test_a_camera_nearly_ideal_is_only_resized_and_one_that_is_not_is_not():
    wanted = Pinhole(SQUARE, math.radians(110))
    assert Rectifier(pinhole(SQUARE, math.radians(111)), wanted).plain
    assert not Rectifier(pinhole(SQUARE, math.radians(113)), wanted).plain
    assert not Rectifier(pinhole((640, 640), math.radians(111)), wanted).plain
    bent = pinhole((640, 640), math.radians(130), d=(-0.01, 0, 0, 0, 0))
    assert not Rectifier(bent, Pinhole(SQUARE, widest(bent, SQUARE))).plain


# one that sees less

@pytest.mark.parametrize('middle', [(31.5, 31.5), (23.0, 31.5), (40.0, 31.5), (31.5, 23.0),
                                    (31.5, 40.0)])
def test_as_wide_as_the_nearest_edge_lets_it(middle):
    eye = pinhole(SQUARE, 1.0, middle)
    nearest = min(min(m + 0.5, 63.5 - m) for m in middle)
    assert widest(eye, SQUARE) == pytest.approx(
        2 * math.atan((nearest + LEEWAY_PX) / eye.focal[0]), abs=1e-4)


@pytest.mark.parametrize('eye, wanted_deg, sees', [
    (pinhole((640, 640), math.radians(80)), 110, '80'),
    (pinhole((640, 480), math.radians(80)), 80, '64'),      # across a square of the full height
    (pinhole((640, 640), math.radians(100), (400, 320)), 100, '83'),
    (fish((640, 640), math.radians(90)), 110, '90'),
])
def test_a_narrower_camera_is_refused_with_both_numbers(eye, wanted_deg, sees):
    with pytest.raises(ValueError) as refused:
        Rectifier(eye, Pinhole(SQUARE, math.radians(wanted_deg)), 0.05)
    sentence = str(refused.value)
    assert f'camera sees {sees}.' in sentence and f'wanted are {wanted_deg}.0' in sentence
    assert '64x64' in sentence and 'camera_hfov_rad' in sentence
    least = float(sentence.split('camera_hfov_rad of the robot file at ')[1].split()[0])
    assert Rectifier(eye, Pinhole(SQUARE, least)).pinhole.hfov_rad == least     # what it advises


def test_a_little_narrower_is_stretched_without_an_edge():
    eye = pinhole((640, 640), 1.0)
    rectifier = Rectifier(eye, Pinhole(SQUARE, 1.04), 0.05)
    assert rectifier.pinhole.hfov_rad == pytest.approx(1.0, abs=0.005) and rectifier.plain
    with pytest.raises(ValueError, match='camera sees 57'):
        Rectifier(eye, Pinhole(SQUARE, 1.04), 0.03)
    with pytest.raises(ValueError, match='camera sees 57'):
        Rectifier(eye, Pinhole(SQUARE, 1.04))


def test_what_the_polynomial_would_show_twice_is_not_seen():
    bent = pinhole((640, 480), math.radians(100), d=(-0.4, 0, 0, 0, 0))
    assert widest(bent, SQUARE) < 2 * bent.reach
    with pytest.raises(ValueError, match='camera sees .* wanted are 110'):
        Rectifier(bent, Pinhole(SQUARE, math.radians(110)), 0.05)


def test_a_camera_that_looks_elsewhere_sees_nothing():
    away = np.array([[-1.0, 0, 0], [0, 1, 0], [0, 0, -1]])
    eye = pinhole((64, 64), 1.0, r=away.ravel())
    assert widest(eye, SQUARE) == 0.0
    with pytest.raises(ValueError, match='camera sees 0.0 degrees'):
        Rectifier(eye, Pinhole(SQUARE, 1.0), 0.05)


# shrinking

@pytest.mark.parametrize('size, period', [((640, 480), 2), ((640, 480), 3), ((1920, 1080), 2),
                                          ((1920, 1080), 5)])
def test_what_is_too_thin_to_be_seen_is_grey(size, period):
    eye = pinhole(size, math.radians(100), d=(-0.1, 0.01, 0, 0, 0))
    stripes = np.zeros((size[1], size[0], 3), np.uint8)
    stripes[:, ::period] = 240
    rectifier = Rectifier(eye, Pinhole(SQUARE, math.radians(70)))
    assert rectifier(stripes).std() < 12        # what a mean over 5.5 pixels leaves; 9 measured
    coarse = eye.pixels(rectifier.pinhole.grid()).astype(np.float32)
    direct = cv2.remap(stripes, coarse[..., 0], coarse[..., 1], cv2.INTER_LINEAR)
    assert direct.std() > 40        # sampled without averaging, they beat


@pytest.mark.parametrize('name', EYES)
def test_no_pixel_of_what_is_read_is_stepped_over(name):
    table = Rectifier(*EYES[name]).table[0].astype(int)
    assert max(np.abs(np.diff(table, axis=axis)).max() for axis in (0, 1)) == 1


# sizes

def test_a_picture_of_another_size_than_its_camera_info_names_both():
    for hfov in (1.0, 1.2):
        rectifier = Rectifier(pinhole((128, 128), hfov), Pinhole(SQUARE, 1.0))
        assert rectifier.plain == (hfov == 1.0)
        with pytest.raises(ValueError, match='image is 64x96, its camera_info is of 128x128'):
            rectifier(np.zeros((96, 64, 3), np.uint8))


@pytest.mark.parametrize('size', [(64, 64), (128, 128), (640, 640), (100, 99)])
def test_of_a_camera_that_says_nothing_the_shape_must_fit(size):
    picture = RNG.integers(0, 256, (size[1], size[0], 3), np.uint8)
    assert np.array_equal(fitted(picture, SQUARE), codec.resize(picture, SQUARE))


@pytest.mark.parametrize('size', [(640, 480), (64, 62), (62, 64)])
def test_another_shape_names_both(size):
    with pytest.raises(ValueError, match=f'image is {size[0]}x{size[1]}; .* sees 64x64'):
        fitted(np.zeros((size[1], size[0], 3), np.uint8), SQUARE)


def test_a_goal_of_the_cameras_size_goes_the_cameras_way():
    eye = pinhole((640, 480), math.radians(120))
    rectifier, picture = Rectifier(eye, Pinhole(SQUARE, math.radians(90))), photo(eye)
    assert np.array_equal(goal_view(picture, SQUARE, rectifier), rectifier(picture))
    kept = RNG.integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(goal_view(kept, SQUARE, rectifier), kept)
    large = RNG.integers(0, 256, (256, 256, 3), np.uint8)
    assert np.array_equal(goal_view(large, SQUARE, rectifier), codec.resize(large, SQUARE))
    for way in (None, rectifier):
        with pytest.raises(ValueError, match='image is 320x240'):
            goal_view(np.zeros((240, 320, 3), np.uint8), SQUARE, way)
    with pytest.raises(ValueError, match='image is 640x480'):
        goal_view(picture, SQUARE)
