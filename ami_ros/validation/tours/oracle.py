# SPDX-License-Identifier: Apache-2.0
"""The oracle for scenes: true pose, true map, the same search; it remembers nothing of a tour."""

import numpy as np

from ami_ros.actor.cem import Actor
from ami_ros.actor.cost_to_go import Map, Way
from ami_ros.core.settings import ActorSettings, EnergySettings
from ami_ros.core.types import Belief, Command, Frame, Goal, Plan, Scan
from ami_ros.robots.robot import Robot
from ami_ros.sim.scenes.scene import Scene
from ami_ros.validation.oracle import CELL_M, Kinematics
from ami_ros.validation.tours.toured_planner import LOCALISED, Truth

CLOSED = 1000.0         # cost of a cell that the robot does not fit into: no way leads through
LONGER = 8.0            # times the longest way that `Way` solves, which is a minute


def true_map(scene: Scene, robot: Robot) -> Map:
    """Return the map of a scene.

    Walls between rooms are closed. With a finite cost of a few seconds, as in the protocol's one
    room, a way through a wall would be shorter than one around through a door.
    """
    x0, y0, x1, y1 = scene.bounds
    axes = (np.arange(x0, x1 + CELL_M, CELL_M), np.arange(y0, y1 + CELL_M, CELL_M))
    near = scene.distance(np.stack(np.meshgrid(*axes, indexing='ij'), -1))
    cost = 1 + 7 * np.clip((0.40 - near) / 0.18, 0, 1) ** 2
    return Map(np.where(near < robot.radius_m - CELL_M / 2, CLOSED, cost), np.array([x0, y0]),
               CELL_M)


class LongWay(Way):
    """Seconds to the goal, for ways of up to some minutes."""

    def _solve(self, reverse: float) -> np.ndarray:
        limits = self.limits
        self.limits = (limits[0] * LONGER, limits[1] * LONGER)
        table = super()._solve(reverse)
        self.limits = limits
        return np.float32(LONGER) * table


class LongWayActor(Actor):
    """The search, with ways of up to some minutes."""

    def set_goal(self, goal: Goal) -> None:
        """Take a new goal."""
        self.act_nothing()
        self.goal = goal
        self.way = LongWay(self.ground, goal.place, tuple(self.limits))


class Anywhere:
    """A floor without obstacles: the search takes them from the map."""

    seed, half_m = 0, 0.0

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Return a large distance (...,)."""
        return np.full(points.shape[:-1], 9.0)


class TouredOracle:
    """Knows where it is, where everything stands and where the goal is."""

    def __init__(self, truth: Truth, robot: Robot, settings: ActorSettings,
                 weights: EnergySettings):
        self.truth, self.failure = truth, ''
        self.located: tuple[np.ndarray | None, str] = None, LOCALISED
        self.goal_place: np.ndarray | None = None
        model = Kinematics(Anywhere(), robot)
        self.actor = LongWayActor(model, model.place, true_map(truth.scene, robot), robot.limits,
                                  settings, weights, lambda: 0)
        self.robot, self.scene, self.goal = robot, truth.scene, Goal(np.zeros(3), np.zeros(3), 0)

    def tour(self, frame: Frame, scan: Scan) -> None:
        """Nothing: it knows."""

    def finish_tour(self) -> None:
        """Nothing."""

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Take the goal pose, and the map of the scene as it stands now."""
        goal = self.truth.goal
        assert goal is not None
        if self.scene is not self.truth.scene:
            self.scene = self.truth.scene
            self.actor.ground = true_map(self.scene, self.robot)
        self.actor.act_nothing()
        self.goal = Goal(goal, goal, self.goal.number + 1)
        self.goal_place, self.failure = self.truth.remembered(goal), ''

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Search from the true pose."""
        pose = self.truth.pose()
        self.located = self.truth.remembered(pose), LOCALISED
        belief = Belief(pose, frame.body, pose, frame.odometry, frame.stamp_ns, 1.0, 1.0,
                        frame.number, frame.run)
        plan = self.actor.act(belief, belief, self.goal)
        self.failure = self.actor.failure
        return plan
