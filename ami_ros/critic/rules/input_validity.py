# SPDX-License-Identifier: Apache-2.0
"""Stops on anything that should be a number and is not."""

from dataclasses import dataclass, field
import math
from typing import ClassVar

import numpy as np

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Plan, Scan, Situation
from ami_ros.critic.beam_geometry import Hits, hits
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class InputValidityParams(Settings):
    """How long a plan may be."""

    max_knots: int = setting(
        None, 'knots', 1, 10000,
        'Reject a plan with more knots than this, because parsing it would take '
        'too long', strict='lower')


@dataclass(frozen=True)
class InputValidity:
    """Command, plan, odometry, IMU and mounts are finite; enough beams are valid.

    What has not come at all is no business of this rule: `input_timeout` stops on that.
    """

    min_valid_beams: float      # share of the beams, 0 to 1
    max_knots: int
    name: str = 'input_validity'
    release: ClassVar[str] = 'numbers, and enough valid beams'
    # the newest scan of each sensor that was right: ticks are more often than scans
    found: dict[str, Scan] = field(default_factory=dict, init=False, compare=False, repr=False)

    def limit(self, command: Command, situation: Situation) -> Answer:
        if situation.plan is not None:
            check_plan(situation.plan, self.max_knots)      # first: it says whose it is
        twist(command)
        if situation.odometry is not None:
            told = situation.odometry
            check(told.name, (*told.pose.tolist(), *told.twist.tolist()))
        for imu in situation.imus:
            check(imu.name, (*imu.spin.tolist(), *imu.acceleration.tolist()))
        for scan in situation.scans:
            if scan.required:       # of the others, who uses them checks them
                if self.found.get(scan.name) is not scan:
                    check(f'mount of the {scan.name}', scan.mount)
                    valid_beams(scan, self.min_valid_beams)
                    self.found[scan.name] = scan
        return Answer(command)


def check(what: str, numbers) -> None:
    """Stop where one of the numbers is not finite."""
    if not all(map(math.isfinite, np.asarray(numbers, float).ravel().tolist())):
        raise Stop(f'the {what} is not finite: {np.asarray(numbers).tolist()}')


def check_plan(plan: Plan, max_knots: int) -> None:
    """Stop on a plan that cannot be a plan."""
    knots, what = np.asarray(plan.knots), plan.called
    if knots.ndim != 2 or knots.shape[1] != 2 or not len(knots):
        raise Stop(f'the {what} has knots of shape {knots.shape}, it needs (H, 2)')
    if not len(knots) <= max_knots:
        raise Stop(f'the {what} has {len(knots)} knots, limit {max_knots}')
    if not np.isfinite(knots).all():
        raise Stop(f'{np.isnan(knots).sum() + np.isinf(knots).sum()} of {knots.size} numbers '
                   f'in the {what} are not finite')
    if not 0 < plan.knot_s < math.inf:
        raise Stop(f'a knot of the {what} lasts {plan.knot_s} s, it needs a time above 0')
    check(f'surprise of the {what}', plan.surprise)


def valid_beams(scan: Scan, least: float) -> Hits:
    """Return what the beams say; Stop where too few say something.

    Of a sensor that is not required nothing is demanded: what it sees counts.
    """
    ranges, angles = np.shape(scan.ranges), np.shape(scan.angles)
    if ranges != angles:
        raise Stop(f'the {scan.name} has {ranges} ranges and {angles} angles')
    seen = hits(scan)
    if scan.required and (seen.count == 0 or not seen.count >= least * seen.valid.size):
        raise Stop(f'{seen.count} of {seen.valid.size} beams of the {scan.name} are valid, '
                   f'{least:.0%} are needed')
    return seen


def make(own: InputValidityParams, shared: Shared, robot: Robot) -> InputValidity:
    """Make the rule of a policy."""
    return InputValidity(shared.min_valid_beams, own.max_knots)
