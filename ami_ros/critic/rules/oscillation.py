# SPDX-License-Identifier: Apache-2.0
"""Stops a robot that goes to and fro."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class OscillationParams(Settings):
    """How often it may change its direction."""

    max_reversals: int = setting(
        None, 'times', 2, 500,
        'Maximum number of direction reversals, counted on both axes, within the '
        'time window', strict='lower')
    oscillation_s: float = setting(
        None, 's', 1.0, 60.0, 'Time window for counting direction reversals')


@dataclass(frozen=True)
class Oscillation:
    """Changes of direction within oscillation_s, of either axis, <= max_reversals."""

    max_reversals: int
    oscillation_s: float
    name: str = 'oscillation'
    release: ClassVar[str] = 'a while without a change of direction'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        since = situation.now_steady_ns - self.oscillation_s * 1e9
        count = sum(at >= since for at in situation.memory.reversals)
        if not count <= self.max_reversals:
            raise Stop(f'it changed its direction {count} times within {self.oscillation_s:.1f} '
                       f's, limit {self.max_reversals}')
        return Answer(command)


def make(own: OscillationParams, shared: Shared, robot: Robot) -> Oscillation:
    """Make the rule of a policy."""
    return Oscillation(own.max_reversals, own.oscillation_s)
