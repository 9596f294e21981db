# SPDX-License-Identifier: Apache-2.0
"""Tells where the obstacles will be, seen from the robot, when a command begins to act.

The scan is old, and the robot goes on for a while as it does now, whatever it is told. With a
first-order lag the way to a standstill, or to any other twist, is that of the present twist for
the time of the lag; so a command is judged from there.
"""

import math

import numpy as np

from ami_ros.agent.arc import seen_after
from ami_ros.agent.rules.finite import check, valid_beams
from ami_ros.agent.rules.rule import Stop, twist
from ami_ros.agent.types import Scan, Situation


def obstacles(situation: Situation, min_valid_beams: float, lag_s: float) -> np.ndarray:
    """Return (N,) complex x + iy metres; Stop where scan or odometry cannot say."""
    if situation.scan is None:
        raise Stop('no scan has come')
    if situation.odometry is None:
        raise Stop('no odometry has come')
    check('odometry', situation.odometry.twist)
    check('lidar mount', situation.scan.mount)
    v, w = drift(situation, lag_s)
    return seen_after(points(situation.scan, min_valid_beams), v, w)


def points(scan: Scan, min_valid_beams: float) -> np.ndarray:
    """Return what the beams hit, (N,) complex, base_link at the time of the scan."""
    hits = valid_beams(scan, min_valid_beams) & (scan.ranges < math.inf)
    x, y, yaw = scan.mount
    return complex(x, y) + scan.ranges[hits] * np.exp(1j * (scan.angles[hits] + yaw))


def drift(situation: Situation, lag_s: float) -> tuple[float, float]:
    """Return how far the robot moves, m and rad, from the scan until a command acts.

    Since odometry was read its twist has been fading into the last command.
    """
    odometry, last = situation.odometry, situation.last
    age = max(0, situation.now_ns - situation.scan.stamp_ns) / 1e9
    acted = max(0, situation.now_ns - max(odometry.stamp_ns, last.stamp_ns)) / 1e9
    faded = math.exp(-acted / max(lag_s, 1e-6))
    moves = []
    for read, told in zip(odometry.twist.tolist(), twist(last), strict=True):
        now = told + (read - told) * faded
        moves.append((read + now) / 2 * age + now * lag_s)
    return moves[0], moves[1]
