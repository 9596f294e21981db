# SPDX-License-Identifier: Apache-2.0
"""Slows the robot where the heads of its world model tell different futures."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.agent.robots.robot import Robot
from ami_ros.agent.rules.rule import Answer, Stop, twist
from ami_ros.agent.rules.shared import Shared
from ami_ros.agent.rules.speed import slowed
from ami_ros.agent.settings import setting, Settings
from ami_ros.agent.types import Command, Situation


@dataclass(frozen=True)
class Numbers(Settings):
    """From when on it is slow, and how slow."""

    max_disagreement: float = setting(None, '1', 1.0, 100.0,
                                      'ordinary is 1; above this, slow down', strict='lower')
    doubtful_speed: float = setting(None, '1', 0.0, 1.0, 'share of the speed limits left then',
                                    strict='lower')


@dataclass(frozen=True)
class Disagreement:
    """Above max_disagreement only a share of the speed limits is left. Keeps the curvature."""

    max_disagreement: float     # 1 is ordinary
    share: float                # of the limits, 0 to 1
    max_speed_mps: float
    max_turn_radps: float
    name: str = 'disagreement'
    release: ClassVar[str] = 'the world model agrees with itself'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        if situation.plan is None:
            raise Stop('no plan has come, its disagreement is unknown')
        found = situation.plan.disagreement
        if not math.isfinite(found):
            raise Stop(f'the disagreement of the plan is {found}')
        if found <= self.max_disagreement:
            return Answer(command)
        return slowed(command, self.share, self.max_speed_mps, self.max_turn_radps,
                      f'disagreement is {found:.2f}, limit {self.max_disagreement:.2f}')


def make(own: Numbers, shared: Shared, robot: Robot) -> Disagreement:
    """Make the rule of a policy."""
    return Disagreement(own.max_disagreement, own.doubtful_speed, shared.max_speed_mps,
                        shared.max_turn_radps)
