# SPDX-License-Identifier: Apache-2.0
"""
Swaps the active set of modules while the simulated robot drives, and counts missed plans.

Usage: python -m ami_ros.validation.benchmarks.hot_swap [--swaps 20] [--camera-hz 10] [--seed 1000]
[--report FILE]

Two sets, the shipped module and a copy of it under another version, signed by a throw-away key:
`ami-ros modules activate` and `rollback` in turn, while goals are driven to in real time. Counted:
pictures that brought no plan, within a second of a swap and elsewhere, and the longest time
without a verdict of the critic and without a command. Before it drives, `rollback` is timed, the
whole command.
"""

import argparse
from dataclasses import replace
import json
import os
from pathlib import Path
import platform
import subprocess
import sys
import tempfile
import time
from typing import cast

import numpy as np
import rclpy
import yaml

from ami_ros.core.share_directory import share
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules import signing_keys
from ami_ros.modules import trusted_keys as trust
from ami_ros.modules.module import shipped
from ami_ros.modules.signing import sign
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.robots.find_robot import find
from ami_ros.validation.stack import sim_session
from ami_ros.validation.stack.episode_runner import EpisodeRunner
from ami_ros.validation.stack.processes import claim_domain, Processes

AROUND_S = 1.0          # before an order and after it was followed: the time of a swap
PATIENCE_S = 30.0


class Sets:
    """Two modules in a store of their own, and the command line that swaps them."""

    def __init__(self, work: Path):
        self.store, self.environment = work / 'store', {
            **os.environ, trust.ENVIRONMENT: str(work / 'trust')}
        os.environ[trust.ENVIRONMENT] = self.environment[trust.ENVIRONMENT]
        copy = work / 'copy'
        copy.mkdir()
        for path in shipped().iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        manifest = json.loads((copy / envelope.MANIFEST).read_text())
        manifest['version'] = '9.9.9'
        (copy / envelope.MANIFEST).write_text(json.dumps(manifest))
        key = signing_keys.Signer.new()
        sign(copy, key)
        trust.admit(work / 'trust', 'trial', key.public, ['*'], ['*'])
        self.ask('install', shipped())
        self.ask('install', copy)
        self.ask('activate', 'rover-room-7-' + self.version())
        self.versions = (self.version(), '9.9.9')
        self.now = 0

    @staticmethod
    def version() -> str:
        """Return the shipped version."""
        return json.loads((shipped() / envelope.MANIFEST).read_text())['version']

    def command(self, *what) -> list[str]:
        """Make the command line."""
        return [sys.executable, '-m', 'ami_ros.cli', 'modules', *map(str, what),
                '--module-store-dir',
                str(self.store)]

    def ask(self, *what) -> None:
        """Run it to its end."""
        subprocess.run(self.command(*what), check=True, stdout=subprocess.DEVNULL)

    def rollback_s(self) -> float:
        """Activate the other, and tell how long the whole command takes that goes back."""
        self.ask('activate', 'rover-room-7-9.9.9')
        begun = time.perf_counter()
        self.ask('rollback')
        return time.perf_counter() - begun

    def swap(self) -> subprocess.Popen:
        """Order the other set; return who does it."""
        self.now = 1 - self.now
        what = ('activate', 'rover-room-7-9.9.9') if self.now else ('rollback',)
        return subprocess.Popen(self.command(*what), stdout=subprocess.DEVNULL)


class GapWatch:
    """Hears what the mind says of itself, verdicts and commands, by the steady clock."""

    def __init__(self, pilot: EpisodeRunner):
        self.module = ''
        self.verdicts: list = []
        self.commands: list = []
        self.pictures: dict[int, float] = {}        # by stamp: when it came here
        self.plans: set[int] = set()
        for row, heard in ((topics.DIAGNOSTICS, self._health),
                           (topics.CAMERA, self._picture),
                           (replace(topics.PLAN, qos=topics.RELIABLE_100), lambda msg:
                            self.plans.add(convert.plan_from(msg).number)),
                           (topics.VERDICT, lambda msg: self.verdicts.append(time.monotonic())),
                           (topics.COMMAND, lambda msg: self.commands.append(time.monotonic()))):
            pilot.create_subscription(*row.subscriber(heard))

    def _picture(self, msg) -> None:
        self.pictures[convert.nanoseconds(msg.header.stamp)] = time.monotonic()

    def _health(self, msg) -> None:
        for health in convert.health_from(msg):
            self.module = health.values.get('module') or self.module


def longest(times: list[float], begun: float, ended: float) -> float:
    """Return the longest time without one."""
    inside = [t for t in times if begun <= t <= ended]
    return float(np.max(np.diff([begun, *inside, ended])))


def spread(seconds: list[float]) -> dict:
    """Tell median and longest."""
    return {'n': len(seconds), 'median': round(float(np.median(seconds)), 2) if seconds else None,
            'max': round(max(seconds), 2) if seconds else None}


