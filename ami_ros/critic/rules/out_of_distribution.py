# SPDX-License-Identifier: Apache-2.0
"""Slows the robot where its images are unlike what its module learned: place, light or lens."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.critic.uncertainty_rule_base import Doubt
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class OutOfDistributionParams(Settings):
    """From when on it is slow, and how slow."""

    max_out_of_distribution: float = setting(
        None, '1', 0.1, 100.0,
        'Limit speed if images are more unlike the training data than this; 1 is the threshold '
        'from held-out drives of the module', strict='lower')
    unfamiliar_speed: float = setting(
        None, '1', 0.0, 1.0,
        'Share of the speed limits that remains while images are unlike the training data',
        strict='lower')


@dataclass(frozen=True)
class OutOfDistribution(Doubt):
    """Above max_out_of_distribution only a share of the speed limits is left.

    NaN says that the module has no such figure, or that a person drives; nothing is limited then.
    A broken latent cannot hide behind it: the surprise of its plan is NaN as well, and that stops.
    """

    of: ClassVar[str] = 'out_of_distribution'
    release: ClassVar[str] = 'images are like the training data'
    name: str = 'out_of_distribution'

    def limit(self, command: Command, situation: Situation) -> Answer:
        plan = situation.plan
        if plan is not None and math.isnan(plan.out_of_distribution):
            twist(command)
            return Answer(command)
        return super().limit(command, situation)


def make(own: OutOfDistributionParams, shared: Shared, robot: Robot) -> OutOfDistribution:
    """Make the rule of a policy."""
    return OutOfDistribution(own.max_out_of_distribution, own.unfamiliar_speed,
                             shared.max_speed_mps, shared.max_turn_radps)
