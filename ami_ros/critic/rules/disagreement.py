# SPDX-License-Identifier: Apache-2.0
"""Slows the robot where the heads of its world model tell different futures."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.critic.rules.shared import Shared
from ami_ros.critic.rules.uncertainty import Doubt
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class DisagreementParams(Settings):
    """From when on it is slow, and how slow."""

    max_disagreement: float = setting(
        None, '1', 1.0, 100.0,
        'Limit speed if the ensemble disagreement exceeds this; the ordinary '
        'value is 1', strict='lower')
    doubtful_speed: float = setting(
        None, '1', 0.0, 1.0,
        'Share of the speed limits that remains while disagreement is too high', strict='lower')


@dataclass(frozen=True)
class Disagreement(Doubt):
    """Above max_disagreement only a share of the speed limits is left. Keeps the curvature."""

    of: ClassVar[str] = 'disagreement'
    release: ClassVar[str] = 'the world model agrees with itself'
    name: str = 'disagreement'


def make(own: DisagreementParams, shared: Shared, robot: Robot) -> Disagreement:
    """Make the rule of a policy."""
    return Disagreement(own.max_disagreement, own.doubtful_speed, shared.max_speed_mps,
                        shared.max_turn_radps)
