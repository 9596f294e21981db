# SPDX-License-Identifier: Apache-2.0
"""Augmentation changes whole windows as one camera does, seeded, and leaves some alone."""

from dataclasses import replace

from ami_ros.sim.camera_model.model import Camera
from ami_ros.sim.camera_model.settings import CameraSettings
from ami_ros.training.augmentation import Augmentation, Augmenter
import numpy as np
import pytest
import torch

SIZE = 64, 64
OFF = Augmentation(clean=0.0, brightness=(1.0, 1.0), colour=(1.0, 1.0), drift=0.0, uneven=0.0,
                   vignetting=0.0, gamma=(1.0, 1.0), dirt=0.0, noise=0.0, blur=0.0, jpeg=0.0,
                   occluder=0.0, sometimes=0.0)
GREY = torch.full((4, 3, 3, *SIZE), 120, dtype=torch.uint8)


def changed(settings, pictures=GREY, seed=1):
    return Augmenter(settings, SIZE)(pictures, np.random.default_rng(seed))


def test_nothing_is_changed_where_all_is_off_or_every_window_stays_clean():
    noisy = torch.from_numpy(np.random.default_rng(0).integers(
        0, 256, (4, 3, 3, *SIZE), np.uint8))
    for settings in (OFF, Augmentation(clean=1.0)):
        assert (changed(settings, noisy) - noisy).abs().max() <= 1      # factors of 1, rounded


def test_a_seed_decides_everything_and_the_input_stays():
    one, other = (changed(Augmentation(), seed=s) for s in (5, 5))
    assert (one == other).all() and (changed(Augmentation(), seed=6) != one).any()
    assert (GREY == 120).all()
    assert one.min() >= 0 and one.max() <= 255 and (one == one.floor()).all()


def test_the_frames_of_a_window_share_a_camera_and_windows_do_not():
    out = changed(replace(OFF, brightness=(0.5, 1.5), colour=(0.75, 1.3)))
    assert (out[:, 0] == out[:, 1]).all() and (out[:, 0] == out[:, 2]).all()
    assert len({float(v) for v in out[:, 0, 1, 0, 0]}) == 4


def test_a_gain_is_the_brightness_of_the_simulated_camera():
    wanted = Camera(CameraSettings(brightness=0.6), SIZE, 1.9).take(
        np.full((*SIZE, 3), 120, np.uint8))
    got = changed(replace(OFF, brightness=(0.6, 0.6)))
    assert abs(float(got.mean()) - wanted.mean()) <= 1


def test_vignetting_is_that_of_the_simulated_camera():
    wanted = Camera(CameraSettings(vignetting=0.6), SIZE, 1.9).take(
        np.full((*SIZE, 3), 120, np.uint8))[..., 0].astype(float)
    found = []
    for seed in range(40):
        augmenter = Augmenter(replace(OFF, vignetting=0.6, sometimes=1.25), SIZE)
        rng = np.random.default_rng(seed)
        field = augmenter._field(rng, np.ones(4, bool), 4)[:, 0, 0]
        found += [(120 * one).numpy() for one in field if one[0, 0] < 0.99]
    darkest = min(found, key=lambda one: one[0, 0])
    assert np.abs(darkest - wanted).max() < 4


@pytest.mark.parametrize('settings, least', [
    (replace(OFF, occluder=1.0), 0.01), (replace(OFF, dirt=0.4, sometimes=2.0), 0.01),
    (replace(OFF, uneven=0.25, sometimes=1.0), 0.2)])
def test_boxes_dirt_and_uneven_light_change_a_part_of_the_picture(settings, least):
    share = [((changed(settings, seed=s) - 120).abs() > 2).float().mean() for s in range(5)]
    assert least < np.mean(share) < 1.0


def test_noise_differs_from_frame_to_frame():
    out = changed(replace(OFF, noise=10.0, sometimes=1.0))
    assert (out[:, 0] != out[:, 1]).float().mean() > 0.3


def test_jpeg_changes_a_picture_with_detail():
    noisy = torch.from_numpy(np.random.default_rng(0).integers(
        0, 256, (2, 1, 3, *SIZE), np.uint8))
    assert ((changed(replace(OFF, jpeg=1.0), noisy) - noisy).abs() > 8).float().mean() > 0.2
