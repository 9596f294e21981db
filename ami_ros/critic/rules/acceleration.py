# SPDX-License-Identifier: Apache-2.0
"""Keeps the robot from gaining speed too fast; losing speed is free."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

# a longer silence earns no bigger leap
LONGEST_S = 0.1


@dataclass(frozen=True)
class AccelerationParams(Settings):
    """Of each axis by itself."""

    max_acceleration_mps2: float = setting(
        None, 'm/s^2', 0.05, 10.0,
        'Maximum linear acceleration; applies only while speed increases', strict='lower')
    max_turn_acceleration_radps2: float = setting(
        None, 'rad/s^2', 0.1, 50.0,
        'Maximum angular acceleration; applies only while turn rate increases', strict='lower')


@dataclass(frozen=True)
class Acceleration:
    """|axis| <= |axis of the last command, if of the same sign| + limit * passed time.

    Each axis by itself: a robot at full speed that is asked to turn as well keeps its speed.
    The time is ROS time, so that a lock-step run does not depend on the machine's pace; where
    that clock stands or jumps back, nothing may be gained.
    """

    max_acceleration_mps2: float
    max_turn_acceleration_radps2: float
    name: str = 'acceleration'
    release: ClassVar[str] = 'a little later more is allowed'

    def limit(self, command: Command, situation: Situation) -> Answer:
        wanted, last = twist(command), twist(situation.last)
        passed = (situation.now_ns - situation.last.stamp_ns) / 1e9
        passed = min(max(passed, 0.0), LONGEST_S)
        gains = (self.max_acceleration_mps2, self.max_turn_acceleration_radps2)
        allowed = tuple(gain_at_most(was, want, gain * passed)
                        for was, want, gain in zip(last, wanted, gains, strict=True))
        if allowed == wanted:
            return Answer(command)
        return Answer(Command(np.array(allowed), command.stamp_ns),
                      f'from {last[0]:.3f} m/s, {last[1]:.3f} rad/s to {wanted[0]:.3f}, '
                      f'{wanted[1]:.3f} in {passed:.3f} s is beyond {gains[0]:.3f} m/s^2, '
                      f'{gains[1]:.3f} rad/s^2')


def gain_at_most(was: float, want: float, gain: float) -> float:
    """Return `want`, or what of it may be had; a change of sign starts from zero."""
    ceiling = (abs(was) if was * want > 0 else 0.0) + gain
    return min(max(want, -ceiling), ceiling)


def make(own: AccelerationParams, shared: Shared, robot: Robot) -> Acceleration:
    """Make the rule of a policy."""
    return Acceleration(own.max_acceleration_mps2, own.max_turn_acceleration_radps2)
