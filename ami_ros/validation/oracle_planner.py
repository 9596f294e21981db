# SPDX-License-Identifier: Apache-2.0
"""The same search on the rover's kinematics with the true pose and the true map."""

import numpy as np

from ami_ros.actor.body_model import BodyModel
from ami_ros.actor.cem import Actor
from ami_ros.actor.cost_to_go import Map
from ami_ros.core.settings import ActorSettings, EnergySettings
from ami_ros.core.types import Belief, Command, Frame, Goal, Plan
from ami_ros.robots.robot import Robot
from ami_ros.sim.furnished_room import Place

CELL_M = 0.1


def true_map(world: Place) -> Map:
    """The map that a module would learn if it knew everything."""
    axis = np.arange(-world.half_m, world.half_m + 1e-9, CELL_M)
    near = world.distance(np.stack(np.meshgrid(axis, axis, indexing='ij'), -1))
    cost = 1 + 7 * np.clip((0.40 - near) / 0.18, 0, 1) ** 2
    return Map(np.where(near < 0.18, 20.0, cost), np.array([axis[0]] * 2), CELL_M)


class OraclePlanner:
    """Knows where it is and where everything stands."""

    def __init__(self, world: Place, robot: Robot, settings: ActorSettings,
                 weights: EnergySettings, truth):
        model = BodyModel(robot.actuation_lag_s)
        self.actor = Actor(model, model.place, true_map(world), robot.limits, settings, weights,
                           lambda: 0)
        self.truth = truth
        self.goal_pose: np.ndarray | None = None
        self.goal: Goal | None = None

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Take the pose that somebody told."""
        self.actor.act_nothing()
        assert self.goal_pose is not None
        self.goal = Goal(self.goal_pose, self.goal_pose, 1)

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Search from the true pose."""
        pose = self.truth()
        belief = Belief(pose, frame.body, pose, frame.odometry, frame.stamp_ns, 1.0, 1.0,
                        frame.number, frame.run)
        return self.actor.act(belief, belief, self.goal)
