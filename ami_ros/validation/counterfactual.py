# SPDX-License-Identifier: Apache-2.0
"""
Scores the model's predictions for motions that were not driven against the simulator.

From each start the same body makes every one of a few motions, and the model is asked about each.
What counts is whether of two motions the model knows which is the better one: that is all that a
planner needs of it. Pairs that the truth itself hardly tells apart are left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
import time

import numpy as np

from ami_ros.core.geometry import between
from ami_ros.inference.encoder_and_dynamics import mind
from ami_ros.modules.module import Module, open_module
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.simulator import Simulator
from ami_ros.validation.evaluate import frame_of, home, LOOK_S, settings
from ami_ros.validation.evaluation_protocol import CONTROL_STEP_S, goal_drive

ACTIONS = 6             # motions from each start
BLOCKS = 10             # of the drive that the goal is at the end of
APART = {'distance_m': 0.10, 'clearance_m': 0.05}       # pairs nearer to each other do not count
DRAWN = 1000            # of the interval


@dataclass
class Outcomes:
    """What followed, and what the model said, for the motions of one start; each (N,)."""

    distance_m: tuple[np.ndarray, np.ndarray]       # to the goal, at the end: true, said
    clearance_m: tuple[np.ndarray, np.ndarray]      # least on the way
    off_m: np.ndarray                               # between where it came to and was said to
    touched: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    twists: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))


def outcomes(sim: Simulator, own, seed: int, horizon: int) -> Outcomes:
    """Make the motions of one start, and ask about them."""
    drive = goal_drive(sim.world, sim.robot, BLOCKS, seed)
    sim.reset(drive.goal, seed + 1_000_000)
    goal = own.goal(sim.camera(), 1)
    twists = np.random.default_rng([seed, ACTIONS]).uniform(-1, 1, (ACTIONS, 2)) * sim.robot.limits
    sim.reset(drive.start, seed)
    own.begin()
    belief = own.believe(own.see(frame_of(sim, 1, str(seed))), ())
    knots = np.repeat(twists[:, None], horizon, 1)
    dynamics = own.actor.dynamics
    said = dynamics.imagine(belief.z, belief.body, knots, goal.z)
    origin = own.encoder.place(belief.z)
    ends, near, touched = [], [], []
    for twist in twists:
        pose, least, hit = driven(sim, drive.start, seed, twist, horizon * CONTROL_STEP_S)
        ends.append(pose)
        near.append(least)
        touched.append(hit)
    moved = np.array([between(drive.start, pose)[:2] for pose in ends])
    told = np.array([between(origin, place)[:2] for place in said.place[:, -1]])
    return Outcomes(
        (np.array([np.hypot(*(pose - drive.goal)[:2]) for pose in ends]),
         np.hypot(*(said.place[:, -1, :2] - goal.place[:2]).T)),
        (np.array(near), said.clearance.min(1)), np.hypot(*(moved - told).T), np.array(touched),
        twists)


def driven(sim: Simulator, start: np.ndarray, seed: int, twist: np.ndarray, seconds: float
           ) -> tuple[np.ndarray, float, bool]:
    """Hold a twist; return the true end, the least true distance to anything, whether it hit."""
    sim.reset(start, seed)
    least, hit = sim.world.distance(sim.truth_pose()[:2]), False
    for _ in range(round(seconds / LOOK_S)):
        sim.command(*map(float, twist))     # again and again: the base has a timeout
        sim.step(LOOK_S)
        least = min(least, sim.world.distance(sim.truth_pose()[:2]))
        hit = hit or sim.truth().touching
    return sim.truth_pose(), float(least), bool(hit)


def right(true: np.ndarray, said: np.ndarray, apart: float) -> tuple[int, int]:
    """Count the pairs that are told apart, and of these the ones in the right order."""
    pairs = told_apart(true, apart)
    good = sum((true[i] - true[j]) * (said[i] - said[j]) > 0 for i, j in pairs)
    return len(pairs), int(good)


def told_apart(true: np.ndarray, apart: float) -> list[tuple[int, int]]:
    """List the pairs that the truth tells apart."""
    return [(i, j) for i, j in combinations(range(len(true)), 2)
            if abs(true[i] - true[j]) > apart]


def through(one: Outcomes) -> tuple[int, int]:
    """Count the pairs of which one motion hits something, and those where that is said clearer."""
    true, said = one.clearance_m
    pairs = [(i, j) if one.touched[i] else (j, i)
             for i, j in told_apart(true, APART['clearance_m'])
             if one.touched[i] != one.touched[j]]
    return len(pairs), int(sum(said[hits] > said[free] for hits, free in pairs))


def score(all_of: list[Outcomes], rng: np.random.Generator) -> dict:
    """Say how many pairs are in the right order, with a 95 % interval by starts."""
    out = {}
    for name, apart in APART.items():
        counts = np.array([right(true, said, apart) for one in all_of
                           for true, said in [getattr(one, name)]])
        drawn = counts[rng.integers(0, len(counts), (DRAWN, len(counts)))].sum(1)
        shares = drawn[:, 1] / np.maximum(1, drawn[:, 0])
        pairs, good = counts.sum(0).tolist()
        out[name] = {'pairs': pairs, 'right': good, 'share': good / max(1, pairs),
                     'interval_95': np.percentile(shares, [2.5, 97.5]).tolist(),
                     'apart': apart}
    off = np.concatenate([one.off_m for one in all_of])
    walls = np.array([through(one) for one in all_of]).sum(0)
    return {**out, 'off_m': {f'p{p}': float(np.percentile(off, p)) for p in (50, 90, 99)},
            'touched': int(sum(one.touched.sum() for one in all_of)),
            'one_touches': {'pairs': int(walls[0]), 'said_clearer': int(walls[1])}}


def counterfactual(starts: int, seed: int, module_path: str = '', robot_name: str = 'rover',
                   world_seed: int | None = None,
                   progress: Callable[[int], None] = lambda done: None) -> dict:
    """Score a module; the report."""
    module: Module = open_module(module_path)
    robot, begun = find(robot_name), time.monotonic()
    world_seed = home(module) if world_seed is None else world_seed
    own = mind(module, robot, *settings(), time.monotonic_ns)
    horizon, made = module.manifest['horizon'], []
    with Simulator(worlds.draw(world_seed), robot, seed) as sim:
        for index in range(starts):
            made.append(outcomes(sim, own, seed + index, horizon))
            progress(index + 1)
    return {'protocol': {'starts': starts, 'seed': seed, 'actions': ACTIONS,
                         'seconds': horizon * CONTROL_STEP_S, 'world_seed': world_seed,
                         'module': module.manifest['name'],
                         'module_version': module.manifest['version']},
            **score(made, np.random.default_rng(0)), 'seconds': time.monotonic() - begun}
