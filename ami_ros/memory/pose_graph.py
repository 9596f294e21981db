# SPDX-License-Identifier: Apache-2.0
"""
Optimises the poses of keyframes from relative poses between them, some of which may be wrong.

Gauss-Newton on the sparse normal equations, solved by scipy. Edges that may be wrong, which is
every one of a comparison of images, are weighed anew in each iteration by the Geman-McClure kernel
whose width shrinks (graduated non-convexity): what contradicts the others ends without weight.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import spsolve

from ami_ros.core.geometry import between, wrap

ITERATIONS = 25
WIDTH_FIRST, WIDTH_LAST, WIDTH_SHRINKS = 64.0, 8.0, 0.75    # of the kernel, in variances
CONVERGED = 1e-3        # m and rad of the largest change
MIN_ITERATIONS = 10     # so that the kernel has become narrow


@dataclass(frozen=True, eq=False)
class Edges:
    """Relative poses between keyframes."""

    first: np.ndarray           # (E,) index of the keyframe from which the other is seen
    second: np.ndarray          # (E,)
    relative: np.ndarray        # (E, 3) pose of the second seen from the first: m, m, rad
    error_m: np.ndarray         # (E,) standard deviation of the position
    error_rad: np.ndarray       # (E,) standard deviation of the yaw
    may_be_wrong: np.ndarray    # (E,) bool: weighed by the robust kernel

    def __post_init__(self):
        if not (np.all(self.error_m > 0) and np.all(self.error_rad > 0)):
            raise ValueError('an edge of the pose graph has an error that is not above 0')

    def __len__(self) -> int:
        return len(self.first)


def joined(*parts: Edges) -> Edges:
    """Put edges together."""
    return Edges(*(np.concatenate([getattr(part, name) for part in parts])
                   for name in Edges.__dataclass_fields__))


def optimise(poses: np.ndarray, edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Return the poses (N, 3) that fit the edges best, and the weight (E,) 0..1 of each edge.

    The first pose stays where it is. `poses` are where the search begins, as from odometry.
    """
    poses = np.array(poses, float)
    if len(poses) < 2 or not len(edges):
        return poses, np.ones(len(edges))
    scale = 1 / np.stack([edges.error_m, edges.error_m, edges.error_rad], 1)
    width, weight = WIDTH_FIRST, np.ones(len(edges))
    for iteration in range(ITERATIONS):
        error = residual(poses, edges)
        off = ((error * scale) ** 2).sum(1)
        weight = np.where(edges.may_be_wrong, (width / (width + off)) ** 2, 1.0)
        step = newton_step(poses, edges, error, scale * np.sqrt(weight)[:, None])
        poses[1:] += step
        poses[:, 2] = wrap(poses[:, 2])
        width = max(WIDTH_LAST, WIDTH_SHRINKS * width)
        if iteration >= MIN_ITERATIONS and np.abs(step).max() < CONVERGED:
            break
    return poses, weight


def residual(poses: np.ndarray, edges: Edges) -> np.ndarray:
    """Return by how much the poses contradict each edge, (E, 3)."""
    error = between(poses[edges.first], poses[edges.second]) - edges.relative
    error[:, 2] = wrap(error[:, 2])
    return error


def newton_step(poses: np.ndarray, edges: Edges, error: np.ndarray, scale: np.ndarray
                ) -> np.ndarray:
    """Return the change (N - 1, 3) of all poses but the first."""
    jacobian = jacobian_of(poses, edges, scale)
    normal = (jacobian.T @ jacobian).tocsc()
    normal.setdiag(normal.diagonal() + 1e-6)        # keyframes that no edge holds stay
    return spsolve(normal, -jacobian.T @ (error * scale).ravel()).reshape(-1, 3)


def jacobian_of(poses: np.ndarray, edges: Edges, scale: np.ndarray) -> csc_matrix:
    """Derivative of the scaled residuals, (3 E, 3 (N - 1))."""
    a, b = poses[edges.first], poses[edges.second]
    c, s, d = np.cos(a[:, 2]), np.sin(a[:, 2]), b[:, :2] - a[:, :2]
    zero, one = np.zeros(len(a)), np.ones(len(a))
    by_first = np.stack([np.stack([-c, -s, c * d[:, 1] - s * d[:, 0]], 1),
                         np.stack([s, -c, -c * d[:, 0] - s * d[:, 1]], 1),
                         np.stack([zero, zero, -one], 1)], 1)
    by_second = np.stack([np.stack([c, s, zero], 1), np.stack([-s, c, zero], 1),
                          np.stack([zero, zero, one], 1)], 1)
    axes = np.arange(3)
    row = np.broadcast_to((3 * np.arange(len(a)))[:, None, None] + axes[:, None], by_first.shape)
    values, rows, columns = [], [], []
    for index, block in ((edges.first, by_first), (edges.second, by_second)):
        values.append((block * scale[:, :, None]).ravel())
        rows.append(row.ravel())
        columns.append(np.broadcast_to((3 * index)[:, None, None] + axes, block.shape).ravel())
    return coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
                      (3 * len(a), 3 * len(poses))).tocsc()[:, 3:]
