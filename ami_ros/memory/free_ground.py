# SPDX-License-Identifier: Apache-2.0
"""Which ground is free, from the lidar scans of a tour at the optimised poses."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from ami_ros.core.geometry import compose

CELL_M = 0.1
MARGIN_M = 1.0          # of the grid around the poses
RANGE_M = 5.0           # beams are followed this far: angles err, and far cells are thin
BEFORE_M = 0.08         # a beam ends this far before what it hits
MIN_HITS, HIT_SHARE = 2, 0.25   # more make a cell an obstacle
MIN_SEEN = 2            # fewer leave a cell unknown
CLOSED_COST = 20.0      # where the robot cannot be, or nothing is known
CLEAR_M, WIDE_M, DEAR = 0.18, 0.40, 7.0     # from CLEAR_M to WIDE_M the cost falls from 1 + DEAR


@dataclass(frozen=True, eq=False)
class Ground:
    """A grid; cell (i, j) is centred on origin + cell_m * (i, j)."""

    cost: np.ndarray            # (X, Y) float32: 1 where driving is free, more where it is not
    known: np.ndarray           # (X, Y) bool
    obstacle: np.ndarray        # (X, Y) bool
    origin: np.ndarray          # (2,) m, frame of the memory
    cell_m: float = CELL_M


def carve(poses: np.ndarray, scans: np.ndarray, angles: np.ndarray,
          mount: tuple[float, float, float]) -> Ground:
    """Return the ground from scans (S, R) m, each taken with the robot at poses (S, 3).

    Beams point along `angles` (R,) rad in the lidar's axes; `mount` is x m, y m, yaw rad of the
    lidar in base_link. What is not finite is not used.
    """
    low = poses[:, :2].min(0) - MARGIN_M
    shape = tuple(np.ceil((poses[:, :2].max(0) + MARGIN_M - low) / CELL_M).astype(int) + 1)
    hits, passed = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    lidar = compose(poses, np.broadcast_to(np.asarray(mount, float), poses.shape))
    along = np.arange(CELL_M, RANGE_M, CELL_M)

    def count(grid: np.ndarray, points: np.ndarray) -> None:
        cells = np.rint((points - low) / CELL_M).astype(int)
        cells = cells[((cells >= 0) & (cells < shape)).all(1)]
        np.add.at(grid, (cells[:, 0], cells[:, 1]), 1)

    for at, ranges in zip(lidar, scans):
        used = np.isfinite(ranges)
        direction = at[2] + angles[used]
        ray, reach = np.stack([np.cos(direction), np.sin(direction)], 1), ranges[used]
        free = along[None] < np.minimum(reach, RANGE_M)[:, None] - BEFORE_M
        beam, step = np.nonzero(free)
        count(passed, at[:2] + along[step][:, None] * ray[beam])
        near = reach < RANGE_M
        count(hits, at[:2] + reach[near, None] * ray[near])
    seen = hits + passed
    obstacle = (hits > MIN_HITS) & (hits > HIT_SHARE * seen)
    known = seen >= MIN_SEEN
    return Ground(cost_of(obstacle, known), known, obstacle, low)


def cost_of(obstacle: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the cost of each cell by its distance to the nearest obstacle."""
    away = distance_transform_edt(~obstacle) * CELL_M - CELL_M / 2 if obstacle.any() else \
        np.full(obstacle.shape, np.inf)
    near = np.clip((WIDE_M - away) / (WIDE_M - CLEAR_M), 0, 1)
    cost = 1 + DEAR * near ** 2
    return np.where((away < CLEAR_M) | ~known, CLOSED_COST, cost).astype(np.float32)
