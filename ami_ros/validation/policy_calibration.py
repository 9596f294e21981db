# SPDX-License-Identifier: Apache-2.0
"""
Measures the figures behind the numbers of a policy that have `source: calibration`.

    python -m ami_ros.validation.policy_calibration --report docs/reports/policy_calibration.json

Lock-step, seeds for tuning, which no published figure uses: 20 episodes of 20 blocks in the room
that the module learned, and 5 in each of four rooms that it never saw. Of every tick: surprise and
out_of_distribution of the plan, as the rules are told them; the spread of the picture; and the
share of a scan that the next one shows elsewhere, of the scans as they were, and of the same with
the second turned by some degrees, as somebody turns a lidar.
"""

import argparse
from dataclasses import replace
import json
import math
from pathlib import Path
import time

import numpy as np

from ami_ros.core.image_stats import view_of
from ami_ros.core.types import Sighting
from ami_ros.critic.critic import Critic
from ami_ros.critic.rules.lidar_displaced import shifted
from ami_ros.inference.encoder_and_dynamics import mind
from ami_ros.modules.module import open_module
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.simulator import Simulator
from ami_ros.validation import evaluate, planners
from ami_ros.validation import evaluation_protocol as protocol

OWN, OTHERS, BLOCKS, FIRST_SEED = 20, 5, 20, 600
UNSEEN = (112, 113, 114, 115)           # rooms; 100 to 109 are those of published figures
TURNED_DEG = (10, 20, 30, 90)
SHARES = (50, 95, 99, 99.8, 100)        # percentiles


class FigureWatch:
    """Takes down what the rules are told."""

    def __init__(self, critic: Critic, off_m: float, off_rad: float, camera: str):
        self.critic, self.off, self.camera = critic, (off_m, off_rad), camera
        self.said: dict[str, list] = {
            'surprise': [], 'out_of_distribution': [], 'spread': [], 'shifted': [],
            **{f'shifted_turned_{deg}': [] for deg in TURNED_DEG}}

    def __call__(self, frame, plan, verdict, truth) -> None:
        """Take a tick."""
        now = frame.stamp_ns
        self.said['spread'].append(view_of(frame.image, self.camera, now, now).spread)
        if plan.arrived:
            return
        self.said['surprise'].append(plan.surprise)
        self.said['out_of_distribution'].append(plan.out_of_distribution)
        for seen in self.critic.situation(now, now).memory.sightings:
            if len(seen) < 2:
                continue
            after, before = seen[:2]
            self.said['shifted'].append(shifted(before, after, *self.off))
            beams = len(after.scan.ranges)
            for deg in TURNED_DEG:
                ranges = np.roll(after.scan.ranges, round(deg / 360 * beams))
                turned = Sighting(replace(after.scan, ranges=ranges), after.pose)
                self.said[f'shifted_turned_{deg}'].append(shifted(before, turned, *self.off))


def drive(world_seed: int, episodes: int, first: int) -> dict[str, list[float]]:
    """Drive in a room; everything that was told."""
    module, robot, policy = open_module(), find('rover'), evaluate.policy()
    numbers = policy.numbers
    off = (numbers['rules.lidar_displaced.shift_m'],
           math.radians(numbers['rules.lidar_displaced.shift_deg']))
    world = worlds.draw(world_seed)
    out: dict = {}
    with Simulator(world, robot, first) as sim:
        who = planners.WorldModelPlanner(mind(module, robot, *evaluate.settings(), lambda: 0))
        for seed in range(first, first + episodes):
            critic = Critic(policy, robot)
            watch = FigureWatch(critic, *off, robot.camera.name)
            evaluate.episode(sim, who, critic, protocol.goal_drive(world, robot, BLOCKS, seed),
                             seed, watch)
            for name, values in watch.said.items():
                out.setdefault(name, []).extend(values)
    return out


def figures(said: dict[str, list[float]], policy) -> dict:
    """Say percentiles, and the share beyond the policy's number."""
    limits = {'surprise': policy.numbers['rules.surprise.max_surprise'],
              'out_of_distribution': policy.numbers[
                  'rules.out_of_distribution.max_out_of_distribution'],
              'shifted': policy.numbers['rules.lidar_displaced.max_shifted'],
              'spread': policy.numbers['rules.camera_image.min_spread']}
    out = {}
    for name, values in said.items():
        known = np.array([v for v in values if v is not None and math.isfinite(v)])
        if not len(known):      # the module has no such figure
            continue
        limit = limits.get(name) or limits[name.partition('_')[0]]
        out[name] = {'n': len(known), 'min': round(float(known.min()), 4),
                     **{f'p{p:g}': round(float(np.percentile(known, p)), 4) for p in SHARES},
                     'limit': limit, 'share_beyond': round(float(np.mean(
                         known < limit if name == 'spread' else known > limit)), 5)}
    return out


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    parser.add_argument('--report', type=Path, default=Path('runs/policy_calibration.json'),
                        help='Report JSON file')
    args = parser.parse_args()
    begun, policy, module = time.monotonic(), evaluate.policy(), open_module()
    home = evaluate.home(module)
    rooms = {'own room': figures(drive(home, OWN, FIRST_SEED), policy)}
    print(json.dumps(rooms, indent=1), flush=True)
    for room in UNSEEN:
        rooms[f'unseen room {room}'] = figures(drive(room, OTHERS, FIRST_SEED), policy)
        print(f'room {room}', flush=True)
    args.report.parent.mkdir(parents=True, exist_ok=True)
    args.report.write_text(json.dumps({
        'asked': {'own': OWN, 'others': OTHERS, 'blocks': BLOCKS, 'first_seed': FIRST_SEED,
                  'module': module.said, 'policy': policy.hash[:12]},
        'seconds': round(time.monotonic() - begun), 'rooms': rooms}, indent=1) + '\n')
    print(f'report: {args.report}')


if __name__ == '__main__':
    main()
