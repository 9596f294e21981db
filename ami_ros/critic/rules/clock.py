# SPDX-License-Identifier: Apache-2.0
"""Stops for a while when ROS time jumps against the steady clock."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class ClockParams(Settings):
    """What a jump is, and how long nothing is believed after one."""

    max_jump_s: float = setting(
        None, 's', 0.02, 5.0,
        'Maximum clock jump between two evaluations, forward or backward', strict='lower')
    jump_hold_s: float = setting(
        None, 's', 0.0, 10.0,
        'Time for which the stop persists after a clock jump', strict='higher')


@dataclass(frozen=True)
class ClockJump:
    """| passed ROS time - passed steady time | <= max_jump_s, from one judgement to the next.

    After a jump the ages of what came before it mean nothing.
    """

    max_jump_s: float
    jump_hold_s: float
    name: str = 'clock'
    release: ClassVar[str] = 'the clock runs evenly for a while'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        for when_ns, jump_s in situation.memory.jumps:
            ago = (situation.now_steady_ns - when_ns) / 1e9
            if not abs(jump_s) <= self.max_jump_s and not ago > self.jump_hold_s:
                raise Stop(f'the clock jumped by {jump_s:+.3f} s {ago:.3f} s ago, limit '
                           f'{self.max_jump_s:.3f} s')
        return Answer(command)


def make(own: ClockParams, shared: Shared, robot: Robot) -> ClockJump:
    """Make the rule of a policy."""
    return ClockJump(own.max_jump_s, own.jump_hold_s)
