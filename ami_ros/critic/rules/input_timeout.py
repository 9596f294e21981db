# SPDX-License-Identifier: Apache-2.0
"""Stops on what is missing, too old, or from the future."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Plan, Situation
from ami_ros.critic.rule_interface import Answer, NO_CLOCK, no_plan, Stop, twist
from ami_ros.critic.sensor_age_limits import Need, needs
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class InputTimeoutParams(Settings):
    """Ages are shared."""

    max_plan_lead_s: float = setting(
        None, 's', 0.0, 1.0,
        'Maximum time by which a plan may start in the future to compensate '
        'latency', strict='lower')
    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which the stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class InputTimeout:
    """The plan and each required sensor are there and young, by their stamp and by their arrival.

    Both clocks, always: a sender with a wrong clock looks young by its stamp for ever, a queue
    that runs dry late looks young by its arrival. Lateness never renews a plan: it ages from
    the instant it was made for. A switch that speaks only when it changes must have come once.
    """

    max_plan_age_s: float
    teleop_timeout_s: float       # a hand is a plan that must be this young
    max_future_s: float
    max_plan_lead_s: float      # how far ahead a plan may begin: the latency it allowed for
    needs: tuple[Need, ...]     # those that are not required are not asked for
    name: str = 'input_timeout'
    release_s: float = 0.0      # it stands on after the cause is gone
    release: ClassVar[str] = 'all of it comes again, in time'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        plan = situation.plan
        if plan is None:
            raise no_plan(situation)
        oldest = self.teleop_timeout_s if plan.source == 'teleop' else self.max_plan_age_s
        lead = self.max_plan_lead_s if plan.source == 'mind' else self.max_future_s
        self.after_a_pause(situation)
        try:
            check(plan.called, plan, situation, oldest, self.max_future_s, lead)
        except Stop as why:
            if situation.refused_plan and plan.source != 'teleop':
                raise Stop(f'{why}; {situation.refused_plan}') from None
            raise
        said = {value.name: value for value in situation.sensed}
        for need in self.needs:
            if need.required and need.name not in said:
                raise Stop(f'no {need.name} has come')
            if need.required and need.oldest_s < math.inf:
                check(need.name, said[need.name], situation, need.oldest_s, self.max_future_s)
        return Answer(command)

    def after_a_pause(self, situation: Situation) -> None:
        """Stop until what waited while the critic was suspended is read and outdated.

        A message without a stamp is as old as its arrival: one that waited looks new. Those that
        are read at once grow older than any plan or hand may be; an emergency stop among them is
        read as well before anything moves.
        """
        wait_s = max(self.max_plan_age_s, self.teleop_timeout_s)
        for ended_ns, paused_s in situation.memory.pauses:
            ago_s = (situation.now_steady_ns - ended_ns) / 1e9
            if not ago_s > wait_s:
                raise Stop(f'the critic read no messages for {paused_s:.3f} s, until {ago_s:.3f} '
                           f's ago; messages that waited count as old after {wait_s:.3f} s')


def check(what: str, value, situation: Situation, oldest_s: float, ahead_s: float,
          lead_s: float | None = None) -> None:
    """Stop on what is not young by both clocks; its stamp may lead by more, its arrival not."""
    if situation.now_ns == 0:
        raise Stop(NO_CLOCK)
    by_stamp, by_arrival = ages(value, situation)
    for age, clock, ahead in ((by_stamp, 'stamp', ahead_s if lead_s is None else lead_s),
                              (by_arrival, 'arrival', ahead_s)):
        if not age <= oldest_s:     # written so that NaN fails too
            raise Stop(f'the {what} is {age:.3f} s old by its {clock}, limit {oldest_s:.3f} s')
        if not age >= -ahead:
            raise Stop(f'the {what} is {-age:.3f} s from the future by its {clock}, '
                       f'limit {ahead:.3f} s')


def young(sensed, now_ns: int, steady_ns: int, oldest_s: float, ahead_s: float) -> bool:
    """Tell whether a reading is neither old nor from the future, by both clocks."""
    return (-ahead_s <= (now_ns - sensed.stamp_ns) / 1e9 <= oldest_s
            and -ahead_s <= (steady_ns - sensed.received_steady_ns) / 1e9 <= oldest_s)


def ages(value, situation: Situation) -> tuple[float, float]:
    """Return the seconds since the stamp (ROS time) and since the arrival (steady time)."""
    if isinstance(value, Plan):
        stamp_ns, received_ns = value.start_ns, situation.plan_steady_ns
    else:
        stamp_ns, received_ns = value.stamp_ns, value.received_steady_ns
    return ((situation.now_ns - stamp_ns) / 1e9,
            (situation.now_steady_ns - received_ns) / 1e9)


def make(own: InputTimeoutParams, shared: Shared, robot: Robot) -> InputTimeout:
    """Make the rule of a policy."""
    return InputTimeout(shared.max_plan_age_s, shared.teleop_timeout_s, shared.max_future_s,
                 own.max_plan_lead_s, needs(shared, robot),
                 release_s=own.release_s)
