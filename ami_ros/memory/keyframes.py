# SPDX-License-Identifier: Apache-2.0
"""The images that a place memory keeps, as the general model sees them, and where they were taken.

Arrays that double when they are full, so that a keyframe is added in constant time.
"""

import numpy as np

from ami_ros.core.geometry import between

SPACING_M, SPACING_RAD = 0.2, 0.3       # a view this far from the last keyframe is a new one
FIRST = 64              # keyframes that the arrays hold at first


class Keyframes:
    """Growing arrays; the properties are views of what is filled."""

    def __init__(self) -> None:
        self.count = 0
        self._arrays = {'tokens': np.zeros((0, 0, 0)), 'descriptors': np.zeros((0, 0)),
                        'odometry': np.zeros((0, 3)), 'pose': np.zeros((0, 3))}

    def __len__(self) -> int:
        return self.count

    def _filled(self, name: str) -> np.ndarray:
        return self._arrays[name][:self.count]

    @property
    def tokens(self) -> np.ndarray:
        """(N, columns, width) float32."""
        return self._filled('tokens')

    @property
    def descriptors(self) -> np.ndarray:
        """(N, D) float32, each of length 1."""
        return self._filled('descriptors')

    @property
    def odometry(self) -> np.ndarray:
        """(N, 3) x m, y m, yaw rad: odometry, corrected by scans where there is a lidar."""
        return self._filled('odometry')

    @property
    def pose(self) -> np.ndarray:
        """(N, 3) x m, y m, yaw rad, frame of the memory: the pose of the first keyframe."""
        return self._filled('pose')

    def is_new(self, odometry: np.ndarray) -> bool:
        """Tell whether the robot has moved far enough since the last keyframe for another one."""
        if not self.count:
            return True
        x, y, yaw = between(self.odometry[-1], odometry)
        return bool(np.hypot(x, y) > SPACING_M or abs(yaw) > SPACING_RAD)

    def add(self, tokens: np.ndarray, descriptor: np.ndarray, odometry: np.ndarray,
            pose: np.ndarray) -> None:
        """Keep a view."""
        values = {'tokens': tokens, 'descriptors': descriptor, 'odometry': odometry, 'pose': pose}
        if not self.count:      # the networks decide the shapes
            self._arrays = {name: np.zeros((FIRST, *np.shape(value)), np.asarray(value).dtype)
                            for name, value in values.items()}
        elif self.count == len(self._arrays['pose']):
            self._arrays = {name: np.concatenate([array, np.zeros_like(array)])
                            for name, array in self._arrays.items()}
        for name, value in values.items():
            self._arrays[name][self.count] = value
        self.count += 1
