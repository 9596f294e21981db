# SPDX-License-Identifier: Apache-2.0
"""Slows the robot where the world is not what its model expects."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.critic.uncertainty_rule_base import Doubt
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class SurpriseParams(Settings):
    """From when on it is slow, and how slow."""

    max_surprise: float = setting(
        None, '1', 1.0, 100.0,
        'Limit speed if the surprise of the world model exceeds this; the '
        'ordinary value is 1', strict='lower')
    surprised_speed: float = setting(
        None, '1', 0.0, 1.0,
        'Share of the speed limits that remains while surprise is too high', strict='lower')


@dataclass(frozen=True)
class Surprise(Doubt):
    """Above max_surprise only a share of the speed limits is left. Keeps the curvature."""

    of: ClassVar[str] = 'surprise'
    release: ClassVar[str] = 'the world model expects what it sees'
    name: str = 'surprise'


def make(own: SurpriseParams, shared: Shared, robot: Robot) -> Surprise:
    """Make the rule of a policy."""
    return Surprise(own.max_surprise, own.surprised_speed, shared.max_speed_mps,
                    shared.max_turn_radps)
