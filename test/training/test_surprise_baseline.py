# SPDX-License-Identifier: Apache-2.0
"""Ordinary surprise: what the robot's own filter says on held-out drives, at the camera's rate."""

from ami_ros.core.settings import WorldModelSettings
from ami_ros.core.types import Latent
from ami_ros.inference.encoder_and_dynamics import Networks
from ami_ros.modules.module import open_module
from ami_ros.training import surprise_baseline
from ami_ros.training.bag_reader import Recording
from ami_ros.training.restore_from_onnx import restore
from ami_ros.training.training_windows import cut
from ami_ros.world_model.belief_filter import WorldModel
import numpy as np
import pytest
from synthetic_bags import picture, pose, SECOND, V, W

PERIOD_S = 0.1


def recording(frames: int) -> Recording:
    """One drive on an arc, ten pictures a second."""
    at = (np.arange(frames) * PERIOD_S * SECOND).astype(np.int64) + SECOND
    odom_ns = np.arange(0, at[-1] + SECOND, SECOND // 20)
    places = np.array([pose(ns / SECOND) for ns in odom_ns])
    return Recording(np.stack([picture(i) for i in range(frames)]), at, odom_ns,
                     np.column_stack([places, np.tile([V, W], (len(odom_ns), 1))]), odom_ns,
                     np.tile([V, W], (len(odom_ns), 1)), odom_ns, np.full(len(odom_ns), W),
                     np.ones(frames))


@pytest.fixture(scope='module')
def shipped():
    module = open_module()
    return module, restore(module)[0]


def measured(model, frames: int, scale: float):
    one = recording(frames)
    drives = cut(one, np.random.default_rng(1))
    return one, surprise_baseline.surprise(model, one.images, drives, np.arange(len(drives.frame)),
                                           (one,), scale)


def test_it_is_what_the_robot_would_say_of_the_same_pictures(shipped):
    module, model = shipped
    scale = module.manifest['surprise_scale']
    one, said = measured(model, 30, scale)
    networks = Networks(module)
    robot = WorldModel(networks, networks, WorldModelSettings(), scale)
    latents = np.stack([networks.encode(image) for image in one.images])
    rows = np.arange(len(latents))
    told = [robot.update(Latent(z, frame), commands).surprise
            for z, frame, commands in surprise_baseline.frames(one, rows, latents, 'a')][1:]
    assert said['frames'] == len(told) == 29
    assert [said['p50'], said['p95']] == pytest.approx(np.percentile(told, (50, 95)), rel=0.01)
    assert said['period_s'] == pytest.approx(PERIOD_S)


def test_it_is_told_in_units_of_the_modules_own_scale(shipped):
    module, model = shipped
    scale = module.manifest['surprise_scale']
    once, twice = (measured(model, 25, share * scale)[1] for share in (1, 2))
    assert once['p95'] == pytest.approx(2 * twice['p95'], rel=0.01)


def test_too_few_pictures_say_nothing(shipped, monkeypatch):
    monkeypatch.setattr(surprise_baseline, 'LEAST', 30)
    assert measured(shipped[1], 30, 0.1)[1] is None


def test_each_picture_counts_once_and_a_fast_camera_is_thinned():
    one = recording(60)
    drives = cut(one, np.random.default_rng(1))
    assert len(np.unique(drives.drive)) > 1         # several drives of one way
    rows = np.concatenate([rows for _, rows, _ in
                           surprise_baseline.spans(drives, np.arange(len(drives.frame)), (one,))])
    assert len(rows) == len(np.unique(rows)) >= 58
    stamps = (np.arange(60) * 33_333_333).astype(np.int64)
    kept = stamps[surprise_baseline.thinned(np.arange(60), stamps)]
    assert (np.diff(kept) >= surprise_baseline.APART_NS).all()
