# SPDX-License-Identifier: Apache-2.0
"""The legs of an evaluation: starts and goals, drawn from seeds without regard to the planner."""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.robots.robot import Robot
from ami_ros.validation.protocol import (
    BUDGET,
    CONTROL_STEP_S,
    goal_drive,
    GoalDrive,
    Judge,
    PURPOSE,
)
from ami_ros.validation.tours.asked import Asked
from ami_ros.validation.tours.ways import Ways

FINDING_S = 20.0        # on top of the budget of a leg, for finding out where the robot is
TRIES = 300             # pairs of poses, or goals from one pose, that are drawn for a leg
DRIVES = 50             # goal drives that are drawn for one on ground that the tour can reach
LEG_PURPOSE = 0x1E65    # salts the stream of legs


class NoLeg(ValueError):
    """A world has no leg of the length that was asked for."""


@dataclass(frozen=True)
class Leg:
    """One goal picture, from where the robot is put or has come to stand."""

    start: np.ndarray       # (3,) x m, y m, yaw rad in the scene
    goal: np.ndarray        # (3,)
    actions: float          # of the shortest way; of a goal drive those that were driven
    finding_s: float        # of the budget, for finding out where the robot is

    @property
    def budget_s(self) -> float:
        """Time until which the goal must be reached."""
        return BUDGET * self.actions * CONTROL_STEP_S + self.finding_s

    def judge(self, seed: int) -> Judge:
        """Return the judge of the frozen protocol with the budget of this leg."""
        out = Judge(GoalDrive(self.start, self.goal, math.ceil(self.actions)), seed)
        out.budget_s = self.budget_s
        return out


def drawn(asked: Asked, ways: Ways, robot: Robot, seed: int) -> list[Leg]:
    """Draw the legs of one episode: one, or those of a mission; NoLeg where there is none."""
    if asked.goal_steps:
        return [of_goal_drive(asked.goal_steps, ways, robot, seed)]
    rng = np.random.default_rng([ways.scene.seed, seed, LEG_PURPOSE])
    out: list[Leg] = []
    for _ in range(max(1, asked.mission)):
        out.append(shortest(asked.legs, ways, rng, out[-1].goal if out else None))
    return out


def of_goal_drive(blocks: int, ways: Ways, robot: Robot, seed: int) -> Leg:
    """Draw a goal drive of the frozen protocol, on ground that the tour can reach."""
    for attempt in range(DRIVES):
        try:
            drive = goal_drive(ways.scene, robot, blocks, seed, PURPOSE + (attempt << 16))
        except RuntimeError as none:
            raise NoLeg(str(none)) from None
        if ways.holds(drive.start) and ways.holds(drive.goal):
            return Leg(drive.start, drive.goal, float(blocks), 0.0)
    raise NoLeg(f'world {ways.scene.seed} has no goal drive of {blocks} actions on ground that '
                'the tour can reach')


def shortest(lengths: tuple[int, int], ways: Ways, rng: np.random.Generator,
             start: np.ndarray | None) -> Leg:
    """Draw a leg whose shortest way has a number of actions from `lengths`."""
    low, high = lengths
    fastest_m = ways.limits[0] * CONTROL_STEP_S     # of an action
    for _ in range(TRIES):
        begin, goal = ways.draw(rng) if start is None else start, ways.draw(rng)
        if np.hypot(*(goal - begin)[:2]) > high * fastest_m:
            continue
        actions = ways.actions(begin, goal)
        if actions is not None and low <= actions <= high:
            return Leg(begin, goal, actions, FINDING_S)
    raise NoLeg(f'world {ways.scene.seed} has no leg of {low} to {high} actions '
                f'({TRIES} were drawn)')


def from_here(leg: Leg, ways: Ways, pose: np.ndarray) -> Leg:
    """Return a leg of a mission as it begins where the robot stands."""
    actions = ways.actions(pose, leg.goal)
    return Leg(pose, leg.goal, leg.actions if actions is None else actions, leg.finding_s)