class Swapper:
    """Orders swaps, one after the other, from within the pilot's waiting."""

    def __init__(self, sets: Sets, count: int, every_s: float):
        self.sets, self.left, self.every_s = sets, count, every_s
        self.watch: GapWatch | None = None
        self.order: subprocess.Popen | None = None
        self.windows: list[tuple[float, float]] = []
        self.due_s = self.ordered = 0.0

    def turn(self) -> None:
        """Order one, or see whether it was followed."""
        now = time.monotonic()
        if self.order is not None:
            assert self.watch is not None
            assert now - self.ordered < PATIENCE_S, 'the mind never followed'
            wanted = f' {self.sets.versions[self.sets.now]} ('
            if self.order.poll() == 0 and wanted in self.watch.module:
                self.windows.append((self.ordered, now))
                self.order, self.due_s = None, now + self.every_s
            assert self.order is None or self.order.poll() in (None, 0), 'it was refused'
        elif self.left and self.due_s and now > self.due_s:
            self.left -= 1
            self.ordered, self.order = now, self.sets.swap()


def run(work: Path, swaps: int, camera_hz: int, seed: int, every_s: float = 4.0,
        blocks: int = 20, rollbacks: int = 10) -> dict:
    """Drive until all swaps are done; return what was counted."""
    sets = Sets(work)
    rollbacks_s = [sets.rollback_s() for _ in range(rollbacks)]
    params = yaml.safe_load(share('config/rover_node_parameters.yaml').read_text())
    params['/**/mind']['ros__parameters']['module_store_dir'] = str(sets.store)
    (work / 'params.yaml').write_text(yaml.safe_dump(params))
    made = sim_session.Session(work / 'logs', True, camera_hz, world_seed=7,
                               params=work / 'params.yaml')
    domain, lock = claim_domain()
    context, drives = rclpy.Context(), []
    with lock, Processes(domain, made.logs) as processes, sim_session.open_body(
            made.engine, find('rover'), sim_session.SimRoom(7), 0,
            find('rover').camera_size) as world:
        os.environ.update(processes.settings())
        made.start(processes)
        rclpy.init(context=context, domain_id=domain)
        swapper = Swapper(sets, swaps, every_s)

        def check() -> None:
            processes.check()
            swapper.turn()

        try:
            pilot = EpisodeRunner(context, False, 1 / camera_hz, check)
            swapper.watch = GapWatch(pilot)
            for errand in sim_session.errands(world, blocks, seed, lambda n: (
                    bool(swapper.left or swapper.order is not None))):
                swapper.due_s = swapper.due_s or time.monotonic() + 10
                drives.append(pilot.drive(errand.drive, errand.picture, errand.seed))
        finally:
            rclpy.shutdown(context=context)
    return {'rollback_s': spread(rollbacks_s), **report(swapper, drives, camera_hz)}


def report(swapper: Swapper, drives: list, camera_hz: int) -> dict:
    """Count."""
    def amid(one: float) -> bool:
        return any(begun - AROUND_S < one < ended + AROUND_S for begun, ended in swapper.windows)

    watch, counts = cast(GapWatch, swapper.watch), {True: [0, 0], False: [0, 0]}
    first, last = min(watch.plans), max(watch.plans)
    for stamp, came in watch.pictures.items():
        if first <= stamp <= last:
            count = counts[amid(came)]
            count[0] += 1
            count[1] += stamp not in watch.plans
    gaps = {name: max(longest(times, *window) for window in swapper.windows)
            for name, times in (('verdict', watch.verdicts), ('command', watch.commands))}
    took = [ended - begun for begun, ended in swapper.windows]
    return {'swaps': len(swapper.windows), 'camera_hz': camera_hz,
            'from_order_to_followed_s': spread(took),
            'around_swaps': {'pictures': counts[True][0], 'missed': counts[True][1]},
            'elsewhere': {'pictures': counts[False][0], 'missed': counts[False][1]},
            'longest_without_s': {name: round(gap, 3) for name, gap in gaps.items()},
            'drives': len(drives),
            'arrived': sum(drive.episode.success for drive in drives),
            'collisions': sum(drive.episode.collisions for drive in drives)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('--swaps', type=int, default=20, help='Number of swaps')
    parser.add_argument('--camera-hz', type=int, default=10, help='Camera rate, in Hz')
    parser.add_argument('--seed', type=int, default=1000, help='Random seed')
    parser.add_argument('--report', type=Path, help='Report JSON file')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        said = {'seed': args.seed, 'machine': f'{os.cpu_count()} x {platform.machine()}',
                'python': platform.python_version(),
                **run(Path(work), args.swaps, args.camera_hz, args.seed)}
    if args.report:
        args.report.write_text(json.dumps(said, indent=1) + '\n')
    print(json.dumps(said))
    return 0


if __name__ == '__main__':
    sys.exit(main())
