# SPDX-License-Identifier: Apache-2.0
"""Keeps the robot from gaining speed with a jolt; losing speed is free."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, twist
from ami_ros.critic.rules.acceleration import gain_at_most, LONGEST_S
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class JerkParams(Settings):
    """Of each axis by itself."""

    max_jerk_mps3: float = setting(
        None, 'm/s^3', 0.5, 1000.0,
        'Maximum linear jerk; applies only while speed increases', strict='lower')
    max_turn_jerk_radps3: float = setting(
        None, 'rad/s^3', 1.0, 5000.0,
        'Maximum angular jerk; applies only while turn rate increases', strict='lower')


@dataclass(frozen=True)
class Jerk:
    """gain now / passed time <= gain before / its time + limit * passed time; each axis.

    A gain is of the speed, without its sign; a loss before counts as none. As in `acceleration`
    the time is ROS time, and a change of sign begins from zero.
    """

    max_jerk_mps3: float
    max_turn_jerk_radps3: float
    name: str = 'jerk'
    release: ClassVar[str] = 'a little later more is allowed'

    def limit(self, command: Command, situation: Situation) -> Answer:
        wanted, last = twist(command), twist(situation.last)
        before = situation.memory.before
        passed = clipped(situation.now_ns - situation.last.stamp_ns)
        earlier, took = (last, 0.0) if before is None else (
            twist(before), clipped(situation.last.stamp_ns - before.stamp_ns))
        allowed = []
        for want, was, old, most in zip(
                wanted, last, earlier, (self.max_jerk_mps3, self.max_turn_jerk_radps3),
                strict=True):
            gained = max(0.0, abs(was) - abs(old)) if was * old >= 0 else abs(was)
            slope = gained / took if took > 0.0 else 0.0
            if was * want < 0:
                slope = 0.0
            allowed.append(gain_at_most(was, want, (slope + most * passed) * passed))
        if tuple(allowed) == wanted:
            return Answer(command)
        return Answer(Command(np.array(allowed), command.stamp_ns),
                      f'from {last[0]:.3f} m/s, {last[1]:.3f} rad/s to {wanted[0]:.3f}, '
                      f'{wanted[1]:.3f} in {passed:.3f} s is a jolt beyond '
                      f'{self.max_jerk_mps3:.3f} m/s^3, {self.max_turn_jerk_radps3:.3f} rad/s^3')


def clipped(passed_ns: int) -> float:
    """Return seconds; a clock that jumped back passed none, a long silence earns no leap."""
    return min(max(passed_ns / 1e9, 0.0), LONGEST_S)


def make(own: JerkParams, shared: Shared, robot: Robot) -> Jerk:
    """Make the rule of a policy."""
    return Jerk(own.max_jerk_mps3, own.max_turn_jerk_radps3)
