# SPDX-License-Identifier: Apache-2.0
"""Poses from relative poses: drift is removed, wrong edges are found, bad edges are refused."""

from ami_ros.core.geometry import between, compose
from ami_ros.memory.pose_graph import Edges, jacobian_of, joined, optimise, residual
import numpy as np
import pytest


def lap(count: int = 120) -> np.ndarray:
    """Two laps of a square of 4 m, in steps of 0.27 m."""
    turn = 2 * np.pi * np.arange(count) / (count / 2)
    return np.stack([2 * np.cos(turn), 2 * np.sin(turn), (turn + np.pi / 2 + np.pi) % (2 * np.pi)
                     - np.pi], 1)


def odometry_of(poses: np.ndarray, rng) -> tuple[np.ndarray, Edges]:
    """Dead reckoning whose turns are 3 % too wide, and the edges of it."""
    steps = between(poses[:-1], poses[1:]) * [1.01, 1.01, 1.03]
    steps = steps + rng.normal(0, 0.004, steps.shape)
    told = [poses[0]]
    for step in steps:
        told.append(compose(told[-1], step))
    n = len(steps)
    return np.array(told), Edges(np.arange(n), np.arange(n) + 1, steps, np.full(n, 0.02),
                                 np.full(n, 0.02), np.zeros(n, bool))


def closures(poses: np.ndarray, first, second, rng, error: float = 0.05) -> Edges:
    relative = between(poses[first], poses[second])
    relative = relative + rng.normal(0, error, relative.shape) * [1, 1, 0.5]
    n = len(first)
    return Edges(np.asarray(first), np.asarray(second), relative, np.full(n, error),
                 np.full(n, error), np.ones(n, bool))


def off(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.hypot(*(a - b)[:, :2].T).mean())


def test_closures_remove_the_drift_of_odometry():
    rng, poses = np.random.default_rng(0), lap()
    told, steps = odometry_of(poses, rng)
    half = np.arange(60)
    found, weight = optimise(told, joined(steps, closures(poses, half, half + 60, rng)))
    assert off(told, poses) > 0.15
    assert off(found, poses) < 0.5 * off(told, poses)
    assert np.array_equal(found[0], told[0])
    assert np.median(weight) > 0.6


def test_planted_wrong_closures_end_without_weight():
    rng, poses = np.random.default_rng(1), lap()
    told, steps = odometry_of(poses, rng)
    half = np.arange(60)
    right = closures(poses, half, half + 60, rng)
    wrong = closures(poses, np.arange(0, 60, 5), np.arange(0, 60, 5) + 60, rng)
    wrong.relative[:, 0] += 1.5         # two places that look alike
    alone, _ = optimise(told, joined(steps, right))
    found, weight = optimise(told, joined(steps, right, wrong))
    planted = np.arange(len(weight)) >= len(steps) + len(right)
    assert weight[planted].max() < 0.1
    assert np.median(weight[~planted]) > 0.6
    assert off(found, alone) < 0.02


def test_without_the_robust_kernel_the_wrong_ones_would_count():
    rng, poses = np.random.default_rng(1), lap()
    told, steps = odometry_of(poses, rng)
    wrong = closures(poses, np.arange(0, 60, 5), np.arange(0, 60, 5) + 60, rng)
    wrong.relative[:, 0] += 1.5
    wrong.may_be_wrong[:] = False
    found, _ = optimise(told, joined(steps, wrong))
    assert off(found, poses) > 0.3


def test_the_jacobian_is_the_derivative_of_the_residual():
    rng = np.random.default_rng(2)
    poses = rng.normal(0, 1, (4, 3))
    edges = closures(poses, [0, 1, 2], [2, 3, 1], rng)
    scale = np.ones((3, 3))
    said, eps = jacobian_of(poses, edges, scale).toarray(), 1e-6
    for column in range(9):
        moved = poses.copy()
        moved[1 + column // 3, column % 3] += eps
        numeric = (residual(moved, edges) - residual(poses, edges)).ravel() / eps
        assert np.allclose(said[:, column], numeric, atol=1e-4)


def test_an_error_of_zero_is_refused():
    with pytest.raises(ValueError, match='not above 0'):
        Edges(np.array([0]), np.array([1]), np.zeros((1, 3)), np.zeros(1), np.ones(1),
              np.ones(1, bool))


def test_one_pose_and_no_edges_stay():
    poses, weight = optimise(np.zeros((1, 3)), closures(np.zeros((1, 3)), [], [],
                                                        np.random.default_rng(0)))
    assert np.array_equal(poses, np.zeros((1, 3)))
    assert len(weight) == 0
