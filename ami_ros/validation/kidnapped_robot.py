# SPDX-License-Identifier: Apache-2.0
"""
Moves the robot to another place on its way to a goal, and records declared arrivals.

Its odometry goes on as if nothing had happened, and no new run begins: only its pictures tell. The
critic's rules `lidar_displaced` and `scan_odometry` are left out. They would stop this robot until
a person resets it, and the trial is about what the mind believes.
"""

from dataclasses import asdict, dataclass, replace
import itertools
import math
import time

import numpy as np

from ami_ros.core.types import Command
from ami_ros.critic.critic import Critic
from ami_ros.modules.module import open_module
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.simulator import Simulator
from ami_ros.sim.simulator_interface import somewhere
from ami_ros.validation.evaluate import decide, FRAME_S, home, planner, policy, REMEMBERED, Trial
from ami_ros.validation.evaluation_protocol import goal_drive, GoalDrive

CARRIED_S = (0.5, 4.0)      # after the start, uniform: on the way, or just arrived
LEAST_M = 0.8               # between the place where it is put down and the goal
FALSE_M = 0.5               # an arrival that is declared further off than this is false
WATCHED_S = 20.0            # after it was carried
RESTED_S = 2.0              # of an arrival that is not taken back
NOTICING = ('lidar_displaced', 'scan_odometry')     # rules that latch when a robot is carried
PURPOSE = 0xCA44            # salts the stream


@dataclass(frozen=True)
class Carried:
    """What came of one try."""

    seed: int
    carried_s: float        # after the start
    carried_m: float
    goal_m: float           # from where it was put down
    false_s: float          # how long it declared an arrival that was false
    false_m: float          # how far off it was then, at most
    arrived_s: float | None     # until it arrived after that, and stayed
    final_distance_m: float

    @property
    def success(self) -> bool:
        """Tell whether it arrived in the end and never said so wrongly."""
        return self.false_s == 0.0 and self.arrived_s is not None


def carry(sim: Simulator, who, critic: Critic, drive: GoalDrive, seed: int) -> Carried:
    """Make one try."""
    rng = np.random.default_rng([sim.world.seed, seed, PURPOSE])
    at_s, to = float(rng.uniform(*CARRIED_S)), place(sim, drive, rng)
    sim.reset(drive.goal, seed + 1_000_000)
    picture = sim.camera()
    sim.reset(drive.start, seed)
    who.begin(seed, picture)
    commands: tuple[Command, ...] = ()
    began_s, carried_m, since_s = None, 0.0, None
    false_s, false_m = 0.0, 0.0
    for number in itertools.count(1):
        now_s = sim.time_ns / 1e9
        if began_s is None and now_s >= at_s:
            began_s, carried_m = now_s, apart(to, sim.truth_pose())
            sim.carry(to)
        _, plan, verdict = decide(sim, who, critic, commands, number, str(seed))
        commands = (*commands, verdict.command)[-REMEMBERED:]
        off_m = apart(sim.truth_pose(), drive.goal)
        if began_s is not None and plan.arrived and off_m > FALSE_M:
            false_s, false_m = false_s + FRAME_S, max(false_m, off_m)
        since_s = (now_s if since_s is None else since_s) if plan.arrived else None
        stays = since_s is not None and now_s - since_s >= RESTED_S
        if began_s is not None and (stays or now_s - began_s >= WATCHED_S):
            arrived_s = since_s - began_s if stays and since_s is not None else None
            return Carried(seed, began_s, carried_m, apart(to, drive.goal), false_s, false_m,
                           arrived_s, off_m)
        sim.step(FRAME_S)
    raise AssertionError('it is watched until it ends')


def place(sim: Simulator, drive: GoalDrive, rng: np.random.Generator) -> np.ndarray:
    """Draw a free pose (3,) that is not the goal's."""
    while True:
        pose = somewhere(sim, int(rng.integers(2**31)))
        if apart(pose, drive.goal) >= LEAST_M:
            return pose


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the distance of two poses, m."""
    return float(math.hypot(*(one - other)[:2]))


def carried(trial: Trial, progress=lambda one: None) -> dict:
    """Make the tries of a trial; returns the report."""
    module, robot = open_module(trial.module), find(trial.robot)
    world_seed = home(module) if trial.world_seed is None else trial.world_seed
    world, numbers = worlds.draw(world_seed), policy()
    rules = {name: own for name, own in numbers.rules.items() if name not in NOTICING}
    numbers, begun, tries = replace(numbers, rules=rules), time.monotonic(), []
    with Simulator(world, robot, trial.seed) as sim:
        who = planner(trial, module, sim)
        for seed in range(trial.seed, trial.seed + trial.episodes):
            drive = goal_drive(world, robot, trial.blocks, seed)
            tries.append(carry(sim, who, Critic(numbers, robot), drive, seed))
            progress(tries[-1])
    return {'protocol': {'carried_s': CARRIED_S, 'least_m': LEAST_M, 'false_m': FALSE_M,
                         'watched_s': WATCHED_S, 'goal_steps': trial.blocks, 'seed': trial.seed,
                         'world_seed': world_seed, 'frame_s': FRAME_S,
                         'module': module.manifest['name'],
                         'module_version': module.manifest['version']},
            'tries': [asdict(one) for one in tries],
            'false_arrivals': sum(one.false_s > 0 for one in tries),
            'arrived': sum(one.arrived_s is not None for one in tries),
            'seconds': time.monotonic() - begun}
