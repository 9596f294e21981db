# SPDX-License-Identifier: Apache-2.0
"""Stops when odometry leaps further than any wheels could drive."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

ROUNDING = 1e-9             # of a sum; one leap may be exactly as large as its limit


@dataclass(frozen=True)
class OdometryJumpParams(Settings):
    """What a leap is, beyond what the robot can drive, and how long nothing is believed then."""

    max_leap_m: float = setting(
        None, 'm', 0.01, 5.0,
        'Maximum position jump between two readings, beyond the distance '
        'possible at full speed', strict='lower')
    max_leap_deg: float = setting(
        None, 'deg', 0.5, 180.0,
        'Maximum heading jump between two readings, beyond the turn possible at '
        'full turn rate', strict='lower')
    leap_hold_s: float = setting(
        None, 's', 0.0, 10.0,
        'Time for which the stop persists after an odometry jump', strict='higher')


@dataclass(frozen=True)
class OdometryJump:
    """way between two readings <= twice the robot's full speed * passed time + max_leap_m.

    Likewise for turning; and what goes beyond full speed within leap_hold_s adds up to no more
    than one leap may have. Twice, since a reading may come late and the next in time. Zones go by
    what the sensors see, not by a place, so for them it is over at once; the belief that plans are
    made from takes leap_hold_s until sight has put it right. A fence goes by the place for ever:
    beside one a leap latches.
    """

    max_leap_m: float
    max_leap_deg: float
    leap_hold_s: float
    full_speed_mps: float       # of the robot, not of the policy: somebody may push it
    full_turn_radps: float
    name: str = 'odometry_jump'
    latches: bool = False       # there is a fence
    release: ClassVar[str] = 'odometry goes on evenly for a while; beside a fence also a reset'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        beyond_m = beyond_deg = 0.0
        for leap in situation.memory.leaps:
            ago = (situation.now_steady_ns - leap.steady_ns) / 1e9
            if ago > self.leap_hold_s:
                continue
            most_m = 2 * self.full_speed_mps * leap.passed_s + self.max_leap_m
            most = math.degrees(2 * self.full_turn_radps * leap.passed_s) + self.max_leap_deg
            turned = math.degrees(leap.turned_rad)
            if leap.moved_m <= most_m and turned <= most:
                beyond_m += max(0.0, leap.moved_m - most_m + self.max_leap_m)
                beyond_deg += max(0.0, turned - most + self.max_leap_deg)
                continue
            raise Stop(f'the {leap.name} leapt by {leap.moved_m:.3f} m, {turned:.1f} degrees in '
                       f'{leap.passed_s:.3f} s, {ago:.3f} s ago; limits {most_m:.3f} m, '
                       f'{most:.1f} degrees', latch=self.latches)
        if beyond_m > self.max_leap_m + ROUNDING or beyond_deg > self.max_leap_deg + ROUNDING:
            raise Stop(f'odometry leapt by {beyond_m:.3f} m, {beyond_deg:.1f} degrees in small '
                       f'leaps within {self.leap_hold_s:.3f} s; limits {self.max_leap_m:.3f} m, '
                       f'{self.max_leap_deg:.1f} degrees', latch=self.latches)
        return Answer(command)


def make(own: OdometryJumpParams, shared: Shared, robot: Robot) -> OdometryJump:
    """Make the rule of a policy."""
    return OdometryJump(own.max_leap_m, own.max_leap_deg, own.leap_hold_s, robot.max_speed_mps,
                robot.max_turn_radps)
