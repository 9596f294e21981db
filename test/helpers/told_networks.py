# SPDX-License-Identifier: Apache-2.0
"""A general model for tests: its images carry in their bytes the pose of the camera."""

from ami_ros.core.geometry import between
from ami_ros.core.types import Scan
from ami_ros.memory.readings import Readings
import numpy as np

SPAN_M = 1.2            # further apart two images show different places


def image_at(pose) -> np.ndarray:
    """Return an image (64, 64, 3) uint8 that was taken at a pose (3,)."""
    image = np.zeros((64, 64, 3), np.uint8)
    image.reshape(-1)[:24] = np.frombuffer(np.asarray(pose, np.float64).tobytes(), np.uint8)
    return image


def pose_of(image: np.ndarray) -> np.ndarray:
    """Undo image_at."""
    return np.frombuffer(image.reshape(-1)[:24].tobytes(), np.float64)


def descriptor(pose: np.ndarray) -> np.ndarray:
    """Images of one direction look alike."""
    return np.array([np.cos(pose[2]), np.sin(pose[2])])


class ToldNetworks:
    """Reads pairs up to noise; `twin_m` away along x the place looks the same."""

    def __init__(self, seed: int = 0, twin_m: float | None = None):
        self.rng, self.twin_m = np.random.default_rng(seed), twin_m

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tokens are the pose as one row."""
        poses = np.array([pose_of(image) for image in images])
        return poses[:, None], np.array([descriptor(pose) for pose in poses])

    def compare(self, a: np.ndarray, b: np.ndarray) -> Readings:
        """Tell the relative pose where both show the same place."""
        a = a[:, 0].astype(float)
        b = np.broadcast_to(b[:, 0].astype(float), a.shape)
        if self.twin_m is not None:     # the image does not say in which of both
            a, b = a.copy(), b.copy()
            a[:, 0] %= self.twin_m
            b[:, 0] %= self.twin_m
        pose = between(a, b)
        away = np.hypot(pose[:, 0], pose[:, 1]) + np.abs(pose[:, 2])
        near = away < SPAN_M
        pose = np.where(near[:, None], pose, self.rng.normal(0, 0.5, pose.shape))
        pose = pose + self.rng.normal(0, 0.03, pose.shape)
        return Readings(pose, np.where(near, 0.04 + 0.05 * away, 0.5),
                        np.full(len(pose), 0.05), np.where(near, 0.97, 0.05))


ANGLES = np.linspace(-np.pi, np.pi, 90, endpoint=False)
HALF_M = 3.0            # of a square room around the origin


def scan_at(pose: np.ndarray) -> Scan:
    """Return what a lidar in base_link sees of the room."""
    direction = pose[2] + ANGLES
    c, s = np.cos(direction), np.sin(direction)
    with np.errstate(divide='ignore'):
        x = np.where(c > 0, (HALF_M - pose[0]) / c, (-HALF_M - pose[0]) / c)
        y = np.where(s > 0, (HALF_M - pose[1]) / s, (-HALF_M - pose[1]) / s)
    return Scan(np.minimum(np.abs(x), np.abs(y)), ANGLES, (0.0, 0.0, 0.0), 0, 0)
