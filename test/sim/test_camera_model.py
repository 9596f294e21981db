# SPDX-License-Identifier: Apache-2.0
"""The camera model: off it changes nothing, seeded it repeats, each effect does what it says."""

from dataclasses import fields
import math

from ami_ros.perception.images.lens import lens
from ami_ros.perception.images.rectify import Pinhole, Rectifier
from ami_ros.sim.camera_model import presets
from ami_ros.sim.camera_model.model import Camera
from ami_ros.sim.camera_model.settings import CameraSettings
import cv2
import numpy as np
import pytest

HFOV = math.radians(110)
SIZE = (64, 64)
GREY = np.full((64, 64, 3), 120, np.uint8)


def scenery(seed: int = 0, size: int = 64) -> np.ndarray:
    """A smooth picture in many colours."""
    grid = np.random.default_rng(seed).uniform(20, 235, (8, 8, 3)).astype(np.float32)
    return np.clip(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), 0,
                   255).astype(np.uint8)


def taken(picture, time_ns=0, twist=(0.0, 0.0), seed=0, **values):
    camera = Camera(CameraSettings(**values), SIZE, HFOV)
    camera.reset(seed)
    return camera.take(picture, time_ns, twist).astype(float)


def test_by_default_nothing_changes():
    camera = Camera(CameraSettings(), SIZE, HFOV)
    picture = scenery()
    assert not camera.on and camera.take(picture) is picture
    assert camera.hfov_rad == pytest.approx(HFOV)
    assert not CameraSettings(dirt_seed=3, readout_s=0.0, target=0.3).on


@pytest.mark.parametrize('name', [*presets.PRESETS, 'random(3)'])
def test_the_same_seed_takes_the_same_picture(name):
    def film():
        camera = Camera(presets.find(name).camera, SIZE, HFOV)
        camera.reset(5)
        return [camera.take(scenery(k), 100_000_000 * k, (0.3, 0.8)).tobytes() for k in range(4)]
    assert film() == film()
    if presets.find(name).camera.noise:
        other = Camera(presets.find(name).camera, SIZE, HFOV)
        other.reset(6)
        assert other.take(scenery(0), 0, (0.3, 0.8)).tobytes() != film()[0]


@pytest.mark.parametrize('name, factor', [('brightness_0.6', 0.6), ('brightness_0.75', 0.75),
                                          ('brightness_1.3', 1.3)])
def test_brightness_is_a_factor_on_the_displayed_value_as_in_the_protocol(name, factor):
    camera = Camera(presets.find(name).camera, SIZE, HFOV)
    right = np.clip(scenery().astype(float) * factor, 0, 255)
    assert np.abs(camera.take(scenery()) - right).max() <= 1.5


def test_exposure_of_one_ev_doubles_the_light():
    ratio = taken(GREY, exposure_ev=1.0).mean() / 120
    assert ratio == pytest.approx(2 ** (1 / 2.2), rel=0.02)


def test_auto_exposure_brings_the_mean_to_its_target_with_a_lag():
    camera = Camera(CameraSettings(auto_exposure=True, exposure_lag_s=0.5), SIZE, HFOV)
    dark = (0.3 * scenery()).astype(np.uint8)
    assert camera.take(scenery(), 0).mean() / 255 == pytest.approx(0.42, abs=0.02)
    means = [camera.take(dark, round(1e8 * k)).mean() / 255 for k in range(1, 31)]
    assert means[0] < 0.22 and means == sorted(means)
    assert means[-1] == pytest.approx(0.42, abs=0.02)
    half = next(k for k, m in enumerate(means, 1) if m > 0.3)
    assert 0.3 <= 0.1 * half <= 0.9


def test_auto_exposure_does_not_go_beyond_its_gain():
    black = np.full((64, 64, 3), 2, np.uint8)
    assert taken(black, auto_exposure=True, most_gain_ev=1.0).mean() < 4


def test_white_balance_warm_and_cool():
    warm, cool = (Camera(presets.find(n).camera, SIZE, HFOV).take(GREY).mean((0, 1))
                  for n in ('warm', 'cool'))
    assert warm[0] > warm[1] > warm[2] and cool[0] < cool[1] < cool[2]
    grey = taken(GREY, red_gain=1.25, blue_gain=0.75, auto_white=1.0).mean((0, 1))
    assert np.ptp(grey) < 3


def test_vignetting_darkens_the_corners_by_its_share_of_light():
    out = taken(GREY, vignetting=0.6)[..., 0]
    assert out[32, 32] == pytest.approx(120, abs=2)
    assert (out[0, 0] / 120) ** 2.2 == pytest.approx(0.4, abs=0.04)


