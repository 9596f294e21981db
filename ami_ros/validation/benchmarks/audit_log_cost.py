# SPDX-License-Identifier: Apache-2.0
"""
Measures the cost of the audit log per critic tick: without log, with log, and on bad disks.

    python3 -m ami_ros.validation.benchmarks.audit_log_cost REPORT --rounds 12

The rules of the rover over 360 beams, 50 ticks a second, and a robot that stops and goes at every
second tick, so that there is something to note all the time. The conditions take turns, five
seconds each, in an order drawn from the seed: what else the machine does meets all of them.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
import errno
import json
import os
from pathlib import Path
import tempfile
import time
from typing import Any

import numpy as np

from ami_ros.core.share_directory import share
from ami_ros.core.types import Odometry, Permit, Plan, Scan, View
from ami_ros.critic.audit import event_selection
from ami_ros.critic.audit.event_selection import Auditor
from ami_ros.critic.audit.log import AuditLog
from ami_ros.critic.audit.verify import verify
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.host.realtime_priority import take_priority
from ami_ros.robots.find_robot import find

TICK_S, BLOCK = 0.02, 250
BEAMS = 360
HANG_S = 0.3            # so long each fsync of the slow disk
ANGLES = np.linspace(-np.pi, np.pi, BEAMS, endpoint=False)
WRITE, SYNC = os.write, os.fsync


def slow(handle: int) -> None:
    """Sync as a worn SD card does."""
    time.sleep(HANG_S)
    SYNC(handle)


def full(handle: int, content: bytes) -> int:
    """Have no room."""
    raise OSError(errno.ENOSPC, 'No space left on device')


class Driven:
    """A critic that is told everything anew at each tick, stopped at every second one."""

    def __init__(self):
        robot = find('rover')
        robot = replace(robot, sensors=tuple(
            replace(s, beams=BEAMS, angle_min_rad=ANGLES[0], angle_max_rad=ANGLES[-1])
            if s.kind == 'LaserScan' else s for s in robot.sensors))
        self.critic = Critic(read(share('config/safety_policy/rover.yaml')), robot)
        self.camera = robot.camera.name
        self.rng, self.count = np.random.default_rng(500), 0

    def tick(self) -> tuple[int, int]:
        """Tell it what is so now; return the two clocks."""
        self.count += 1
        now = time.time_ns(), time.monotonic_ns()
        self.critic.on_scan(Scan(3.0 + self.rng.uniform(0, 0.001, BEAMS), ANGLES,
                                 (0.0, 0.0, 0.0), *now))
        self.critic.on_view(View(self.camera, *now, (64, 64), str(self.count), 60.0))
        self.critic.on_odometry(Odometry(self.rng.uniform(0, 1e-4, 3), np.zeros(2), *now))
        self.critic.on_permit(Permit('autonomous', 'r', *now))
        wish = np.nan if self.count % 2 else 0.1        # what is no number stops it for a tick
        self.critic.on_plan(Plan(np.tile([wish, 0.0], (8, 1)), 0.25, now[0], run='r',
                                 number=self.count), now[1])
        return now


def block(driven: Driven, noting: Callable) -> list[float]:
    """Tick for a while; return what judging and noting took, in milliseconds."""
    took, due_s = [], time.perf_counter()
    for _ in range(BLOCK):
        due_s = max(due_s + TICK_S, time.perf_counter())
        time.sleep(max(0.0, due_s - time.perf_counter()))
        now = driven.tick()
        begun = time.perf_counter()
        noting(driven.critic.judge(*now))
        took.append(1e3 * (time.perf_counter() - begun))
    return took


def main(words: list[str] | None = None) -> int:
    """Measure, write, print."""
    asked = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    asked.add_argument('report', type=Path, help='Report JSON file')
    asked.add_argument('--rounds', type=int, default=12,
                       help='Number of rounds over all conditions')
    asked.add_argument('--seed', type=int, default=500, help='Random seed')
    args = asked.parse_args(words)
    # note all of it: the worst that can be
    event_selection.BURST, event_selection.A_SECOND = 10**9, 1e9
    priority = take_priority()
    with tempfile.TemporaryDirectory() as home:
        logs = {name: AuditLog(Path(home) / name, begin=take_priority)
                for name in ('log', 'slow disk', 'full disk')}
        made = {name: Auditor(log) for name, log in logs.items()}
        driven, rng = Driven(), np.random.default_rng(args.seed)

        def noting(name: str) -> Callable:
            if name == 'none':
                return lambda verdict: None
            critic = driven.critic
            return lambda verdict: made[name].judged(verdict, critic.latch.closed,
                                                     critic.drivers.permit)

        took: dict[str, list] = {name: [] for name in ('none', *logs)}
        block(driven, noting('none'))
        for _ in range(args.rounds):
            for name in rng.permutation(list(took)):
                system: Any = os
                system.fsync = slow if name == 'slow disk' else SYNC
                system.write = full if name == 'full disk' else WRITE
                took[name] += block(driven, noting(name))
        os.fsync, os.write = SYNC, WRITE
        for log in logs.values():
            log.close()
        good = verify(Path(home) / 'log')
        stops = driven.critic.counts['stop'] / max(1, driven.count)
        said = {'rounds': args.rounds, 'seed': args.seed, 'priority': priority or 'real-time',
                'beams': BEAMS, 'policy': 'rover.yaml', 'share_of_stops': round(stops, 3),
                'noted': good.count, 'findings': [str(one) for one in good.findings],
                'load': [round(load, 2) for load in os.getloadavg()],
                'cores': os.cpu_count(),
                'took_ms': {name: {'n': len(ms), **{
                    f'p{p:g}': round(float(np.percentile(ms, p)), 4) for p in (50, 95, 99, 99.9)},
                    'max': round(max(ms), 3)} for name, ms in took.items()}}
    args.report.write_text(json.dumps(said, indent=1) + '\n')
    print(json.dumps(said))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
