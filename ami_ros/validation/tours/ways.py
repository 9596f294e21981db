# SPDX-License-Identifier: Apache-2.0
"""Where a robot that was toured can be asked to go, and how long the shortest way there is."""

import math

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.geometry import wrap
from ami_ros.robots.robot import Robot
from ami_ros.sim.scenes.grid_path_planner import Grid, length_m
from ami_ros.sim.scenes.scene import Scene
from ami_ros.training.tour_driver import CLEAR_M
from ami_ros.validation.evaluation_protocol import CONTROL_STEP_S, STOP_M

BESIDE_M = 0.35         # of a pose from the ground that is connected, at most
SAMPLE_M = 0.05         # along a straight line, to see whether it is clear


def largest_part(grid: Grid, among: np.ndarray) -> np.ndarray:
    """Return which cells (W, H) are the largest connected part of the free ones among others."""
    left, best = grid.free & among, np.zeros(grid.shape, bool)
    while left.sum() > best.sum():
        part = grid.reached(grid.point(np.argwhere(left)[0]))
        if (part & among).sum() > best.sum():
            best = part & among
        left = left & ~part
    return best


class Ways:
    """Ground of a scene that the tour can reach, and shortest ways on it."""

    def __init__(self, scene: Scene, robot: Robot, toured: Scene):
        before, self.grid = Grid(toured, CLEAR_M), Grid(scene, CLEAR_M)
        self.scene, self.limits = scene, robot.limits
        self.clear_m = robot.radius_m + STOP_M      # of start and goal poses
        self.part = largest_part(self.grid, largest_part(before, before.free))
        self.cells = np.argwhere(self.part)

    def holds(self, pose: np.ndarray) -> bool:
        """Tell whether a pose is clear and beside ground that can be reached."""
        near = self.grid.near(pose)
        if near is None or not self.part[near]:
            return False
        return bool(np.hypot(*(self.grid.point(near) - pose[:2])) <= BESIDE_M
                    and self.scene.distance(pose[:2]) >= self.clear_m)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a pose (3,) that is clear; ValueError where there is none."""
        for _ in range(1000 * bool(len(self.cells))):
            cell = self.cells[int(rng.integers(len(self.cells)))]
            beside = rng.uniform(-0.5, 0.5, 2) * self.grid.cell_m
            pose = np.array([*self.grid.point(cell) + beside, rng.uniform(-math.pi, math.pi)])
            if self.holds(pose):
                return pose
        raise AmiError(f'scene {self.scene.generator} {self.scene.seed} has no ground that is '
                       f'{CLEAR_M} m from everything')

    def actions(self, start: np.ndarray, goal: np.ndarray) -> float | None:
        """Return the length of the shortest way in actions; None: there is no way.

        Straight lines at the largest speed, and turns on the spot at the largest turn rate.
        """
        path = self.grid.path(start, goal)
        if path is None:
            return None
        path = self.straight(np.concatenate([start[None, :2], path, goal[None, :2]]))
        steps = np.diff(path, axis=0)
        steps = steps[np.hypot(*steps.T) > 1e-6]
        headings = np.array([start[2], *np.arctan2(steps[:, 1], steps[:, 0]), goal[2]])
        turn_rad = float(np.abs(wrap(np.diff(headings))).sum())
        seconds = length_m(path) / self.limits[0] + turn_rad / self.limits[1]
        return seconds / CONTROL_STEP_S

    def straight(self, path: np.ndarray) -> np.ndarray:
        """Leave out the points of a way (P, 2) that straight lines make superfluous."""
        out, last = [path[0]], len(path) - 1
        at = 0
        while at < last:
            ahead = at + 1
            while ahead < last and self.visible(path[at], path[ahead + 1]):
                ahead += 1
            out.append(path[ahead])
            at = ahead
        return np.array(out)

    def visible(self, one: np.ndarray, other: np.ndarray) -> bool:
        """Tell whether a straight line is clear, but for as near as its ends are."""
        count = math.ceil(float(np.hypot(*(other - one))) / SAMPLE_M) + 1
        share = np.linspace(0, 1, count)[:, None]
        away = self.scene.distance(one + share * (other - one))
        return bool(away.min() >= min(self.clear_m, away[0], away[-1]))
