# SPDX-License-Identifier: Apache-2.0
"""Keeps both axes within their limits."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, scaled, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class SpeedParams(Settings):
    """The limits are shared."""


@dataclass(frozen=True)
class Speed:
    """scale = min(1, max_v / |v|, max_w / |w|): keeps the curvature, gives up speed."""

    max_speed_mps: float
    max_turn_radps: float
    name: str = 'speed'
    release: ClassVar[str] = 'a slower wish'

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        share = within(v, w, self.max_speed_mps, self.max_turn_radps)
        if share == 1.0:
            return Answer(command)
        return Answer(scaled(command, share),
                      f'{v:.3f} m/s, {w:.3f} rad/s is beyond {self.max_speed_mps:.3f} m/s, '
                      f'{self.max_turn_radps:.3f} rad/s')


def within(v: float, w: float, max_v: float, max_w: float) -> float:
    """Return the largest share of (v, w), at most 1, that neither limit forbids."""
    return min(1.0, max_v / max(abs(v), max_v), max_w / max(abs(w), max_w))


def slowed(command: Command, share: float, max_v: float, max_w: float, reason: str) -> Answer:
    """Leave a share of the speed limits; Stop where that is nothing.

    A share of the limits, not of the command: else asking twice would slow twice.
    """
    v, w = twist(command)
    if share == 0:
        raise Stop(reason)
    left = within(v, w, share * max_v, share * max_w)
    return Answer(command) if left == 1.0 else Answer(scaled(command, left), reason)


def make(own: SpeedParams, shared: Shared, robot: Robot) -> Speed:
    """Make the rule of a policy."""
    return Speed(shared.max_speed_mps, shared.max_turn_radps)
