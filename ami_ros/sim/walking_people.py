# SPDX-License-Identifier: Apache-2.0
"""People who walk to and fro, and wait while the robot is in their way."""

import math

import numpy as np

from ami_ros.sim.scenes.elements import Person

RADIUS_M = 0.30         # of the circle around somebody
WAIT_M = 0.40           # nearer than this to the robot's circle nobody takes another step


class Walk:
    """How far one person has come. Depends on nothing but the steps and the robot's places."""

    def __init__(self, person: Person):
        self.person = person
        self.points = np.array(person.path, float)
        self.ends = np.concatenate([[0.0], np.cumsum(
            np.linalg.norm(np.diff(self.points, axis=0), axis=1))])
        self.reset()

    def reset(self) -> None:
        """Go back to the start."""
        self.way_m = self.person.start * 2 * self.ends[-1]      # there and back is one round
        self.pose = self.at(self.way_m)

    def at(self, way_m: float) -> tuple[float, float, float]:
        """Return x, y and yaw after so many metres."""
        length = self.ends[-1]
        along = way_m % (2 * length)
        back = along > length
        along = 2 * length - along if back else along
        k = min(int(np.searchsorted(self.ends, along, 'right')) - 1, len(self.points) - 2)
        share = (along - self.ends[k]) / (self.ends[k + 1] - self.ends[k])
        x, y = self.points[k] + share * (self.points[k + 1] - self.points[k])
        dx, dy = (self.points[k + 1] - self.points[k]) * (-1 if back else 1)
        return float(x), float(y), math.atan2(dy, dx)

    def step(self, seconds: float, robot: np.ndarray, radius_m: float) -> bool:
        """Walk on unless that leads nearer to a robot that is close; tell whether it did."""
        way_m = self.way_m + seconds * self.person.speed_mps
        pose = self.at(way_m)
        before = math.hypot(*(robot - self.pose[:2]))
        after = math.hypot(*(robot - pose[:2]))
        if after < before and after < RADIUS_M + WAIT_M + radius_m:
            return False
        self.way_m, self.pose = way_m, pose
        return True
