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
