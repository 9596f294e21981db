# SPDX-License-Identifier: Apache-2.0
"""
Measures whether the rover stands before an obstacle, and how soon it resumes without it.

    python3 -m ami_ros.validation.obstacle_hysteresis REPORT [--runs N] [--seed S]

The simulated rover drives at a box in an empty room, under the shipped policy or `--policy`, with
the noise of its lidar and its odometry. It must stand for as long as the box does, at every tick
of ten seconds; then the box is taken away, and the time until the first command that moves is
taken.
"""

import argparse
from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import pybullet

from ami_ros.core.image_stats import view_of
from ami_ros.core.types import Odometry, Permit, Plan
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import Policy, read
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim import pybullet_room
from ami_ros.sim.engines.pybullet_engine import PyBulletEngine
from ami_ros.sim.simulator import Simulator, STEP_S
from ami_ros.validation.adversarial.campaign import safety_policy_file
from ami_ros.validation.evaluate import scan_of

TICK_S = 5 * STEP_S         # 48 Hz; scans at 24, plans at 9.6
SCAN_TICKS, PLAN_TICKS = 2, 5
REST_TICKS, HOLD_S, WAIT_S = 24, 10.0, 3.0


class Approach:
    """A rover, a box ahead of it, and somebody who wants to drive on."""

    def __init__(self, sim: Simulator, seed: int, policy: Policy):
        rng = np.random.default_rng(seed)
        self.sim, self.critic, self.ticks = sim, Critic(policy, sim.robot), 0
        assert isinstance(sim.engine, PyBulletEngine)
        self.client = sim.engine.client
        sim.reset((-1.0, rng.uniform(-0.5, 0.5), rng.uniform(-0.2, 0.2)), seed)
        x, y, yaw = sim.truth_pose()
        ahead, aside = rng.uniform(0.6, 1.2), rng.uniform(-0.12, 0.12)
        half, self.wish = rng.uniform(0.04, 0.2), (rng.uniform(0.2, 0.6), 0.0)
        self.box = pybullet_room.furniture(self.client, worlds.Piece(
            'box', x + ahead * np.cos(yaw) - aside * np.sin(yaw),
            y + ahead * np.sin(yaw) + aside * np.cos(yaw), float(rng.uniform(-1, 1)),
            (half, half), 0.5, (0.5, 0.5, 0.5)))
        self.late: list = []          # a scan comes a tick after it was taken

    def tick(self) -> bool:
        """Let a tick pass; return whether the command moves."""
        sim, critic, now = self.sim, self.critic, self.sim.time_ns
        for scan in self.late:
            critic.on_scan(replace(scan, received_steady_ns=now))
        self.late = [scan_of(sim, now)] if self.ticks % SCAN_TICKS == 0 else []
        critic.on_odometry(Odometry(*sim.odometry(), now, now, sim.robot.odometry.name))
        if self.ticks % PLAN_TICKS == 0:
            grain = np.random.default_rng(self.ticks).integers(0, 256, (8, 8, 3), np.uint8)
            critic.on_view(view_of(grain, sim.robot.camera.name, now, now))
            critic.on_permit(Permit('autonomous', '', now, now))
            critic.on_plan(Plan(np.tile(self.wish, (4, 1)), 0.25, now), now)
        out = critic.judge(now, now).command.values
        sim.command(*out)
        sim.step(TICK_S)
        self.ticks += 1
        return bool(out.any())

    def result(self) -> dict:
        """Drive up to the box, stand before it, and go on when it is gone."""
        rested = 0
        while rested < REST_TICKS:
            rested = 0 if self.tick() else rested + 1
            if self.ticks > 60 / TICK_S:
                raise RuntimeError('it did not come to rest within a minute')
        moved = sum(self.tick() for _ in range(round(HOLD_S / TICK_S)))
        pybullet.removeBody(self.box, physicsClientId=self.client)
        waited = 0
        while not self.tick():
            waited += 1
            if waited > WAIT_S / TICK_S:
                break
        return {'hold': 1 - moved / round(HOLD_S / TICK_S), 'resume_s': waited * TICK_S}


def main() -> None:
    """Drive, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('report', type=Path, help='Report JSON file')
    parser.add_argument('--runs', type=int, default=30, help='Number of runs')
    parser.add_argument('--seed', type=int, default=1000, help='Random seed')
    parser.add_argument('--safety-policy', default='rover',
                        help='Name or path of a safety policy file')
    args = parser.parse_args()
    empty, results, chosen = replace(worlds.draw(7),
                                     pieces=()), [], read(safety_policy_file(args.safety_policy))
    with Simulator(empty, find('rover'), args.seed, (16, 16)) as sim:
        for index in range(args.runs):
            results.append(Approach(sim, args.seed + index, chosen).result())
    holds, waits = ([one[key] for one in results] for key in ('hold', 'resume_s'))
    said = {'command':
            f'python3 -m ami_ros.validation.obstacle_hysteresis --runs {args.runs} --seed '
            f'{args.seed}',
            'policy': chosen.hash, 'runs': args.runs, 'seed': args.seed,
            'held_always': sum(hold == 1 for hold in holds), 'hold_least': min(holds),
            'resume_s': {'p50': round(float(np.median(waits)), 3), 'max': round(max(waits), 3)}}
    args.report.write_text(json.dumps(said, indent=1) + '\n')
    print(json.dumps(said))


if __name__ == '__main__':
    main()
