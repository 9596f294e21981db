# SPDX-License-Identifier: Apache-2.0
"""Draws straight ways through a room on which a rover can reach its top speed."""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.robots.robot import Robot
from ami_ros.sim.furnished_room import Place

LENGTH_M = 2.6          # to gain full speed, to be struck, and not to arrive meanwhile
BESIDE_M = 0.20         # kept clear around the robot: the guard slows it nearer to things
STEP_M = 0.05
TRIES = 20_000


@dataclass(frozen=True)
class Lane:
    """Where it starts, and the pose at its end at which the goal picture is taken."""

    start: np.ndarray       # (3,) x m, y m, yaw rad, room frame
    goal: np.ndarray        # (3,)


def lane(world: Place, robot: Robot, rng: np.random.Generator) -> Lane:
    """Draw one; RuntimeError where the room is too full."""
    clear = robot.radius_m + BESIDE_M
    along = np.arange(0.0, LENGTH_M + STEP_M / 2, STEP_M)
    for _ in range(TRIES):
        x, y = rng.uniform(-world.half_m, world.half_m, 2)
        yaw = rng.uniform(-math.pi, math.pi)
        way = np.stack([x + along * math.cos(yaw), y + along * math.sin(yaw)], 1)
        if world.distance(way).min() >= clear:
            return Lane(np.array([x, y, yaw]), np.array([*way[-1], yaw]))
    raise RuntimeError(f'no straight way of {LENGTH_M} m, {clear:.2f} m clear on both sides, is '
                       f'in room {world.seed}')
