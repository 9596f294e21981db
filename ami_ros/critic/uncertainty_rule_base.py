# SPDX-License-Identifier: Apache-2.0
"""Slows the robot where a number that its plan bears says that the world model is in doubt."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.rules.speed import slowed


@dataclass(frozen=True)
class Doubt:
    """What `surprise` and `out_of_distribution` share; `of` is the number of the plan."""

    of: ClassVar[str]

    most: float
    share: float                # of the limits, 0 to 1
    max_speed_mps: float
    max_turn_radps: float

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        if situation.plan is None:
            raise Stop(f'no plan has come, its {self.of} is unknown')
        found = getattr(situation.plan, self.of)
        if not math.isfinite(found):
            raise Stop(f'the {self.of} of the plan is {found}')
        if found <= self.most:
            return Answer(command)
        return slowed(command, self.share, self.max_speed_mps, self.max_turn_radps,
                      f'{self.of} is {found:.2f}, limit {self.most:.2f}')
