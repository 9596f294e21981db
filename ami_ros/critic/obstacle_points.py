# SPDX-License-Identifier: Apache-2.0
"""Tells where the obstacles will be, seen from the robot, when a command begins to act.

The scan is old, and the robot goes on for a while as it does now, whatever it is told. With a
first-order lag the way to a standstill, or to any other twist, is that of the present twist for
the time of the lag; so a command is judged from there.

How fast the robot goes is not left to one reading: the twist and the pose of the odometry and the
commands that went out each say where the robot will be. Where they differ by more than SAME_M,
obstacles count from every one of these places, so that the worst decides.
"""

from dataclasses import dataclass, field
from functools import lru_cache
import math
from typing import cast

import numpy as np

from ami_ros.core.types import Odometry, Scan, Situation
from ami_ros.critic.dead_reckoning import bounded, follow, travelled
from ami_ros.critic.footprint_sweep import seen_after
from ami_ros.critic.rule_interface import Stop, twist
from ami_ros.critic.rules.input_timeout import check as check_age
from ami_ros.critic.rules.input_timeout import young
from ami_ros.critic.rules.input_validity import check, valid_beams
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

SAME_M = 0.01               # places that differ by less are one
POSE_S = 0.09               # the speed of the pose is measured over at least this time
OVERSPEED = 1.5             # times the robot's limits: no wheels turn faster


@dataclass(frozen=True)
class ObstacleExtractor:
    """How obstacles are found: what may be looked at, and how late the wheels obey."""

    min_valid_beams: float      # share of the beams, 0 to 1
    max_scan_age_s: float
    max_odometry_age_s: float
    max_future_s: float
    lag_s: float
    limits: tuple[float, float]     # of the robot: m/s, rad/s
    radius_m: float             # of the circle around base_link that holds the footprint
    # the newest scan of each sensor and what its beams hit: ticks are more often than scans
    seen: dict[str, tuple[Scan, np.ndarray]] = field(default_factory=dict, init=False,
                                                     compare=False, repr=False)
    # the newest situation, what was found in it, and how far the robot moves since which scan:
    # the rules of the way ask for the same
    found: list = field(default_factory=lambda: [(None, None)], init=False, compare=False,
                        repr=False)
    moved: list = field(default_factory=lambda: [(None, {})], init=False, compare=False,
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
            known = self.seen.get(scan.name)
            if known is None or known[0] is not scan:
                check(f'mount of the {scan.name}', scan.mount)
                known = self.seen[scan.name] = scan, points(scan, self.min_valid_beams)
            seen += [seen_after(known[1], m, rad)
                     for m, rad in self.drifts(situation, scan.stamp_ns)]
        if not seen:
            raise Stop('no scan has come')
        return seen[0] if len(seen) == 1 else np.concatenate(seen)

    def drifts(self, situation: Situation, scan_ns: int) -> list[tuple[float, float]]:
        """Return how far the robot moves, m and rad, from a scan until a command acts.

        By its twist first, then by the commands and by the pose where those say otherwise.
        """
        of, known = self.moved[0]
        if of is not situation:
            of, known = self.moved[0] = situation, {}
        if scan_ns in known:
            return known[scan_ns]
        out = [drift(situation, scan_ns, self.lag_s, self.limits)]
        for other in commanded_drifts(situation, scan_ns, self.lag_s):
            if all(abs(other[0] - m) + abs(other[1] - rad) * self.radius_m > SAME_M
                   for m, rad in out):
                out.append(other)
        known[scan_ns] = out
        return out


def sight(shared: Shared, robot: Robot) -> ObstacleExtractor:
    """Return the one of a policy: all rules that ask get the same, so that it looks once."""
    return one_sight(shared.min_valid_beams, shared.max_scan_age_s, shared.max_odometry_age_s,
                     shared.max_future_s, robot.actuation_lag_s, robot.limits, robot.radius_m)


@lru_cache(maxsize=8)
def one_sight(*numbers) -> ObstacleExtractor:
    """Return the same for the same numbers."""
    return ObstacleExtractor(*numbers)


def points(scan: Scan, min_valid_beams: float) -> np.ndarray:
    """Return what the beams hit, (N,) complex, base_link at the time of the scan."""
    return valid_beams(scan, min_valid_beams).points


def drift(situation: Situation, scan_ns: int, lag_s: float,
          limits: tuple[float, float]) -> tuple[float, float]:
    """Return how far the robot moves, m and rad, from a scan until a command acts, by its twist.

    Since odometry was read its twist has been fading into the last command.
    """
    odometry, last = cast(Odometry, situation.odometry), situation.last
    age = max(0, situation.now_ns - scan_ns) / 1e9
    acted = max(0, situation.now_ns - max(odometry.stamp_ns, last.stamp_ns)) / 1e9
    faded = math.exp(-acted / max(lag_s, 1e-6))
    moves = []
    for read, told, limit in zip(odometry.twist.tolist(), twist(last), limits, strict=True):
        read = bounded(read, OVERSPEED * limit)
        now = told + (read - told) * faded
        moves.append((read + now) / 2 * age + now * lag_s)
    return moves[0], moves[1]


def commanded_drifts(situation: Situation, scan_ns: int, lag_s: float) -> list[tuple]:
    """Return the same by the commands that went out, and by the commands and the pose.

    What the pose lately moved more than was commanded it goes on to move: it is pushed, or rolls.
    """
    sent, reckoned = situation.memory.sent, situation.memory.reckoned
    if not sent:
        return []
    lag, age_ns = max(lag_s, 1e-6), max(0, situation.now_ns - scan_ns)
    *_, m, rad = travelled(sent, situation.now_steady_ns - age_ns, lag)
    v, w, now_m, now_rad = follow(sent[-1], situation.now_steady_ns, lag)
    out = [(now_m - m + v * lag_s, now_rad - rad + w * lag_s)]
    if reckoned:
        last = before = reckoned[-1]
        for before in reversed(reckoned):
            if last.stamp_ns - before.stamp_ns >= POSE_S * 1e9:
                break
        passed = (last.stamp_ns - before.stamp_ns) / 1e9
        if passed > 0:
            goes_on = (age_ns / 1e9 + lag_s) / passed
            out.append((out[0][0] + goes_on * (last.pose_m - before.pose_m - (
                last.command_m - before.command_m)), out[0][1] + goes_on * (
                    last.pose_rad - before.pose_rad - (last.command_rad - before.command_rad))))
    return out
