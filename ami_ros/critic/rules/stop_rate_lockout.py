# SPDX-License-Identifier: Apache-2.0
"""Stops for good, until somebody resets it, a robot that rules had to stop too often."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

MINUTE_S = 60.0


@dataclass(frozen=True)
class StopRateLockoutParams(Settings):
    """How many are too many."""

    max_stops: int = setting(
        None, 'times', 1, 500,
        'Maximum number of stops within one minute; exceeding it latches a stop', strict='lower')


@dataclass(frozen=True)
class StopRateLockout:
    """Stops of what moved, by a rule and within a minute, <= max_stops.

    Somebody should look what is wrong before it goes on. Taking a permit away is no such stop.
    """

    max_stops: int
    name: str = 'stop_rate_lockout'
    release: ClassVar[str] = 'a minute at rest, and somebody calls critic/reset'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        since = situation.now_steady_ns - MINUTE_S * 1e9
        count = sum(at >= since for at in situation.memory.stops)
        if not count <= self.max_stops:
            raise Stop(f'rules stopped it {count} times within a minute, limit {self.max_stops}',
                       latch=True)
        return Answer(command)


def make(own: StopRateLockoutParams, shared: Shared, robot: Robot) -> StopRateLockout:
    """Make the rule of a policy."""
    return StopRateLockout(own.max_stops)
