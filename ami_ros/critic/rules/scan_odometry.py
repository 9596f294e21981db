# SPDX-License-Identifier: Apache-2.0
"""Stops, until somebody resets it, when scans do not change as odometry says the robot moved."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.rules.speed import slowed
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class ScanOdometryParams(Settings):
    """How often they may contradict, and how fast the robot is until they have agreed."""

    max_contradictions: int = setting(
        None, 'times', 0, 10,
        'Maximum number of consecutive scans that contradict odometry after the '
        'first agreement', strict='lower')
    unproven_speed: float = setting(
        None, '1', 0.05, 1.0,
        'Share of the speed limits that remains until scans and odometry have '
        'agreed once', strict='lower')


@dataclass(frozen=True)
class ScanOdometry:
    """Contradictions in a row <= max_contradictions; before the first agreement there is none.

    A comparison contradicts where seven of ten beams that can tell fit another motion than that
    of odometry: none at all (a lidar that repeats an old scan, wheels that spin), or the one that
    a lidar would see that is turned by 90 or 180 degrees, or mirrored. Where too few beams tell,
    as in an empty hall or along two even walls, it is neither. It latches. Where nobody asks for
    a motion it is not asked.
    """

    max_contradictions: int
    unproven_speed: float       # share of the limits
    max_speed_mps: float
    max_turn_radps: float
    names: tuple[str, ...]      # of the required sensors whose points are where they say
    name: str = 'scan_odometry'
    release: ClassVar[str] = 'somebody looks at lidar and wheels, and calls critic/reset'

    def limit(self, command: Command, situation: Situation) -> Answer:
        if not any(twist(command)):
            return Answer(command)
        found = {one.name: one for one in situation.memory.scan_motions}
        unproven = ''
        for name in self.names:
            one = found.get(name)
            agreed = one is not None and one.agreed
            allowed = self.max_contradictions if agreed else 0
            if one is not None and not one.contradictions <= allowed:
                raise Stop(f'{one.votes} of {one.beams} beams of the {name} that can tell fit the '
                           f'motion {one.instead}, not that of odometry: {one.contradictions} '
                           f'times in a row, limit {allowed}', latch=True)
            unproven = unproven or ('' if agreed else name)
        if not unproven:
            return Answer(command)
        return slowed(command, self.unproven_speed, self.max_speed_mps, self.max_turn_radps,
                      f'the {unproven} and odometry have not agreed on a motion yet')


def make(own: ScanOdometryParams, shared: Shared, robot: Robot) -> ScanOdometry:
    """Make the rule of a policy."""
    names = tuple(sensor.name for sensor in robot.sensors_of('LaserScan', 'PointCloud2')
                  if sensor.required)
    return ScanOdometry(own.max_contradictions, own.unproven_speed, shared.max_speed_mps,
                        shared.max_turn_radps, names)
