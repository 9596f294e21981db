# SPDX-License-Identifier: Apache-2.0
"""Stops when plans come in a flood, or starve."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import Order, setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, no_plan, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class PlanRateParams(Settings):
    """How many plans a second are right, on the average over a window."""

    RELATIONS: ClassVar[tuple[Order, ...]] = (
        Order('min_plans_hz', 'max_plans_hz', 'else no number of plans is right', alike=False),)

    min_plans_hz: float = setting(
        None, 'Hz', 0.0, 50.0, 'Minimum plan rate of the planner', strict='higher')
    max_plans_hz: float = setting(
        None, 'Hz', 1.0, 200.0, 'Maximum plan rate of any source', strict='lower')
    cadence_s: float = setting(None, 's', 0.5, 2.0, 'Time window for measuring the plan rate')


@dataclass(frozen=True)
class PlanRate:
    """min_plans_hz <= plans within cadence_s / cadence_s <= max_plans_hz.

    Starving is asked of a mind alone, and only once it has been planning for a whole window: a
    hand and another planner begin and end as they like.
    """

    min_plans_hz: float
    max_plans_hz: float
    cadence_s: float
    name: str = 'plan_rate'
    release: ClassVar[str] = 'plans come as often as they should'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        if situation.plan is None:
            raise no_plan(situation)
        begin = situation.now_steady_ns - self.cadence_s * 1e9
        came = situation.memory.arrivals
        count = len(came) - bisect_right(came, begin)
        rate = count / self.cadence_s
        if not rate <= self.max_plans_hz:
            raise Stop(f'{rate:.1f} plans a second come, limit {self.max_plans_hz:.1f}')
        went_on = count < len(came) and came[-count - 1] > begin - self.cadence_s * 1e9
        if situation.plan.source == 'mind' and went_on and not rate >= self.min_plans_hz:
            raise Stop(f'{rate:.1f} plans a second come, {self.min_plans_hz:.1f} are needed')
        return Answer(command)


def make(own: PlanRateParams, shared: Shared, robot: Robot) -> PlanRate:
    """Make the rule of a policy."""
    return PlanRate(own.min_plans_hz, own.max_plans_hz, own.cadence_s)
