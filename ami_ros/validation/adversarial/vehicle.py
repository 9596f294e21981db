# SPDX-License-Identifier: Apache-2.0
"""A rover without physics: wheels that obey with the measured lag and no more than their force.

A test holds it against PyBullet: it stops no sooner. Without physics the future is exactly known,
which false stops are told by, and two rovers can be driven at the price of one.
"""

import math
from typing import NamedTuple

import numpy as np

from ami_ros.robots.robot import Robot

STEP_S = 0.005
STEP_NS = 5_000_000
AHEAD_STEPS = 2             # the future is computed in pieces of 10 ms
# A wheel's rim gains and loses no more: 0.6 Nm at each wheel, measured in PyBullet.
GRIP_MPS2 = 3.0
STILL_MPS = 0.004           # both rims together; slower is standing, for the future
Twist = tuple[float, float]


class VehicleState(NamedTuple):
    """Where it is and what its wheels do."""

    x: float                # m
    y: float                # m
    yaw: float              # rad
    left: float = 0.0       # m/s of the rims
    right: float = 0.0
    want_left: float = 0.0  # m/s that the drive aims at just now, behind the command by its lag
    want_right: float = 0.0


class Vehicle:
    """A differential drive; time passes by steps of 5 ms."""

    def __init__(self, robot: Robot, state: VehicleState):
        self.robot, self.state = robot, state
        self.track_m, self.limits = robot.body.track_m, robot.limits
        self.radius_m = robot.radius_m
        self.rims = [0.0, 0.0]      # m that each wheel rolled
        self.way_m = self.turned_rad = 0.0

    @property
    def twist(self) -> Twist:
        """Return v m/s and w rad/s."""
        s = self.state
        return (s.left + s.right) / 2, (s.right - s.left) / self.track_m

    @property
    def pace(self) -> float:
        """Return m/s of its fastest part: of base_link, or of the farthest corner turning."""
        return self.pace_of(self.twist)

    def pace_of(self, twist: Twist) -> float:
        """Return the same of a twist."""
        return max(abs(twist[0]), abs(twist[1]) * self.radius_m)

    def drive(self, twist: Twist, steps: int) -> None:
        """Obey for so many steps."""
        for _ in range(steps):
            [s] = self._ahead(self.state, twist, 1, STEP_S)
            self.rims[0] += s.left * STEP_S
            self.rims[1] += s.right * STEP_S
            self.way_m += abs(s.left + s.right) / 2 * STEP_S
            self.turned_rad += abs(s.right - s.left) / self.track_m * STEP_S
            self.state = s

    def future(self, told: list[tuple[Twist, int]], braking: int) -> list[VehicleState]:
        """Say what comes of commands, each for so many steps of 5 ms, and then of zero.

        The states are those every 10 ms, the present one first; the last stands, or is reached
        after `braking` steps.
        """
        out = [self.state]
        for twist, steps in (*told, ((0.0, 0.0), braking)):
            out += self._ahead(out[-1], twist, steps // AHEAD_STEPS, STEP_S * AHEAD_STEPS)
        return out

    def _ahead(self, state: VehicleState, twist: Twist, steps: int,
               dt_s: float) -> list[VehicleState]:
        # plain floats: numpy costs more than all of this
        x, y, yaw, left, right, want_left, want_right = state
        most_v, most_w = self.limits
        v, w = min(max(twist[0], -most_v), most_v), min(max(twist[1], -most_w), most_w)
        half, track, most = w * self.track_m / 2, self.track_m, GRIP_MPS2 * dt_s
        blend, brakes, out = 1 - math.exp(-dt_s / self.robot.actuation_lag_s), v == 0 == w, []
        for _ in range(steps):
            want_left += blend * (v - half - want_left)
            want_right += blend * (v + half - want_right)
            change, other = want_left - left, want_right - right
            left += most if change > most else -most if change < -most else change
            right += most if other > most else -most if other < -most else other
            turn, way = (right - left) / track * dt_s, (left + right) / 2 * dt_s
            middle = yaw + turn / 2
            x, y, yaw = x + way * math.cos(middle), y + way * math.sin(middle), yaw + turn
            out.append(VehicleState(x, y, yaw, left, right, want_left, want_right))
            if brakes and steps > 1 and abs(left) + abs(right) < STILL_MPS:
                break
        return out


def places(states: list[VehicleState]) -> tuple[np.ndarray, np.ndarray]:
    """Return (T,) complex places and (T,) yaws."""
    table = np.array(states)
    return table[:, 0] + 1j * table[:, 1], table[:, 2]
