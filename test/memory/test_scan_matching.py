# SPDX-License-Identifier: Apache-2.0
"""Scans take the drift of odometry away; where they do not match, odometry stands."""

from ami_ros.core.geometry import between, compose
from ami_ros.memory.scan_matching import MOST_M, points_of, ScanMatcher, without_drift
import numpy as np
from told_networks import ANGLES, scan_at


def drive(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Poses of a wavy lap, and odometry whose turns are 4 % too wide."""
    turn = np.linspace(0, 4 * np.pi, count)
    poses = np.stack([1.6 * np.cos(turn), 1.2 * np.sin(turn), turn], 1)
    told = [np.zeros(3)]
    for step in between(poses[:-1], poses[1:]) * [1.01, 1.01, 1.04]:
        told.append(compose(told[-1], step))
    return poses, np.array(told)


def test_the_drift_is_taken_away():
    poses, told = drive()
    rng = np.random.default_rng(0)
    scans = np.array([scan_at(pose).ranges for pose in poses])
    scans = scans + rng.normal(0, 0.01, scans.shape)
    truth = between(poses[0], poses)
    found = without_drift(told, scans, ANGLES, (0.0, 0.0, 0.0))
    off = [np.hypot(*(p - truth)[:, :2].T).max() for p in (told, found)]
    assert off[0] > 0.5
    assert off[1] < 0.1


def test_where_nothing_is_seen_odometry_stands():
    _, told = drive()
    nothing = np.full((len(told), 90), np.inf)
    assert np.allclose(without_drift(told, nothing, ANGLES, (0.0, 0.0, 0.0)),
                       between(told[0], told))


def test_a_scan_that_fits_nowhere_moves_nothing():
    poses, told = drive(60)
    matcher = ScanMatcher()
    for pose, odometry in zip(poses, told):
        matcher.update(odometry, points_of(scan_at(pose).ranges, ANGLES, (0.0, 0.0, 0.0)))
    assert matcher.consistent
    before = matcher.pose
    rng = np.random.default_rng(1)
    for _ in range(30):     # people around the robot
        after = matcher.update(told[-1], rng.uniform(-0.8, 0.8, (80, 2)))
        assert np.hypot(*between(before, after)[:2]) <= MOST_M
        before = after
    assert not matcher.consistent


def test_the_mount_of_the_lidar_counts():
    points = points_of(np.array([2.0, np.inf, 1.0]), np.array([0.0, 1.0, np.pi / 2]),
                       (0.1, 0.0, np.pi / 2))
    assert np.allclose(points, [[0.1, 2.0], [-0.9, 0.0]])
