# SPDX-License-Identifier: Apache-2.0
"""Blocks plans without a motion enable for their run; teleop needs none unless stopped."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Permit, Situation
from ami_ros.critic.rule_interface import Answer, no_plan, Stop, twist
from ami_ros.critic.rules.input_timeout import check
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class MotionEnableParams(Settings):
    """How old a permit may be."""

    max_permit_age_s: float = setting(
        None, 's', 0.02, 2.0,
        'Block every plan if the motion enable of the configurator is older than '
        'this', strict='lower')


@dataclass(frozen=True)
class MotionEnable:
    """mind: mode autonomous, of its run, said just now. hand and twist: mode not stopped.

    What said stopped and fell silent did not say go: a stop has no age.
    """

    max_permit_age_s: float
    max_future_s: float
    name: str = 'motion_enable'
    release: ClassVar[str] = 'the configurator allows it'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        plan, permit = situation.plan, situation.permit
        if plan is None:
            raise no_plan(situation)
        if permit is not None and permit.mode == 'stopped':
            raise Stop('the mode is stopped; nothing moves until configurator/reset'
                       + refused(situation))
        if plan.source == 'mind':
            self.allowed(permit, plan.run, situation)
        elif plan.source not in ('teleop', 'twist'):
            raise Stop(f'plan source {plan.source!r} is not allowed; mind, teleop and twist are')
        return Answer(command)

    def allowed(self, permit: Permit | None, run: str, situation: Situation) -> None:
        """Stop unless the plans of this run may move the robot now."""
        if permit is None:
            raise Stop('no motion enable received; is the configurator running?')
        if permit.mode == 'teleop':
            raise Stop('teleop took over; plans are blocked until the robot is armed again')
        if permit.mode == 'reset':
            raise Stop('a latch was reset; plans are blocked until the robot is armed again')
        if permit.mode != 'autonomous':
            raise Stop(f'the mode is {permit.mode}; plans move the robot only in autonomous')
        if permit.run != run:
            raise Stop(f'the plan is of run {run!r}, the motion enable of run {permit.run!r}')
        try:
            check('permit', permit, situation, self.max_permit_age_s, self.max_future_s)
        except Stop as why:
            raise Stop(f'{why}{refused(situation)}') from None


def refused(situation: Situation) -> str:
    """Say why the newest permit was refused, as the end of a sentence; '' where it was taken."""
    return f'; {situation.refused_permit}' if situation.refused_permit else ''


def make(own: MotionEnableParams, shared: Shared, robot: Robot) -> MotionEnable:
    """Make the rule of a policy."""
    return MotionEnable(own.max_permit_age_s, shared.max_future_s)
