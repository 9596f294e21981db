# SPDX-License-Identifier: Apache-2.0
"""Stops when plans contradict one another again and again."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class PlanConsistencyParams(Settings):
    """What a contradiction is, and how many are too many."""

    max_change_mps: float = setting(
        None, 'm/s', 0.05, 10.0,
        'Maximum difference in speed between two plans at the same instant', strict='lower')
    max_change_radps: float = setting(
        None, 'rad/s', 0.1, 20.0,
        'Maximum difference in turn rate between two plans at the same instant', strict='lower')
    max_contradictions: int = setting(
        None, 'plans', 1, 32,
        'Number of consecutive contradictory plans that stops the robot', strict='lower')


@dataclass(frozen=True)
class PlanConsistency:
    """Of the last plans for one goal, not every one differs from the one before by more.

    Two plans are compared at the first instant of which both speak. One change of mind is none of
    its business: the goal may have come into view.
    """

    max_change_mps: float
    max_change_radps: float
    max_contradictions: int
    name: str = 'plan_consistency'
    release: ClassVar[str] = 'a plan agrees with the one before it'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        newest = situation.memory.disputes[:self.max_contradictions]
        if len(newest) == self.max_contradictions and not any(
                v <= self.max_change_mps and w <= self.max_change_radps for v, w in newest):
            v, w = newest[0]
            raise Stop(f'{len(newest)} plans in a row contradict the one before, the last by '
                       f'{v:.3f} m/s, {w:.3f} rad/s; limits {self.max_change_mps:.3f}, '
                       f'{self.max_change_radps:.3f}')
        return Answer(command)


def make(own: PlanConsistencyParams, shared: Shared, robot: Robot) -> PlanConsistency:
    """Make the rule of a policy."""
    return PlanConsistency(own.max_change_mps, own.max_change_radps, own.max_contradictions)
