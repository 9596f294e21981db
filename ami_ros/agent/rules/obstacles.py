# SPDX-License-Identifier: Apache-2.0
"""Tells where the obstacles will be, seen from the robot, when a command begins to act.

The scan is old, and the robot goes on for a while as it does now, whatever it is told. With a
first-order lag the way to a standstill, or to any other twist, is that of the present twist for
the time of the lag; so a command is judged from there.
"""

from dataclasses import dataclass, field
from functools import lru_cache
import math

import numpy as np

from ami_ros.agent.arc import seen_after
from ami_ros.agent.beams import directions
from ami_ros.agent.robots.robot import Robot
from ami_ros.agent.rules.finite import check, valid_beams
from ami_ros.agent.rules.fresh import check as check_age
from ami_ros.agent.rules.fresh import young
from ami_ros.agent.rules.rule import Stop, twist
from ami_ros.agent.rules.shared import Shared
from ami_ros.agent.types import Scan, Situation


@dataclass(frozen=True)
class Sight:
    """How obstacles are found: what may be looked at, and how late the wheels obey."""

    min_valid_beams: float      # share of the beams, 0 to 1
    max_scan_age_s: float
    max_odometry_age_s: float
    max_future_s: float
    lag_s: float
    # the newest scan of each sensor and what its beams hit: ticks are more often than scans
    seen: dict[str, tuple[Scan, np.ndarray]] = field(default_factory=dict, init=False,
                                                     compare=False, repr=False)
    # the newest situation and what was found in it: the rules of the way ask for the same
    found: list = field(default_factory=lambda: [(None, None)], init=False, compare=False,
                        repr=False)

    def obstacles(self, situation: Situation) -> np.ndarray:
        """Return (N,) complex x + iy metres; Stop where scans or odometry cannot say.

        Of all sensors together. One that is not required and not young shows nothing.
        """
        of, points = self.found[0]
        if of is not situation:
            points = self.find(situation)
            self.found[0] = situation, points
        return points

    def find(self, situation: Situation) -> np.ndarray:
        """Look; as `obstacles`."""
        odometry, seen = situation.odometry, []
        if odometry is None:
            raise Stop('no odometry has come')
        check_age(odometry.name, odometry, situation, self.max_odometry_age_s, self.max_future_s)
        check(odometry.name, odometry.twist)
        for scan in situation.scans:
            if scan.required:
                check_age(scan.name, scan, situation, self.max_scan_age_s, self.max_future_s)
            elif not young(scan, situation.now_ns, situation.now_steady_ns, self.max_scan_age_s,
                           self.max_future_s):
                continue
            check(f'mount of the {scan.name}', scan.mount)
            v, w = drift(situation, scan.stamp_ns, self.lag_s)
            known = self.seen.get(scan.name)
            if known is None or known[0] is not scan:
                known = self.seen[scan.name] = scan, points(scan, self.min_valid_beams)
            seen.append(seen_after(known[1], v, w))
        if not seen:
            raise Stop('no scan has come')
        return seen[0] if len(seen) == 1 else np.concatenate(seen)


def sight(shared: Shared, robot: Robot) -> Sight:
    """Return the one of a policy: all rules that ask get the same, so that it looks once."""
    return one_sight(shared.min_valid_beams, shared.max_scan_age_s, shared.max_odometry_age_s,
                     shared.max_future_s, robot.actuation_lag_s)


@lru_cache(maxsize=8)
def one_sight(*numbers: float) -> Sight:
    """Return the same for the same numbers."""
    return Sight(*numbers)


def points(scan: Scan, min_valid_beams: float) -> np.ndarray:
    """Return what the beams hit, (N,) complex, base_link at the time of the scan."""
    hits = valid_beams(scan, min_valid_beams) & (scan.ranges < math.inf)
    x, y, yaw = scan.mount
    return complex(x, y) + scan.ranges[hits] * directions(scan.angles).unit(yaw)[hits]


def drift(situation: Situation, scan_ns: int, lag_s: float) -> tuple[float, float]:
    """Return how far the robot moves, m and rad, from a scan until a command acts.

    Since odometry was read its twist has been fading into the last command.
    """
    odometry, last = situation.odometry, situation.last
    age = max(0, situation.now_ns - scan_ns) / 1e9
    acted = max(0, situation.now_ns - max(odometry.stamp_ns, last.stamp_ns)) / 1e9
    faded = math.exp(-acted / max(lag_s, 1e-6))
    moves = []
    for read, told in zip(odometry.twist.tolist(), twist(last), strict=True):
        now = told + (read - told) * faded
        moves.append((read + now) / 2 * age + now * lag_s)
    return moves[0], moves[1]
