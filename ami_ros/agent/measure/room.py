# SPDX-License-Identifier: Apache-2.0
"""Tells how much room a lidar sees around a robot, before anything moves."""

import math

import numpy as np

BESIDE_M = 0.05         # a lane is so much wider than the robot on either side


def lane(points: np.ndarray, footprint: np.ndarray) -> tuple[float, float]:
    """Return what is free ahead of the footprint (P, 2) and behind it, m; (N, 2) points."""
    points = np.asarray(points, float).reshape(-1, 2)
    x, y = points[np.isfinite(points).all(1)].T
    front, back = footprint[:, 0].max(), footprint[:, 0].min()
    inside = (y <= footprint[:, 1].max() + BESIDE_M) & (y >= footprint[:, 1].min() - BESIDE_M)
    ahead, behind = x[inside & (x > front)], x[inside & (x < back)]
    return (float(ahead.min() - front) if len(ahead) else math.inf,
            float(back - behind.max()) if len(behind) else math.inf)


def around(points: np.ndarray, radius_m: float) -> float:
    """Return what is free around a robot that turns on the spot, m."""
    points = np.asarray(points, float).reshape(-1, 2)
    away = np.hypot(*points[np.isfinite(points).all(1)].T)
    away = away[away > 0]
    return float(away.min() - radius_m) if len(away) else math.inf
