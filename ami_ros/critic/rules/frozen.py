# SPDX-License-Identifier: Apache-2.0
"""Stops when a sensor goes on saying the same while the robot moves, or repeats its stamp."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class FrozenParams(Settings):
    """How far the robot may move under the very same view."""

    max_frozen_m: float = setting(
        None, 'm', 0.005, 1.0,
        'Stop if the robot travels this far while a sensor repeats the same '
        'reading', strict='lower')
    max_frozen_deg: float = setting(
        None, 'deg', 0.5, 90.0,
        'Stop if the robot turns this far while a sensor repeats the same '
        'reading', strict='lower')
    max_same_stamps: int = setting(
        None, 'messages', 1, 1000,
        'Maximum number of consecutive messages with the same stamp', strict='lower')
    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which the stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class Frozen:
    """Messages count, not ticks: one that is late is the business of `input_timeout`.

    Of the required sensors. A view without a single echo is not known to be frozen.
    """

    max_frozen_m: float
    max_frozen_deg: float
    max_same_stamps: int
    names: tuple[str, ...]      # of the required sensors
    name: str = 'frozen'
    release_s: float = 0.0      # it stands on after the cause is gone
    release: ClassVar[str] = 'the sensor says something else'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        for same in situation.memory.sameness:
            if same.name not in self.names:
                continue
            if not same.repeats <= self.max_same_stamps:
                raise Stop(f'{same.repeats} messages of the {same.name} repeat a stamp, limit '
                           f'{self.max_same_stamps}')
            turned = math.degrees(same.turned_rad)
            if not same.moved_m < self.max_frozen_m:
                raise Stop(f'the {same.name} says the same after {same.moved_m:.3f} m, limit '
                           f'{self.max_frozen_m:.3f} m')
            if not turned < self.max_frozen_deg:
                raise Stop(f'the {same.name} says the same after a turn of {turned:.1f} degrees, '
                           f'limit {self.max_frozen_deg:.1f}')
        return Answer(command)


def make(own: FrozenParams, shared: Shared, robot: Robot) -> Frozen:
    """Make the rule of a policy."""
    return Frozen(own.max_frozen_m, own.max_frozen_deg, own.max_same_stamps, robot.required,
                  release_s=own.release_s)
