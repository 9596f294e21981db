# SPDX-License-Identifier: Apache-2.0
"""Measures a trained module, or the checkpoint of a training, on a bag."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ami_ros.core.errors import AmiError
from ami_ros.modules.module import open_module
from ami_ros.robots.robot import Robot
from ami_ros.training import (
    cost_map_and_memory,
    merge_bags,
    quality_gates,
    train,
    training_windows,
)
from ami_ros.training.networks import Jepa, Shape
from ami_ros.training.restore_from_onnx import restore
from ami_ros.training.topic_choice import BagError


def opened(path: str, robot: Robot) -> tuple[Jepa, Robot]:
    """Return the model, and the robot with the camera that the model was trained for.

    A checkpoint does not say which camera it was trained for: it is the one of the robot file.
    """
    if not Path(path).is_file():
        module = open_module(path)
        hfov = module.camera.hfov_rad
        return restore(module)[0], replace(
            robot, camera_size=module.camera_size,
            camera_hfov_rad=robot.camera_hfov_rad if hfov is None else hfov)
    try:
        kept = torch.load(path, weights_only=True, map_location='cpu')
        model = Jepa(Shape(**kept['shape']), (1.0, 1.0), robot.camera_size)
        model.load_state_dict(kept['model'])
    except Exception as why:    # pickle, zip and torch each have their own
        raise AmiError(f'{path} is no checkpoint of a training for images of '
                       f'{robot.camera_size[0]}x{robot.camera_size[1]} '
                       f'({type(why).__name__})') from why
    return model.eval(), robot


def rigid(places: np.ndarray, poses: np.ndarray) -> tuple[np.ndarray, float]:
    """Move places (N, 2) onto poses (N, 2) by the rotation and shift of least squares.

    Returns the moved places and the angle, rad.
    """
    here, there = places.mean(0), poses.mean(0)
    a, b = (places - here) @ [1, 1j], (poses - there) @ [1, 1j]
    angle = float(np.angle((b * a.conj()).sum()))
    moved = a * np.exp(1j * angle)
    return np.stack([moved.real, moved.imag], 1) + there, angle


def place_error(places: np.ndarray, poses: np.ndarray) -> dict[str, float]:
    """Compare places (N, 4) with poses (N, 3) of another frame, after the best rigid fit.

    `spread_m` is what a model would reach that always says the middle of all poses.
    """
    moved, angle = rigid(places[:, :2].astype(float), poses[:, :2].astype(float))
    off = np.hypot(*(moved - poses[:, :2]).T)
    turn = np.arctan2(places[:, 3], places[:, 2]) + angle - poses[:, 2]
    turn = np.abs(np.angle(np.exp(1j * turn)))
    spread = np.hypot(*(poses[:, :2] - np.median(poses[:, :2], 0)).T)
    return {'fitted_place_error_m': float(np.median(off)),
            'fitted_place_error_p95_m': float(np.percentile(off, 95)),
            'fitted_heading_error_rad': float(np.median(turn)),
            'fitted_heading_error_p95_rad': float(np.percentile(turn, 95)),
            'spread_m': float(np.median(spread))}


def measure(path: str, bag: Path, robot: Robot | None, topics: dict[str, str], seed: int,
            say: Callable[[str], None]) -> tuple[quality_gates.Gated, dict[str, float]]:
    """Return the gates of a model on all windows of a bag, and its place error in the bag."""
    robot, decides = merge_bags.robot_of(robot, (bag,))
    model, robot = opened(path, robot)
    data = merge_bags.read((bag,), robot, topics, seed, say, decides)
    recipe = train.Recipe(shape=model.shape)
    rows = training_windows.starts(data.drives, recipe.frames)
    if len(rows) < 16:
        raise BagError(f'{bag} has {len(rows)} windows; at least 16 are needed: record longer')
    sampler = train.Sampler(data.images, data.drives, rows, recipe)
    gated = quality_gates.gate(quality_gates.measure(model, sampler, seed))
    frames, first = np.unique(data.drives.frame, return_index=True)
    _, places = cost_map_and_memory.look(model, data.images, frames)
    return gated, place_error(places, data.drives.pose[first])
