# SPDX-License-Identifier: Apache-2.0
"""A lens lets light fall where OpenCV's models say; a camera_info that is wrong is refused."""

import math

from ami_ros.perception.images.lens import lens, MOST_SIDE
import cv2
import numpy as np
import pytest

SIZE = (640, 480)
K = [400.0, 0, 310, 0, 390, 250, 0, 0, 1]
STRAIGHT = np.eye(3).ravel()
P = [300.0, 0, 320, -12, 0, 300, 240, 0, 0, 0, 1, 0]
MODELS = {
    'plumb_bob': [-0.2, 0.05, 0.002, -0.003, -0.01],
    'rational_polynomial': [0.4, -0.1, 0.001, -0.002, 0.02, 0.7, -0.05, 0.03],
    'equidistant': [0.05, -0.01, 0.004, -0.001],
    'fisheye': [0.05, -0.01, 0.004, -0.001],
}
TURNED = cv2.Rodrigues(np.array([0.02, -0.05, 0.03]))[0]


def made(size=SIZE, model='plumb_bob', k=K, d=(0.0,) * 5, r=STRAIGHT, p=P, **more):
    return lens(size, model, k, d, r, p, **more)


def rays(widest_rad: float, count: int = 200) -> np.ndarray:
    rng = np.random.default_rng(1)
    off, around = rng.uniform(0, widest_rad, count), rng.uniform(0, 2 * math.pi, count)
    return np.stack([np.sin(off) * np.cos(around), np.sin(off) * np.sin(around), np.cos(off)], -1)


PRISM = [0.01, -0.004, -0.006, 0.002]       # s1 to s4, as OpenCV calibrates them
TILT = [0.03, -0.02]                        # tau_x, tau_y, rad


@pytest.mark.parametrize('more', [PRISM, PRISM + TILT, [0.0] * 4 + TILT])
def test_prism_and_tilt_are_those_of_opencv(more):
    some, d = rays(math.radians(35)), np.array([*MODELS['rational_polynomial'], *more])
    expected = cv2.projectPoints(some, np.zeros(3), np.zeros(3), np.array(K).reshape(3, 3), d)[0]
    out = made(model='rational_polynomial', d=d).pixels(some)
    assert out == pytest.approx(expected.reshape(-1, 2), abs=1e-6)
    assert np.abs(out - made(model='rational_polynomial', d=d[:8]).pixels(some)).max() > 1.0


@pytest.mark.parametrize('turn', [np.eye(3), TURNED])
@pytest.mark.parametrize('model', MODELS)
def test_light_falls_where_opencv_says(model, turn):
    some, d = rays(math.radians(35)), np.array(MODELS[model])
    spin = cv2.Rodrigues(turn.T)[0]         # R turns the camera's axes to the rectified ones
    project = cv2.fisheye.projectPoints if len(d) == 4 else cv2.projectPoints
    if len(d) == 4:
        expected = project(some[None], spin, np.zeros(3), np.array(K).reshape(3, 3), d)[0]
    else:
        expected = project(some, spin, np.zeros(3), np.array(K).reshape(3, 3), d)[0]
    out = made(model=model, d=d, r=turn.ravel()).pixels(some)
    assert out == pytest.approx(expected.reshape(-1, 2), abs=1e-6)


@pytest.mark.parametrize('model, d', [('', []), ('none', []), ('pinhole', [0.0]), ('', [0.0] * 5),
                                      ('plumb_bob', []), ('plumb_bob', [0.0] * 8),
                                      ('rational_polynomial', [0.0] * 14)])
def test_without_distortion_it_is_a_pinhole(model, d):
    x, y, z = rays(1.0).T
    expected = np.stack([400 * x / z + 310, 390 * y / z + 250], -1)
    assert made(model=model, d=d).pixels(rays(1.0)) == pytest.approx(expected)


def test_behind_a_pinhole_there_is_nothing_and_beside_a_fisheye_there_is():
    beside = np.array([[1.0, 0, 0], [1, 0, -0.2], [0, 0, -1]])
    assert np.isnan(made().pixels(beside)).all()
    seen = made(model='equidistant', d=[0.0] * 4).pixels(beside)
    assert seen[:2, 0] == pytest.approx([310 + 400 * math.pi / 2,
                                         310 + 400 * (math.pi / 2 + math.atan(0.2))])


def test_where_the_polynomial_turns_back_nothing_is_seen():
    folded = made(d=[-0.4, 0, 0, 0, 0])
    last = math.atan(1 / math.sqrt(1.2))            # 1 - 3 * 0.4 r^2 = 0
    assert folded.reach == pytest.approx(last, abs=math.radians(0.1))
    off = np.array([last - 0.01, last + 0.01, 1.3])
    out = folded.pixels(np.stack([np.tan(off), 0 * off, 0 * off + 1], -1))
    assert np.isfinite(out[0]).all() and np.isnan(out[1:]).all()


