# SPDX-License-Identifier: Apache-2.0
"""Drives for the data: errands across the room, wandering, along walls and into them."""

import math

import numpy as np

from ami_ros.sim.furnished_room import Place
from ami_ros.sim.simulator import Simulator


def free_pose(world: Place, rng: np.random.Generator, clear_m: float) -> np.ndarray:
    """Draw a pose (3,) at least clear_m from everything."""
    for _ in range(10000):
        x, y = rng.uniform(-world.half_m, world.half_m, 2)
        if world.distance(np.array([x, y])) >= clear_m:
            return np.array([x, y, rng.uniform(-math.pi, math.pi)])
    raise RuntimeError(f'no place in the room is {clear_m} m from everything')


class Driver:
    """Decides the next twist from the lidar and, for errands, from where the simulator is.

    Like a person with a stick who sees the room; nothing of it but the twists is recorded.
    """

    def __init__(self, sim: Simulator, rng: np.random.Generator):
        self.sim, self.rng = sim, rng
        self.limits = np.array(sim.robot.limits)
        self.twist: np.ndarray = np.zeros(2)
        self.left_s, self.target, self.mode = 0.0, np.zeros(3), 'wander'

    def next(self, ranges: np.ndarray, dt_s: float) -> np.ndarray:
        """Return the twist (2,) for the coming dt_s."""
        ahead = ranges[np.abs(self.sim.angles) < 0.5].min()
        behind = ranges[np.abs(self.sim.angles) > math.pi - 0.5].min()
        near = ahead if self.twist[0] >= 0 else behind
        self.left_s -= dt_s
        bold = self.mode == 'bump' and self.left_s > 0
        if self.left_s <= 0 or (near < 0.34 and not bold and abs(self.twist[0]) > 0.05):
            self._choose(ahead, behind)
        if self.mode == 'errand':
            return self._errand()
        return self.twist

    def _choose(self, ahead: float, behind: float) -> None:
        rng, self.mode = self.rng, 'wander'
        self.left_s = rng.uniform(0.5, 2.0)
        if ahead < 0.34 and rng.random() < 0.8:     # turn away, or back off
            v = -rng.uniform(0.1, 0.4) if behind > 0.4 and rng.random() < 0.5 else 0.0
            w = rng.uniform(0.5, 1.0) * self.limits[1] * rng.choice([-1, 1])
            self.twist = np.array([v, w])
            return
        kind = rng.random()
        if kind < 0.35:
            self.mode, self.left_s = 'errand', rng.uniform(3.0, 8.0)
            self.target = free_pose(self.sim.world, rng, 0.28)
        elif kind < 0.40:
            self.mode, self.left_s = 'bump', rng.uniform(0.5, 1.5)
            self.twist = np.array([rng.uniform(0.2, 0.6), rng.normal(0, 0.3)])
        elif kind < 0.45:
            self.twist, self.left_s = np.zeros(2), rng.uniform(0.25, 0.75)
        elif kind < 0.58:
            self.twist = np.array([0.0, rng.uniform(-1, 1) * self.limits[1]])
        else:
            v = rng.uniform(-0.4, -0.05) if rng.random() < 0.15 else rng.uniform(0.1, 0.6)
            self.twist = np.array([v, rng.normal(0, 0.6)])
        self.twist = np.clip(self.twist, -self.limits, self.limits)

    def _errand(self) -> np.ndarray:
        pose = self.sim.truth_pose()
        dx, dy = self.target[:2] - pose[:2]
        bearing = math.remainder(math.atan2(dy, dx) - pose[2], 2 * math.pi)
        if math.hypot(dx, dy) < 0.25:
            self.left_s = min(self.left_s, 0.0)
        v = self.limits[0] * max(0.0, math.cos(bearing)) ** 2 * self.rng.uniform(0.7, 1.0)
        w = 2.0 * bearing + self.rng.normal(0, 0.3)
        self.twist = np.clip([v, w], -self.limits, self.limits)
        return self.twist
