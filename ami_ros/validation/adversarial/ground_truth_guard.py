# SPDX-License-Identifier: Apache-2.0
"""Says from the truth whether obeying would have kept the margin, and guards by that alone.

The margin is the policy's, as its rules mean it: the footprint, wider by side_distance_m, sweeps
the way that is driven, the way until it stands, and beyond that what stop_distance_m is more than
side_distance_m along the same arc. What is nearer than that already must not come nearer.
"""

from dataclasses import dataclass

import numpy as np

from ami_ros.core.types import Command, Memory, Plan, Situation
from ami_ros.critic.critic import still
from ami_ros.critic.rule_interface import Rule
from ami_ros.validation.adversarial.room_geometry import Ground
from ami_ros.validation.adversarial.vehicle import (
    AHEAD_STEPS,
    GRIP_MPS2,
    places,
    STEP_NS,
    STEP_S,
    Twist,
    Vehicle,
)

STEPS_A_TICK = 4            # of 5 ms: 50 Hz
OBEYED_STEPS = 60           # 0.3 s
BRAKING_STEPS = 120         # 0.6 s, more than it takes
ROUNDING_M = 1e-6
OF_THE_DRIVE = ('speed', 'acceleration', 'jerk')    # rules that know nothing of the world


@dataclass(frozen=True)
class Margin:
    """What a policy keeps free, m."""

    side_m: float
    stop_m: float


def kept(ground: Ground, car: Vehicle, told: list[tuple[Twist, int]], time_s: float,
         margin: Margin, nearest_m: float) -> bool:
    """Tell whether obeying and then braking keeps the margin.

    `nearest_m` is the clearance now, or less: far from everything there is nothing to compute.
    """
    if nearest_m > margin.stop_m + reach(car, sum(steps for _, steps in told), ground):
        return True
    states = car.future(told, BRAKING_STEPS)
    where, yaws = places(states)
    times = time_s + np.arange(len(states)) * AHEAD_STEPS * STEP_S
    v, w = told[-1][0]
    pace, more = car.pace_of((v, w)), margin.stop_m - margin.side_m
    if pace > 0 and more > 0:       # on along the arc, for what is to be kept ahead
        ways = np.linspace(0.25, 1.0, 4) * more / pace
        half = w * ways / 2
        chord = v * ways * np.sinc(half / np.pi) * np.exp(1j * (yaws[-1] + half))
        where = np.concatenate([where, where[-1] + chord])
        yaws = np.concatenate([yaws, yaws[-1] + w * ways])
        times = np.concatenate([times, np.full(ways.size, times[-1])])
    gaps = ground.clearance(where, yaws, times)
    start, side = gaps[0], margin.side_m
    least = np.minimum(start, np.clip(start.min(), side / 2, side)) - ROUNDING_M
    return bool((gaps >= least).all())


def reach(car: Vehicle, steps: int, ground: Ground) -> float:
    """Return how much nearer something can come, m, while so many steps are obeyed, and braked."""
    s, lag = car.state, car.robot.actuation_lag_s
    most = car.limits[0] + car.limits[1] * car.track_m / 2
    rim = min(max(map(abs, s[3:])) + GRIP_MPS2 * steps * STEP_S, most)
    way = rim * (steps * STEP_S + lag) + rim**2 / GRIP_MPS2
    corner = 1 + 2 * car.radius_m / car.track_m     # of a rim's way, at most
    return corner * way + ground.fastest_mps * (steps + BRAKING_STEPS) * STEP_S


class PerfectGuard:
    """Obeys whenever obeying one tick more and then braking keeps the margin; else it brakes.

    It knows the room, itself and the future exactly. The limits of the drive, which have nothing
    to do with knowing, are the policy's.
    """

    def __init__(self, ground: Ground, car: Vehicle, rules: tuple[Rule, ...], margin: Margin):
        self.ground, self.car, self.margin = ground, car, margin
        self.rules = tuple(rule for rule in rules if rule.name in OF_THE_DRIVE)
        self.last = self.before = still(0)
        self.touched, self.nearest_m = False, 0.0

    def begin(self, car: Vehicle, last: Command, before: Command) -> None:
        """Stand where another one stands, having been told the same."""
        self.car.state, self.last, self.before = car.state, last, before
        self.touched, self.nearest_m = False, 0.0

    def tick(self, wanted: Twist, now_ns: int, time_s: float) -> None:
        """Drive for a tick."""
        if self.touched:
            return
        command, car = still(now_ns), self.car
        if any(wanted):
            command = Command(np.array(wanted), now_ns)
            situation = Situation(now_ns, now_ns, None, 0, (), None, self.last, 0,
                                  memory=Memory(before=self.before))
            for rule in self.rules:
                command = rule.limit(command, situation).command
            v, w = command.values.tolist()
            if (v or w) and not self.may((v, w), time_s):
                command = still(now_ns)
        before, (v, w) = car.state, command.values.tolist()
        if v or w or any(car.state[3:]):
            car.drive((v, w), STEPS_A_TICK)
        most = max(map(abs, (*before[3:], *car.state[3:], abs(v) + abs(w) * car.track_m / 2)))
        corner = 1 + 2 * car.radius_m / car.track_m
        self.nearest_m -= (corner * most + self.ground.fastest_mps) * STEPS_A_TICK * STEP_S
        self.before, self.last = self.last, command

    def may(self, twist: Twist, time_s: float) -> bool:
        """Tell whether it obeys; looks closely only where something may be near."""
        least = self.margin.stop_m + reach(self.car, STEPS_A_TICK, self.ground)
        if self.nearest_m <= least:
            self.nearest_m = float(self.ground.clearance(
                *places([self.car.state]), np.array([time_s])).min())
            self.touched = self.nearest_m <= 0
        return kept(self.ground, self.car, [(twist, STEPS_A_TICK)], time_s, self.margin,
                    self.nearest_m)


def obeying(plan: Plan, now_ns: int) -> list[tuple[Twist, int]]:
    """Return what a plan says for the next 0.3 s, tick by tick."""
    told = (plan.at(now_ns + k * STEP_NS) for k in range(0, OBEYED_STEPS, STEPS_A_TICK))
    return [((float(v), float(w)), STEPS_A_TICK) for v, w in told]