def test_a_region_and_binning_are_counted_in():
    whole = made(d=MODELS['plumb_bob'])
    part = made(d=MODELS['plumb_bob'], region=(100, 60, 400, 300), binning=(2, 3))
    assert part.size == (200, 100)
    at, there = whole.pixels(rays(0.5)), part.pixels(rays(0.5))
    # the middle of the first pixel of the part is the middle of 2 x 3 pixels of the whole
    assert there * [2, 3] + [100 + 0.5, 60 + 1] == pytest.approx(at)


@pytest.mark.parametrize('region', [(0, 0, 0, 0), (0, 0, 100, 0), (0, 0, 0, 100)])
def test_a_region_of_nothing_is_all_of_it(region):
    assert made(region=region, binning=(1, 1)).size == SIZE


def test_of_pictures_that_are_rectified_p_counts():
    x, y, z = rays(0.9).T
    out = made(d=MODELS['plumb_bob'], r=TURNED.ravel(), rectified=True).pixels(rays(0.9))
    assert out == pytest.approx(np.stack([300 * x / z + 320, 300 * y / z + 240], -1))
    without = made(d=MODELS['plumb_bob'], p=np.zeros(12), rectified=True).pixels(rays(0.9))
    assert without == pytest.approx(made().pixels(rays(0.9)))


def test_an_r_of_zeros_is_not_set():
    assert made(r=np.zeros(9)).pixels(rays(1.0)) == pytest.approx(made().pixels(rays(1.0)))


def changed(at: int, value: float) -> list[float]:
    return [*K[:at], value, *K[at + 1:]]


@pytest.mark.parametrize('wrong, parts', [
    ({'k': np.zeros(9)}, ('focal lengths 0.0 and 0.0', 'not calibrated', 'camera_calibration')),
    ({'k': changed(4, 0.0)}, ('focal lengths 400.0 and 0.0', 'not calibrated')),
    ({'k': changed(0, -400.0)}, ('focal lengths -400.0 and 390',)),
    ({'k': changed(0, math.nan)}, ('K [nan', 'needs 9 finite numbers')),
    ({'k': changed(4, math.inf)}, ('K [400', 'needs 9 finite numbers')),
    ({'k': changed(4, 1e-3)}, ('focal lengths 400.0 and 0.001', 'another size')),
    ({'k': changed(0, 1e6)}, ('focal lengths 1000000.0 and 390', 'another size')),
    ({'k': changed(2, 900.0)}, ('middle at 900.0, 250.0', '640x480', 'another size')),
    ({'k': changed(5, -3.0)}, ('middle at 310.0, -3.0', '640x480')),
    ({'k': changed(1, 0.5)}, ('skew 0.5',)),
    ({'k': [1.0]}, ('K [1.0]', 'needs 9')),
    ({'d': [math.nan]}, ('D [nan]', 'finite')),
    ({'d': [0.0] * 15}, ('15 distortion coefficients', 'more than 14')),
    ({'d': [0.1] * 6}, ('6 coefficients of plumb_bob, which has 5',
                        'rational_polynomial has up to 14', 'publish rectified images')),
    ({'model': 'equidistant', 'd': [0.1] * 8}, ('8 coefficients of equidistant, which has 4',)),
    ({'model': 'double_sphere', 'd': [0.1]}, ("'double_sphere'", 'plumb_bob, rational_poly')),
    ({'model': '', 'd': [0.1]}, ("distortion_model ''", 'D [0.1]', 'none where D is zero')),
    ({'r': TURNED.ravel() * 2}, ('R [', 'no rotation')),
    ({'r': np.diag([1, 1, 0.9]).ravel()}, ('no rotation',)),
    ({'r': -STRAIGHT}, ('no rotation',)),
    ({'p': [math.nan] * 12}, ('P [nan', 'needs 12 finite')),
    ({'size': (0, 480)}, ('0x480', f'1 to {MOST_SIDE}')),
    ({'size': (2**32 - 1, 2**32 - 1)}, ('4294967295x4294967295',)),
    ({'region': (600, 0, 41, 480)}, ('region of 41x480 at 600, 0', '640x480')),
    ({'region': (0, 1, 640, 480)}, ('region of 640x480 at 0, 1',)),
    ({'binning': (641, 1)}, ('bins 641x1 pixels, of 640x480',)),
])
def test_a_camera_info_that_is_wrong_says_what_is(wrong, parts):
    with pytest.raises(ValueError) as refused:
        made(**wrong)
    sentence = str(refused.value)
    assert sentence.startswith('camera_info') and '\n' not in sentence
    assert all(part in sentence for part in parts), sentence
