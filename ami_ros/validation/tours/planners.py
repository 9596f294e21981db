# SPDX-License-Identifier: Apache-2.0
"""The planners that `ami-ros evaluate --tour` compares, by name."""

from collections.abc import Callable

from ami_ros.modules.module import Module
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


# One line per planner; a factory other than the oracle's does not look at `truth`.
PLANNERS: dict[str, Factory] = {
    'oracle': oracle,
}


def known(name: str) -> Factory:
    """Return the factory of a planner; ValueError lists those there are."""
    if name not in PLANNERS:
        raise ValueError(f'no planner {name!r} can be toured; there are: {", ".join(PLANNERS)}')
    return PLANNERS[name]
