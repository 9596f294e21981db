# SPDX-License-Identifier: Apache-2.0
"""The planners that `ami-ros evaluate --tour` compares, by name."""

from collections.abc import Callable
import time

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.inference.pair_networks import GeneralNetworks
from ami_ros.modules.module import Module
from ami_ros.place_mind import PlaceMind
from ami_ros.robots.robot import Robot
from ami_ros.validation.evaluate import settings
from ami_ros.validation.tours.asked import Asked
from ami_ros.validation.tours.oracle import TouredOracle
from ami_ros.validation.tours.toured_planner import TouredPlanner, Truth

Factory = Callable[[Asked, Module, Robot, Truth], TouredPlanner]


def oracle(asked: Asked, module: Module, robot: Robot, truth: Truth) -> TouredPlanner:
    """Make the planner that knows the truth."""
    _, actor, energy = settings(asked.settings)
    return TouredOracle(truth, robot, actor, energy)


class TouredGeneral:
    """The general model with a place memory, behind the interface of the evaluation."""

    def __init__(self, mind: PlaceMind):
        self.mind = mind
        self.tour, self.finish_tour, self.decide = mind.tour, mind.finish_tour, mind.decide

    @property
    def located(self) -> tuple[np.ndarray | None, str]:
        """The believed pose and the state of the localisation."""
        return self.mind.located

    @property
    def failure(self) -> str:
        """Why the goal was given up."""
        return self.mind.failure

    @property
    def goal_place(self) -> np.ndarray | None:
        """Where the goal image is believed to have been taken, (3,)."""
        return self.mind.goal_pose

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Take a goal picture."""
        self.mind.begin(picture)


def general(asked: Asked, module: Module, robot: Robot, truth: Truth) -> TouredPlanner:
    """Make the planner that remembers the tour."""
    _, actor, energy = settings(asked.settings)
    return TouredGeneral(PlaceMind(GeneralNetworks(module), robot.actuation_lag_s, robot.limits,
                                   actor, energy, time.monotonic_ns))


# One line per planner; a factory other than the oracle's does not look at `truth`.
PLANNERS: dict[str, Factory] = {
    'oracle': oracle,
    'general': general,
}


def known(name: str) -> Factory:
    """Return the factory of a planner; ValueError lists those there are."""
    if name not in PLANNERS:
        raise AmiError(f'no planner {name!r} can be toured; there are: {", ".join(PLANNERS)}')
    return PLANNERS[name]
