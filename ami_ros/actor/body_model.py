# SPDX-License-Identifier: Apache-2.0
"""The motion of a differential-drive base: a unicycle whose speed follows the command with a lag.

It is the same in every place, so that the search can use it where no latent dynamics are known.
"""

import math

import numpy as np

from ami_ros.core.ports import Imagined

STEP_S = 0.05
OPEN_M = 9.0            # predicted clearance: the body model knows no obstacle, the map does


class BodyModel:
    """Rolls commands forward to poses; its latent is the pose itself."""

    def __init__(self, lag_s: float, control_step_s: float = 0.25):
        self.blend = 1 - math.exp(-STEP_S / lag_s) if lag_s > 0 else 1.0
        self.steps = round(control_step_s / STEP_S)

    def place(self, z: np.ndarray) -> np.ndarray:
        """Read the pose (3,) of a latent: it is the latent."""
        return np.asarray(z, float)

    def imagine(self, z: np.ndarray, body: np.ndarray, knots: np.ndarray,
                goal_z: np.ndarray) -> Imagined:
        """Roll (N, H, 2) knots forward from pose z (3,) and body (3,): v m/s, w rad/s, gyro."""
        n, horizon, _ = knots.shape
        pose = np.tile(np.asarray(z, float), (n, 1))
        speed = np.tile(body[:2].astype(float), (n, 1))
        places = np.empty((n, horizon, 3))
        for k in range(horizon):
            for _ in range(self.steps):
                speed = speed + self.blend * (knots[:, k] - speed)
                turn = pose[:, 2] + STEP_S / 2 * speed[:, 1]
                pose = pose + STEP_S * np.stack([speed[:, 0] * np.cos(turn),
                                                 speed[:, 0] * np.sin(turn), speed[:, 1]], -1)
            places[:, k] = pose
        nothing = np.zeros((n, horizon))
        return Imagined(places, nothing, np.full((n, horizon), OPEN_M), np.ones((n, horizon)))
