# SPDX-License-Identifier: Apache-2.0
"""A scripted driver that knows the plan of a scene: ways to random places, turns, pauses."""

import math

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.sim.scenes.grid_path_planner import Grid
from ami_ros.sim.scenes.scene import Scene

CLEAR_M = 0.30          # ways keep this distance from obstacles where they can
START_M = 0.35
AHEAD = 3               # cells of the way ahead of the robot that it steers to
NEAR_M = 0.25           # of a target that counts as reached
STUCK_S = 4.0           # without a way covered, another target is taken


class Tour:
    """Decides the next twist from the true pose; nothing of it but the twists is recorded."""

    def __init__(self, scene: Scene, limits: tuple[float, float], rng: np.random.Generator):
        self.rng, self.limits = rng, np.array(limits)
        self.grid = Grid(scene, CLEAR_M)
        self.cells = np.argwhere(self.grid.away >= START_M)
        if not len(self.cells):
            raise AmiError(f'scene {scene.generator} {scene.seed} has no place that is '
                           f'{START_M} m from everything')
        self.path: np.ndarray | None = None
        self.left_s, self.twist, self.slow_s = 0.0, np.zeros(2), 0.0

    def start(self) -> np.ndarray:
        """Draw a pose (3,) to begin at."""
        return np.array([*self._place(), self.rng.uniform(-math.pi, math.pi)])

    def _place(self) -> np.ndarray:
        cell = self.cells[int(self.rng.integers(len(self.cells)))]
        return self.grid.point(cell) + self.rng.uniform(-0.05, 0.05, 2)

    def next(self, pose: np.ndarray, speed_mps: float, dt_s: float) -> np.ndarray:
        """Return the twist (2,) for the coming dt_s."""
        self.left_s -= dt_s
        self.slow_s = self.slow_s + dt_s if speed_mps < 0.05 and self.path is not None else 0.0
        if self.path is not None and (self.slow_s > STUCK_S or np.hypot(
                *(self.path[-1] - pose[:2])) < NEAR_M):
            self._rest()
        if self.path is None and self.left_s <= 0:
            self._choose(pose)
        return self._follow(pose, self.path) if self.path is not None else self.twist

    def _rest(self) -> None:
        """At the end of a way: look around, or stand for a moment."""
        self.path, self.slow_s = None, 0.0
        turn = self.rng.choice([-1, 1]) * self.rng.uniform(0.4, 1.0) * self.limits[1]
        if self.rng.random() < 0.75:
            self.twist, self.left_s = np.array([0.0, turn]), float(self.rng.uniform(0.8, 4.5))
        else:
            self.twist, self.left_s = np.zeros(2), float(self.rng.uniform(0.2, 0.6))

    def _choose(self, pose: np.ndarray) -> None:
        for _ in range(4):
            self.path = self.grid.path(pose, self._place())
            if self.path is not None and len(self.path) > AHEAD:
                break
        else:
            self.path = None
            self._rest()
        self.fast = float(self.rng.uniform(0.5, 1.0))

    def _follow(self, pose: np.ndarray, path: np.ndarray) -> np.ndarray:
        at = int(np.argmin(np.hypot(*(path - pose[:2]).T)))
        x, y = path[min(at + AHEAD, len(path) - 1)] - pose[:2]
        bearing = math.remainder(math.atan2(y, x) - pose[2], 2 * math.pi)
        v = self.limits[0] * self.fast * max(0.0, math.cos(bearing)) ** 2
        w = 2.2 * bearing + self.rng.normal(0, 0.25)
        return np.clip([v * self.rng.uniform(0.85, 1.0), w], -self.limits, self.limits)
