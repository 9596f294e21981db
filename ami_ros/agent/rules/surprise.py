# SPDX-License-Identifier: Apache-2.0
"""Slows the robot where the world is not what its model expects."""

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

    max_surprise: float = setting(None, '1', 1.0, 100.0, 'ordinary is 1; above this, slow down',
                                  strict='lower')
    surprised_speed: float = setting(None, '1', 0.0, 1.0, 'share of the speed limits left then',
                                     strict='lower')


@dataclass(frozen=True)
class Surprise:
    """Above max_surprise only a share of the speed limits is left. Keeps the curvature."""

    max_surprise: float         # 1 is ordinary
    share: float                # of the limits, 0 to 1
    max_speed_mps: float
    max_turn_radps: float
    name: str = 'surprise'
    release: ClassVar[str] = 'the world model expects what it sees'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        if situation.plan is None:
            raise Stop('no plan has come, its surprise is unknown')
        surprise = situation.plan.surprise
        if not math.isfinite(surprise):
            raise Stop(f'the surprise of the plan is {surprise}')
        if surprise <= self.max_surprise:
            return Answer(command)
        return slowed(command, self.share, self.max_speed_mps, self.max_turn_radps,
                      f'surprise is {surprise:.2f}, limit {self.max_surprise:.2f}')


def make(own: Numbers, shared: Shared, robot: Robot) -> Surprise:
    """Make the rule of a policy."""
    return Surprise(own.max_surprise, own.surprised_speed, shared.max_speed_mps,
                    shared.max_turn_radps)
