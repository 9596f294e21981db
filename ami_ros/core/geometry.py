# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of planar poses (x m, y m, yaw rad), on the last axis of any array."""

import numpy as np


def wrap(angle):
    """Bring an angle to [-pi, pi)."""
    return (np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi


def compose(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pose b, given in a's axes, as seen from where a is given."""
    c, s = np.cos(a[..., 2]), np.sin(a[..., 2])
    return np.stack([a[..., 0] + c * b[..., 0] - s * b[..., 1],
                     a[..., 1] + s * b[..., 0] + c * b[..., 1], wrap(a[..., 2] + b[..., 2])], -1)


def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pose b as seen from a."""
    dx, dy = b[..., 0] - a[..., 0], b[..., 1] - a[..., 1]
    c, s = np.cos(a[..., 2]), np.sin(a[..., 2])
    return np.stack([c * dx + s * dy, -s * dx + c * dy, wrap(b[..., 2] - a[..., 2])], -1)


class Rescaled:
    """Odometry as it would be if wheels and track were what the robot file says they are.

    Every step is made longer, and every turn wider, by a measured share; told step by step, since
    only steps are scaled and not the place.
    """

    def __init__(self, forward: float, turn: float):
        self.scale = np.array([forward, forward, turn])
        self.same = (forward, turn) == (1.0, 1.0)
        self.told: np.ndarray | None = None
        self.true: np.ndarray | None = None

    def pose(self, told: np.ndarray) -> np.ndarray:
        """Return the pose (3,) for a told one; they begin alike."""
        if self.same or self.told is None or self.true is None:
            self.told = self.true = np.asarray(told, float)
            return self.told
        self.true = compose(self.true, self.scale * between(self.told, told))
        self.told = np.asarray(told, float)
        return self.true

    def twist(self, told: np.ndarray) -> np.ndarray:
        """Return the speed (2,), v m/s and w rad/s, for a told one."""
        return told if self.same else self.scale[1:] * told
