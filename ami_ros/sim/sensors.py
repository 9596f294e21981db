# SPDX-License-Identifier: Apache-2.0
"""What the rover senses, as noisy as the real thing."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Noise:
    """Standard deviations; a fresh scale error is drawn for every drive."""

    odometry_scale: float = 0.01        # 1, of a drive: wheels are never quite round
    odometry_step: float = 0.03         # 1, of each increment: slip
    lidar_m: float = 0.01
    gyro_radps: float = 0.01
    accel_mps2: float = 0.05
    pixel: float = 2.0                  # of 255


EXACT = Noise(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class DeadReckoning:
    """Integrates wheel angles to a pose in odom, with slip and scale errors."""

    def __init__(self, radius_m: float, track_m: float, noise: Noise, rng: np.random.Generator):
        self.radius_m, self.track_m, self.noise, self.rng = radius_m, track_m, noise, rng
        self.scale = 1 + rng.normal(0, noise.odometry_scale, 2)
        self.pose: np.ndarray = np.zeros(3)     # x m, y m, yaw rad, odom
        self.twist: np.ndarray = np.zeros(2)    # v m/s, w rad/s, base_link
        self.angles, self.begun = (0.0, 0.0), False

    def update(self, left_rad: float, right_rad: float, dt_s: float) -> None:
        """Fold in new wheel angles."""
        if self.begun and dt_s > 0:
            left, right = left_rad - self.angles[0], right_rad - self.angles[1]
            slip = 1 + self.rng.normal(0, self.noise.odometry_step, 2)
            ahead, turn = self.scale * slip * self.radius_m * np.array(
                [(left + right) / 2, (right - left) / self.track_m])
            middle = self.pose[2] + turn / 2
            self.pose = self.pose + [ahead * np.cos(middle), ahead * np.sin(middle), turn]
            self.twist = np.array([ahead, turn]) / dt_s
        self.angles, self.begun = (left_rad, right_rad), True
