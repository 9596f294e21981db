# SPDX-License-Identifier: Apache-2.0
"""The planners that `ami-ros evaluate --tour` compares, by name."""

from collections.abc import Callable
import time

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.inference import Options
from ami_ros.inference.pair_networks import GeneralNetworks
from ami_ros.modules.module import fits, Module, open_module, shipped
from ami_ros.modules.module_kinds import GENERAL, MIND
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
    """Make the planner that remembers the tour; AmiError for a module of another kind."""
    if module.kind != GENERAL:
        raise AmiError(f'{module.path} is a module of kind {module.kind}; --planner general needs '
                       f'one of kind {GENERAL}, which ami-ros pretrain makes')
    fits(module, robot)
    _, actor, energy = settings(asked.settings)
    return TouredGeneral(PlaceMind(
        GeneralNetworks(module, asked.backend, Options(asked.precision)), robot.actuation_lag_s,
        robot.limits, actor, energy, time.monotonic_ns))


# One line per planner: its factory, and the kind of the module that it uses where none is named.
# A factory other than the oracle's does not look at `truth`.
PLANNERS: dict[str, tuple[Factory, str]] = {
    'oracle': (oracle, MIND),
    'general': (general, GENERAL),
}


def known(name: str) -> tuple[Factory, str]:
    """Return the factory of a planner and its kind of module; AmiError lists those there are."""
    if name not in PLANNERS:
        raise AmiError(f'no planner {name!r} can be toured; there are: {", ".join(PLANNERS)}')
    return PLANNERS[name]


def module_of(asked: Asked) -> Module:
    """Open the module that is asked for, or the shipped one of the planner's kind."""
    return open_module(asked.module or shipped(known(asked.planner)[1]))
