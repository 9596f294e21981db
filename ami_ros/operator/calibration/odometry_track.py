# SPDX-License-Identifier: Apache-2.0
"""Odometry of a while, as ways along the robot's own axes."""

from dataclasses import dataclass

import numpy as np

from ami_ros.operator.calibration.measurement import Unclear

FEWEST = 8          # readings in a stretch that is to say something


@dataclass(frozen=True, eq=False)
class MotionTrack:
    """Readings in order of their stamps; seconds since an instant that all arrays share."""

    t_s: np.ndarray         # (N,) increasing
    way_m: np.ndarray       # (N,) driven forward, backward counts negative
    turn_rad: np.ndarray    # (N,) turned, unwrapped

    def axis(self, name: str) -> np.ndarray:
        """Return the way along 'v' or 'w', (N,)."""
        return self.way_m if name == 'v' else self.turn_rad


def track(t_s: np.ndarray, poses: np.ndarray) -> MotionTrack:
    """(N,) stamps and (N, 3) poses x m, y m, yaw rad to a Track; double stamps are left out."""
    t_s, poses = np.asarray(t_s, float), np.asarray(poses, float).reshape(-1, 3)
    fine = np.isfinite(t_s) & np.isfinite(poses).all(1)
    t_s, first = np.unique(t_s[fine], return_index=True)
    poses = poses[fine][first]
    if len(t_s) < FEWEST:
        raise Unclear(f'{len(t_s)} readings of odometry; {FEWEST} at least are needed: '
                      'is the topic alive, and at 10 Hz or more?')
    turn = np.unwrap(poses[:, 2])
    middle = (turn[1:] + turn[:-1]) / 2
    step = np.diff(poses[:, 0]) * np.cos(middle) + np.diff(poses[:, 1]) * np.sin(middle)
    return MotionTrack(t_s, np.concatenate([[0.0], np.cumsum(step)]), turn - turn[0])


def line(t_s: np.ndarray, values: np.ndarray, low_s: float, high_s: float) -> tuple[float, float]:
    """Fit a straight line between two instants: its value at the later one, and its slope."""
    inside = (t_s >= low_s) & (t_s <= high_s)
    if np.count_nonzero(inside) < 3:
        raise Unclear(f'{np.count_nonzero(inside)} readings within {high_s - low_s:.2f} s; three '
                      'at least are needed: odometry comes too rarely')
    slope, value = np.polyfit(t_s[inside] - high_s, values[inside], 1)
    return float(value), float(slope)
