# SPDX-License-Identifier: Apache-2.0
"""Readings of image pairs by the general model, and where several of them agree."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ami_ros.core.geometry import compose, wrap

YAW_M = 0.5             # distance that a yaw of 1 rad counts for
AGREE_M = 0.35          # readings this near agree
FLOOR_M = 0.02          # added to an expected error, so that no reading decides alone


@dataclass(frozen=True, eq=False)
class Readings:
    """Where images B were taken, seen from images A."""

    pose: np.ndarray            # (N, 3) m, m, rad, in A's robot axes
    error_m: np.ndarray         # (N,) expected error of the position
    error_rad: np.ndarray       # (N,) of the yaw
    same: np.ndarray            # (N,) probability that A and B show the same place

    @property
    def weight(self) -> np.ndarray:
        """How much each counts: the surest few are right, so steeply by the expected error."""
        return (self.same / (self.error_m + FLOOR_M) ** 3).astype(float)

    def some(self, rows: np.ndarray) -> 'Readings':
        """Return those of the given rows, or where a mask is true."""
        return Readings(self.pose[rows], self.error_m[rows], self.error_rad[rows],
                        self.same[rows])


def whole(parts: list[Readings]) -> Readings:
    """Put readings together."""
    return Readings(*(np.concatenate([getattr(part, name) for part in parts])
                      for name in Readings.__dataclass_fields__))


class PairNetworks(Protocol):
    """The general model, run by some backend."""

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Map (N, H, W, 3) uint8 rgb to tokens (N, T, D) and descriptors (N, D'), float32."""

    def compare(self, a: np.ndarray, b: np.ndarray) -> Readings:
        """Read pairs of tokens (N, T, D); b may have one row for all."""


@dataclass(frozen=True, eq=False)
class Cluster:
    """Readings that agree on where an image was taken."""

    pose: np.ndarray            # (3,) weighted mean
    weight: float               # sum of theirs
    error_m: float              # expected error of the mean


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how far poses (..., 3) lie apart, with YAW_M for each radian."""
    return (np.hypot(a[..., 0] - b[..., 0], a[..., 1] - b[..., 1])
            + YAW_M * np.abs(wrap(a[..., 2] - b[..., 2])))


def mean_pose(poses: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean (3,) of poses (N, 3)."""
    share = weight / weight.sum()
    return np.array([share @ poses[:, 0], share @ poses[:, 1],
                     np.arctan2(share @ np.sin(poses[:, 2]), share @ np.cos(poses[:, 2]))])


def clusters(at: np.ndarray, readings: Readings, most: int) -> list[Cluster]:
    """Group what readings from keyframes at poses (N, 3) say of one image, heaviest first."""
    poses, weight = compose(at, readings.pose), readings.weight
    near = apart(poses[:, None], poses[None]) < AGREE_M
    left: np.ndarray = np.ones(len(poses), bool)
    found: list[Cluster] = []
    while left.any() and len(found) < most:
        support = (near[:, left] * weight[left]).sum(1)
        support[~left] = -1.0
        members = near[int(support.argmax())] & left
        found.append(cluster_of(poses[members], weight[members], readings.error_m[members]))
        left &= ~members
    return found


def cluster_of(poses: np.ndarray, weight: np.ndarray, error_m: np.ndarray) -> Cluster:
    """Join readings that agree; those of one image err alike, so the mean is little surer."""
    weight = np.maximum(weight, 1e-9)
    share = weight / weight.sum()
    pose = mean_pose(poses, weight)
    scatter = np.sqrt(share @ ((poses[:, :2] - pose[:2]) ** 2).sum(1))
    return Cluster(pose, float(weight.sum()), float(max(0.7 * (share @ error_m), scatter)))
