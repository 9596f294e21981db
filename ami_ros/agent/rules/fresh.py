# SPDX-License-Identifier: Apache-2.0
"""Stops on what is missing, too old, or from the future."""

from dataclasses import dataclass

from ami_ros.agent.rules.rule import Answer, Stop, twist
from ami_ros.agent.types import Command, Situation


@dataclass(frozen=True)
class Fresh:
    """Plan, scan and odometry are there and young, by their stamp and by their arrival.

    Both clocks, always: a sender with a wrong clock looks young by its stamp for ever, a queue
    that runs dry late looks young by its arrival. Lateness never renews a plan: it ages from
    the instant it was made for.
    """

    max_plan_age_s: float
    max_scan_age_s: float
    max_odometry_age_s: float
    max_future_s: float
    max_plan_lead_s: float      # how far ahead a plan may begin: the latency it allowed for
    name: str = 'fresh'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        plan, scan, odometry = situation.plan, situation.scan, situation.odometry
        for what, value, oldest in (('plan', plan, self.max_plan_age_s),
                                    ('scan', scan, self.max_scan_age_s),
                                    ('odometry', odometry, self.max_odometry_age_s)):
            if value is None:
                raise Stop(f'no {what} has come')
            lead = self.max_plan_lead_s if what == 'plan' else self.max_future_s
            by_stamp, by_arrival = ages(value, situation)
            for age, clock, ahead in ((by_stamp, 'by its stamp', lead),
                                      (by_arrival, 'by its arrival', self.max_future_s)):
                if not age <= oldest:       # written so that NaN fails too
                    raise Stop(f'the {what} is {age:.3f} s old {clock}, limit {oldest:.3f} s')
                if not age >= -ahead:
                    raise Stop(f'the {what} is {-age:.3f} s from the future {clock}, '
                               f'limit {ahead:.3f} s')
        return Answer(command)


def ages(value, situation: Situation) -> tuple[float, float]:
    """Return the seconds since the stamp (ROS time) and since the arrival (steady time)."""
    if value is situation.plan:
        stamp_ns, received_ns = value.start_ns, situation.plan_steady_ns
    else:
        stamp_ns, received_ns = value.stamp_ns, value.received_steady_ns
    return ((situation.now_ns - stamp_ns) / 1e9,
            (situation.now_steady_ns - received_ns) / 1e9)
