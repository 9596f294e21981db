# SPDX-License-Identifier: Apache-2.0
"""
Odometry of a drive without its drift: each scan is matched with the scans before it.

Iterative closest point, from wheel odometry as the first guess. A robot has both, so that nothing
is used that only a simulator knows. Where a scan matches badly, wheel odometry stands.
"""

import numpy as np
from scipy.spatial import cKDTree

from ami_ros.core.geometry import between, compose, wrap

RANGE_M = 7.0               # longer beams hit too far apart
CELL_M = 0.05               # of the map: one point each
KEYFRAME_M, KEYFRAME_RAD = 0.25, 0.25       # a scan this far from the last one joins the map
GATES_M = (0.35, 0.2, 0.12, 0.12, 0.08, 0.08, 0.08, 0.08)   # of matches, by iteration
LEAST_POINTS = 10
MOST_UNMATCHED = 0.05       # share of the scans of a drive
LEAST_SHARE = 0.5           # of the points that must match
MOST_M, MOST_RAD = 0.25, 0.2        # that a match may differ from wheel odometry, from one scan


def points_of(ranges: np.ndarray, angles: np.ndarray, mount: tuple[float, float, float]
              ) -> np.ndarray:
    """Return the points (P, 2) m in base_link that a scan hit."""
    used = np.isfinite(ranges) & (ranges < RANGE_M) & (ranges > 0)
    direction = angles[used] + mount[2]
    return np.asarray(mount[:2]) + ranges[used, None] * np.stack(
        [np.cos(direction), np.sin(direction)], 1)


def moved(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Return points (P, 2) of base_link where the robot is at a pose (3,)."""
    c, s = np.cos(pose[2]), np.sin(pose[2])
    return points @ np.array([[c, s], [-s, c]]) + pose[:2]


def matched(points: np.ndarray, guess: np.ndarray, tree: cKDTree) -> np.ndarray | None:
    """Return the pose (3,) at which points (P, 2) fit the map; None where they do not."""
    pose = guess.copy()
    for gate in GATES_M:
        here = moved(points, pose)
        away, index = tree.query(here, distance_upper_bound=gate)
        near = np.isfinite(away)
        if near.mean() < LEAST_SHARE:
            return None
        one, other = here[near], tree.data[index[near]]
        middle, aim = one.mean(0), other.mean(0)
        a, b = one - middle, other - aim
        turn = np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum())
        c, s = np.cos(turn), np.sin(turn)
        at = np.array([[c, -s], [s, c]]) @ (pose[:2] - middle) + aim
        pose = np.array([at[0], at[1], wrap(pose[2] + turn)])
    off = between(guess, pose)
    if np.hypot(off[0], off[1]) > MOST_M or abs(off[2]) > MOST_RAD:
        return None
    return pose


class ScanMatcher:
    """Follows a drive, scan by scan."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], np.ndarray] = {}
        self.tree: cKDTree | None = None
        self.odometry: np.ndarray | None = None     # of the last scan
        self.pose = np.zeros(3)                     # of the last scan, seen from the first
        self.added: np.ndarray | None = None        # pose of the last scan that joined the map
        self.scans = self.unmatched = 0             # that came, and where odometry stood

    def update(self, odometry: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Return the pose (3,) of a scan, seen from the first; points (P, 2) m in base_link."""
        if self.odometry is not None:
            self.pose = compose(self.pose, between(self.odometry, odometry))
        self.odometry, self.scans = np.array(odometry, float), self.scans + 1
        found = None
        if self.tree is not None and len(points) >= LEAST_POINTS:
            found = matched(points, self.pose, self.tree)
        if found is not None:
            self.pose = found
        elif self.scans > 1:
            self.unmatched += 1
        if len(points) < LEAST_POINTS:
            return self.pose
        off = None if self.added is None else between(self.added, self.pose)
        if off is None or np.hypot(off[0], off[1]) > KEYFRAME_M or abs(off[2]) > KEYFRAME_RAD:
            here = moved(points, self.pose)
            for cell, point in zip(map(tuple, np.floor(here / CELL_M).astype(int)), here):
                self.cells.setdefault(cell, point)
            self.tree, self.added = cKDTree(np.array(list(self.cells.values()))), self.pose
        return self.pose

    @property
    def consistent(self) -> bool:
        """Tell whether nearly all scans matched, so that the poses have hardly any drift."""
        return self.unmatched <= MOST_UNMATCHED * self.scans


def without_drift(odometry: np.ndarray, scans: np.ndarray, angles: np.ndarray,
                  mount: tuple[float, float, float]) -> np.ndarray:
    """Return poses (F, 3), seen from the first, for odometry (F, 3) and its scans (F, R) m."""
    matcher = ScanMatcher()
    return np.array([matcher.update(pose, points_of(ranges, angles, mount))
                     for pose, ranges in zip(odometry, scans)])
