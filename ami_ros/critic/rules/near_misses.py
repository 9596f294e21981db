# SPDX-License-Identifier: Apache-2.0
"""Slows a robot that had to be stopped before obstacles again and again."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, twist
from ami_ros.critic.rules.speed import slowed
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class NearMissesParams(Settings):
    """What a near miss is, how many are too many, how slow it is then."""

    near_miss_mps: float = setting(
        None, 'm/s', 0.02, 5.0,
        'A stop by a zone at this speed or faster counts as a near miss', strict='lower')
    max_near_misses: int = setting(
        None, 'times', 0, 100,
        'Maximum number of near misses within the time window before speed is '
        'limited', strict='lower')
    near_misses_s: float = setting(
        None, 's', 1.0, 60.0, 'Time window for counting near misses', strict='higher')
    wary_speed: float = setting(
        None, '1', 0.0, 1.0,
        'Share of the speed limits that remains after too many near misses', strict='lower')


@dataclass(frozen=True)
class NearMisses:
    """After more than max_near_misses only a share of the speed limits is left.

    A near miss is a stop by a zone at near_miss_mps or more: whoever drives did not see it, or
    did not care.
    """

    near_miss_mps: float
    max_near_misses: int
    near_misses_s: float
    share: float                # of the limits, 0 to 1
    max_speed_mps: float
    max_turn_radps: float
    name: str = 'near_misses'
    release: ClassVar[str] = 'a while without a near miss'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        since = situation.now_steady_ns - self.near_misses_s * 1e9
        count = sum(at >= since and speed >= self.near_miss_mps
                    for at, speed in situation.memory.misses)
        if count <= self.max_near_misses:
            return Answer(command)
        return slowed(command, self.share, self.max_speed_mps, self.max_turn_radps,
                      f'{count} near misses within {self.near_misses_s:.0f} s, limit '
                      f'{self.max_near_misses}')


def make(own: NearMissesParams, shared: Shared, robot: Robot) -> NearMisses:
    """Make the rule of a policy."""
    return NearMisses(own.near_miss_mps, own.max_near_misses, own.near_misses_s, own.wary_speed,
                      shared.max_speed_mps, shared.max_turn_radps)