def test_motion_blur_smears_along_the_motion_only():
    lines = np.zeros((64, 64, 3), np.uint8)
    lines[:, 32] = 255
    across = taken(lines, twist=(0.0, 1.5), motion_blur_s=0.1)[32, :, 0]
    still = taken(lines, twist=(0.0, 0.0), motion_blur_s=0.1)
    assert (still == lines).all()
    shift = 22.4 * 1.5 * 0.1
    assert (across > 30).sum() == pytest.approx(shift, abs=2)
    level = taken(lines.transpose(1, 0, 2), twist=(0.0, 1.5), motion_blur_s=0.1)[:, 32, 0]
    assert (level > 30).sum() == 1
    ahead = taken(scenery(), twist=(0.6, 0.0), motion_blur_s=0.1) - scenery()
    assert np.abs(ahead[28:36, 28:36]).mean() < np.abs(ahead[:8, :8]).mean()


def test_a_rolling_shutter_turns_flicker_into_bands_that_move():
    one = taken(GREY, flicker=0.3, flicker_hz=100.0, readout_s=0.02)[:, 0, 0]
    crossings = np.count_nonzero(np.diff(np.sign(one - one.mean())))
    assert 3 <= crossings <= 5          # two periods
    two = taken(GREY, time_ns=2_500_000, flicker=0.3)[:, 0, 0]
    assert np.abs(one - two).max() > 10
    assert np.ptp(taken(GREY, flicker=0.3, readout_s=0.0)[:, 0, 0]) == 0


def test_noise_has_its_standard_deviation_and_grows_with_the_gain():
    assert taken(GREY, noise=5.0).std() == pytest.approx(5.0, rel=0.1)
    dark = np.full((64, 64, 3), 40, np.uint8)
    assert taken(dark, noise=5.0, auto_exposure=True).std() > 8
    rows = taken(GREY, row_noise=4.0)
    assert rows.std(1).max() == 0 and 2.5 < rows[:, 0, 0].std() < 6


def test_gamma_dirt_and_jpeg():
    assert taken(GREY, gamma=2.0).mean() == pytest.approx(255 * (120 / 255) ** 2, abs=1.5)
    dirty = np.abs(taken(GREY, dirt=0.3) - GREY).max(-1)
    assert 0.05 < (dirty > 5).mean() < 0.6
    assert (taken(GREY, dirt=0.3, dirt_seed=1) != taken(GREY, dirt=0.3)).any()
    off = np.abs(taken(scenery(), jpeg_quality=30) - scenery()).mean()
    assert 0.5 < off < 12
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    assert taken(red, jpeg_quality=90)[..., 0].mean() > 190     # not blue


@pytest.mark.parametrize('displacement', [-0.12, -0.05, 0.08])
def test_the_rectification_of_the_package_removes_the_distortion(displacement):
    size, hfov = (320, 320), math.radians(90)
    picture = scenery(2, 320)
    camera = Camera(CameraSettings(distortion=displacement), size, hfov)
    distorted = camera.take(picture)
    k, d = camera.calibration
    made = lens(size, 'plumb_bob', k, d, np.eye(3).ravel(), np.zeros(12))
    wanted = Pinhole((96, 96), math.radians(60))
    straight = Rectifier(made, wanted)(distorted).astype(float)
    plain = lens(size, 'plumb_bob', *Camera(CameraSettings(), size, hfov).calibration,
                 np.eye(3).ravel(), np.zeros(12))
    right = Rectifier(plain, wanted)(picture).astype(float)
    ignored = Rectifier(lens(size, 'plumb_bob', k, (0.0,) * 5, np.eye(3).ravel(), np.zeros(12)),
                        wanted)(distorted).astype(float)
    assert np.abs(straight - right).mean() < 1.5
    assert np.abs(ignored - right).mean() > 2 * np.abs(straight - right).mean()


@pytest.mark.parametrize('values, sentence', [
    ({'vignetting': 1.5}, 'vignetting = 1.5 is outside 0.0 to 0.9'),
    ({'distortion': float('nan')}, 'distortion = nan is outside -0.15 to 0.1'),
    ({'jpeg_quality': 101}, 'jpeg_quality = 101 is outside 0 to 100'),
    ({'noise': 'much'}, "noise = 'much' is not of type float"),
    ({'auto_exposure': 1}, 'auto_exposure = 1 is not of type bool'),
])
def test_out_of_range_is_one_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        CameraSettings(**values)


def test_every_setting_has_a_unit_and_a_reason():
    for field in fields(CameraSettings):
        assert field.metadata['unit'] and field.metadata['reason'], field.name


def test_presets_are_named_and_random_ones_vary():
    wanted = {'clean', 'brightness_0.6', 'brightness_0.75', 'brightness_1.3', 'warm', 'cool',
              'dirt', 'vignetting', 'motion_blur', 'jpeg_30', 'webcam', 'evening',
              'side_light'}
    assert set(presets.PRESETS) == wanted
    assert presets.find('evening').change == 'evening'
    with pytest.raises(ValueError, match="no camera 'fog'; there are: clean, .*random"):
        presets.find('fog')
    drawn = [presets.random(seed) for seed in range(60)]
    assert len(set(drawn)) == 60 and presets.random(4) == drawn[4]
    for name in ('distortion', 'motion_blur_s', 'vignetting', 'dirt', 'flicker', 'noise',
                 'exposure_ev', 'jpeg_quality'):
        share = sum(getattr(one, name) != 0 for one in drawn) / 60
        assert 0.05 < share < 0.95, name
