# SPDX-License-Identifier: Apache-2.0
"""Stops when a lidar has met nothing at all for too long: it may be covered, or see nothing."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class EmptyScanParams(Settings):
    """For how long a lidar may meet nothing."""

    max_empty_s: float = setting(
        None, 's', 0.1, 3600.0,
        'Maximum time a lidar may have no return within its range; use a larger '
        'value in places larger than the range', strict='lower')


@dataclass(frozen=True)
class EmptyScan:
    """Time since a scan of each required LaserScan met something <= max_empty_s.

    Nothing moves before the first such scan. A scan that says everywhere that nothing is in range
    is right in a place that is larger than the range, and is what a lidar says whose laser is
    off: the scan alone does not tell the two apart.
    """

    max_empty_s: float
    names: tuple[str, ...]      # of the required planar lidars
    name: str = 'empty_scan'
    release: ClassVar[str] = 'the lidar meets something within its range'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        met = dict(situation.memory.met)
        for name in self.names:
            if name not in met:
                raise Stop(f'the {name} has met nothing within its range yet; put something there')
            passed = (situation.now_steady_ns - met[name]) / 1e9
            if not passed <= self.max_empty_s:
                raise Stop(f'the {name} has met nothing within its range for {passed:.3f} s, '
                           f'limit {self.max_empty_s:.3f} s')
        return Answer(command)


def make(own: EmptyScanParams, shared: Shared, robot: Robot) -> EmptyScan:
    """Make the rule of a policy."""
    return EmptyScan(own.max_empty_s, tuple(
        sensor.name for sensor in robot.sensors_of('LaserScan') if sensor.required))
