# SPDX-License-Identifier: Apache-2.0
"""A tour becomes poses without drift, ground, and places of images."""

from ami_ros.core.geometry import between, compose
from ami_ros.memory.place_memory import PlaceMemory
import numpy as np
import pytest
from told_networks import image_at, scan_at, ToldNetworks


def tour(laps: int = 2) -> np.ndarray:
    """Poses every 0.15 m along a circle of 1.5 m."""
    turn = np.arange(0, 2 * np.pi * laps, 0.1)
    return np.stack([1.5 * np.cos(turn), 1.5 * np.sin(turn),
                     (turn + 3 * np.pi / 2) % (2 * np.pi) - np.pi], 1)


def drifting(poses: np.ndarray) -> np.ndarray:
    """Odometry whose turns are 2 % too wide."""
    out = [np.zeros(3)]
    for step in between(poses[:-1], poses[1:]) * [1.0, 1.0, 1.02]:
        out.append(compose(out[-1], step))
    return np.array(out)


def toured(poses=None, scans=True) -> PlaceMemory:
    poses = tour() if poses is None else poses
    memory = PlaceMemory(ToldNetworks())
    for pose, odometry in zip(poses, drifting(poses)):
        memory.see(image_at(pose), odometry, scan_at(pose) if scans else None)
    return memory


def test_a_second_lap_takes_the_drift_away_without_a_lidar():
    poses, memory = tour(), toured(scans=False)
    before = memory.keyframes.pose.copy()
    memory.solve()
    frames = memory.keyframes
    truth = between(poses[0], frames.tokens[:, 0])
    wrong = [np.hypot(*(some - truth)[:, :2].T).mean() for some in (before, frames.pose)]
    assert wrong[0] > 0.1
    assert wrong[1] < 0.5 * wrong[0]
    assert memory.closures > 20
    assert memory.ground is None


def test_scans_leave_no_drift():
    poses, memory = tour(), toured()
    memory.solve()
    truth = between(poses[0], memory.keyframes.tokens[:, 0])
    assert np.hypot(*(memory.keyframes.pose - truth)[:, :2].T).max() < 0.05
    assert memory.closures == 0
    assert memory.ground is not None
    assert memory.ground.cost.min() == 1.0


def test_an_image_is_found_where_it_was_taken():
    poses, memory = tour(), toured()
    memory.solve()
    asked = compose(poses[30], np.array([0.1, 0.1, 0.2]))
    found = memory.locate(memory.networks.encode(image_at(asked)[None])[0][0])
    assert np.hypot(*(found[0].pose - between(poses[0], asked))[:2]) < 0.1
    assert found[0].weight > 10 * memory.locate(
        memory.networks.encode(image_at([50.0, 0.0, 0.0])[None])[0][0])[0].weight


def test_standing_still_adds_no_keyframes():
    memory = toured(np.repeat(tour(1)[:1], 50, 0))
    assert len(memory.keyframes) == 1
    memory.solve()


def test_an_empty_memory_cannot_be_solved():
    with pytest.raises(ValueError, match='no keyframes'):
        PlaceMemory(ToldNetworks()).solve()
