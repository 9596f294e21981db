# SPDX-License-Identifier: Apache-2.0
"""Drives legs: robot, planner and critic in lock-step, judged by the truth."""

from dataclasses import asdict, dataclass, field
import time

import numpy as np

from ami_ros.core.geometry import wrap
from ami_ros.core.types import Command, Frame, Plan
from ami_ros.critic.critic import Critic
from ami_ros.validation.evaluate import decide, FRAME_S, LOOK_S, REMEMBERED
from ami_ros.validation.tours.legs import Leg
from ami_ros.validation.tours.toured_planner import LOCALISED, TouredPlanner, Truth


@dataclass
class Ticks:
    """What is measured at each decision."""

    decide_ms: list[float] = field(default_factory=list)
    error_m: list[float] = field(default_factory=list)      # where it takes itself to be localised
    error_rad: list[float] = field(default_factory=list)

    def located(self, who: TouredPlanner, truth: Truth, pose: np.ndarray) -> None:
        """Compare where the planner takes itself to be with the pose at its last frame."""
        believed, state = who.located
        if state == LOCALISED and believed is not None:
            off = truth.remembered(pose) - believed
            self.error_m.append(round(float(np.hypot(*off[:2])), 4))
            self.error_rad.append(round(float(abs(wrap(off[2]))), 4))

    def add(self, other: 'Ticks') -> None:
        """Take those of another leg."""
        for name, values in vars(other).items():
            getattr(self, name).extend(values)


class Timed:
    """A planner whose decisions are timed."""

    def __init__(self, who: TouredPlanner, ticks: Ticks):
        self.who, self.ticks = who, ticks

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Decide, and note how long it took."""
        begun = time.perf_counter()
        plan = self.who.decide(frame, commands)
        self.ticks.decide_ms.append(round(1e3 * (time.perf_counter() - begun), 3))
        return plan


@dataclass
class Ride:
    """A robot from one reset to the next; what goes on when a leg of a mission ends."""

    truth: Truth
    who: TouredPlanner
    critic: Critic
    run: str
    number: int = 0
    commands: tuple[Command, ...] = ()

    def leg(self, leg: Leg, picture: np.ndarray, seed: int) -> tuple[dict, Ticks]:
        """Drive one leg; return its record, and what was measured at each decision."""
        truth, who, sim = self.truth, self.who, self.truth.sim
        assert sim is not None
        truth.goal, ticks = leg.goal, Ticks()
        begun_ns, judge, timed = sim.time_ns, leg.judge(seed), Timed(who, ticks)
        who.begin(seed, picture)
        sim.truth()             # forget what was touched before
        over = False
        while not over:
            self.number += 1
            pose = sim.truth_pose()
            _, plan, verdict = decide(sim, timed, self.critic, self.commands, self.number,
                                      self.run)
            ticks.located(who, truth, pose)
            self.commands = (*self.commands, verdict.command)[-REMEMBERED:]
            for _ in range(round(FRAME_S / LOOK_S)):
                sim.step(LOOK_S)
                over = over or judge.watch(sim.truth(), plan.arrived,
                                           (sim.time_ns - begun_ns) / 1e9)
            over = over or bool(who.failure)
        return {**record(leg, judge), 'failure': who.failure,
                'goal_error_m': goal_error_m(who, truth), **localised(ticks)}, ticks


def record(leg: Leg, judge) -> dict:
    """Return what the judge saw of a leg."""
    episode = judge.episode()
    return {**asdict(episode), 'false_arrival': bool(episode.false_arrival),
            'start': rounded(leg.start), 'goal': rounded(leg.goal),
            'actions': round(leg.actions, 1), 'budget_s': round(leg.budget_s, 2)}


def rounded(pose: np.ndarray) -> list[float]:
    """Return a pose as reports write it."""
    return [round(float(value), 4) for value in pose]


def goal_error_m(who: TouredPlanner, truth: Truth) -> float | None:
    """Return how far off the planner takes the goal to be; None where it does not say."""
    believed = getattr(who, 'goal_place', None)
    if believed is None or truth.goal is None:
        return None
    return float(np.hypot(*(truth.remembered(truth.goal) - believed)[:2]))


def localised(ticks: Ticks) -> dict:
    """Return the share of decisions at which the robot took itself to be localised, and errors."""
    decisions = max(1, len(ticks.decide_ms))
    return {'localised': {'share': len(ticks.error_m) / decisions,
                          'error_m': quantiles(ticks.error_m),
                          'error_rad': quantiles(ticks.error_rad)}}


def quantiles(values: list[float]) -> dict[str, float | None]:
    """Return median and 95 % quantile; None where there are no values."""
    if not values:
        return {'p50': None, 'p95': None}
    return {'p50': float(np.quantile(values, 0.5)), 'p95': float(np.quantile(values, 0.95))}
