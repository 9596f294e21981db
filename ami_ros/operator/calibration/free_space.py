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


def around(points: np.ndarray, footprint: np.ndarray) -> float:
    """Return what is free around a robot that turns on the spot, m.

    What lies within its own box is of itself.
    """
    points = np.asarray(points, float).reshape(-1, 2)
    points = points[np.isfinite(points).all(1)]
    low, high = footprint.min(0), footprint.max(0)
    others = points[((points < low) | (points > high)).any(1)]
    return (float(np.hypot(*others.T).min() - np.hypot(*footprint.T).max()) if len(others)
            else math.inf)
