# SPDX-License-Identifier: Apache-2.0
"""Runs `ami-ros faults`: one fault after the other with its repeats, then the report."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
import hashlib
import itertools
import os
from pathlib import Path
import time
from typing import Any, cast
import zlib

import numpy as np

from ami_ros.configurator.configurator import ConfiguratorSettings
from ami_ros.core.share_directory import share
from ami_ros.critic.audit.log import GATHER_S
from ami_ros.modules.module import open_module
from ami_ros.nodes.critic_node import COMPANY_S, policy, TICK_HZ
from ami_ros.nodes.lifecycle import BEAT_S
from ami_ros.robots.find_robot import find
from ami_ros.robots.robot import Robot
from ami_ros.sim.simulator import Simulator
from ami_ros.sim.simulator_interface import open_body, SimBody, SimRoom
from ami_ros.validation.evaluate import home
from ami_ros.validation.fault_injection.campaign_resume import FaultLedger
from ami_ros.validation.fault_injection.fault_definitions import chosen, read, Row
from ami_ros.validation.fault_injection.faulty_stack import FaultyStack
from ami_ros.validation.fault_injection.injectors import BY, Injector
from ami_ros.validation.fault_injection.judge import (
    FULL_SHARE,
    impossible,
    judge,
    Outcome,
    summed,
    Unseen,
)
from ami_ros.validation.fault_injection.message_faults import known
from ami_ros.validation.fault_injection.observer import LaneGoal
from ami_ros.validation.fault_injection.straight_lanes import lane
from ami_ros.validation.fault_injection.trace import Trace
from ami_ros.validation.stack.bench import machine, versions
from ami_ros.validation.stack.episode_runner import NoAnswer
from ami_ros.validation.stack.processes import ChildEnded
from ami_ros.validation.stack.sim_session import say

ROBOT, POLICY = 'rover', 'config/safety_policy/rover.yaml'     # of rover_node_parameters.yaml
RESUME_S = 1.5          # so long it is watched whether it drives on by itself
DELAY_S = 0.2           # at most, from full speed to the strike: it may meet any phase
STARTS = 3              # of a stack that does not come up
WRONG = (NoAnswer, ChildEnded, Unseen)
DEFINITIONS = {
    'time_to_zero_s': 'from the fault until the wheels are told rest and nothing else while it '
                      'lasts; the base timing out counts as rest; exact to the millisecond',
    'time_to_slow_s': 'from the fault until the wheels are told no more than at_most_mps while it '
                      'lasts; as fine as the truth, 25 ms',
    'time_to_pause_s': 'from the fault until the wheels are first told rest',
    'time_to_named_s': 'from the fault until the cause was named by whom the table asks',
    'time_to_stand_s': 'from the fault until the body is slower than 0.02 m/s: the above and the '
                       "wheels' own lag; between truths of every 25 ms by a straight line",
    'distance_after_m': 'driven while the fault lasted',
    'longest_silence_s': 'without any command to the wheels, while the fault lasted',
    'collisions': 'touches that began after the fault, until it was seen whether it drives on',
    'latched': f'it rested on for {RESUME_S:g} s after the cause was gone; null: it never rested, '
               'or repeats differ',
    'recovered': 'it drove at full speed again, armed by a person if need be',
    'verdict_named_the_cause': 'who the table asks named it: the verdict, or the health of a node',
    'recovery_s': 'from the end of the cause until then, on another drive',
    'tamper_ms': 'what passing the man in the middle cost messages, from being sent to sent on',
}


def numbers_of(safety_policy_file: str, robot: Robot) -> dict[str, float]:
    """Return what formulas of the table may name: policy, robot, sensors, and the nodes' own."""
    out = {name.rpartition('.')[2]: value
           for name,
           value in policy(safety_policy_file).numbers.items() if isinstance(value, float)}
    out.update({f'{s.name}_period_s': 1 / s.hz for s in robot.sensors if s.hz})
    out.update({name: getattr(robot, name)
                  for name in ('base_timeout_s', 'latency_s', 'actuation_lag_s')})
    watcher = ConfiguratorSettings()
    out.update(heartbeat_timeout_s=watcher.heartbeat_timeout_s,
               processing_timeout_s=watcher.processing_timeout_s, tick_s=1 / TICK_HZ,
                 look_around_s=COMPANY_S, beat_s=BEAT_S, gather_s=GATHER_S)
    return out


class Campaign:
    """Rows of the table, one after the other."""

    def __init__(self, seed: int, repeats: int, numbers: Mapping[str, float], body: SimBody,
                 world_seed: int, logs: Path, module: str = '',
                 programs: dict[str, list[str]] | None = None):
        self.seed, self.repeats, self.numbers = seed, repeats, numbers
        self.body, self.world_seed, self.logs = body, world_seed, logs
        self.module, self.programs = module, programs

    def __enter__(self):
        self.stack: FaultyStack | None = None
        return self

    def __exit__(self, *_):
        if self.stack is not None:
            self.stack.__exit__()
        self.stack = None

    def ready(self, row: Row) -> FaultyStack:
        """Return a robot for a fault: the one that runs, if it is of the right kind."""
        if self.stack is not None and self.stack.row.setup != row.setup:
            self.__exit__()
        if self.stack is None:
            self.stack = FaultyStack(self.place(row), row, self.world_seed, self.module,
                               self.programs).__enter__()
        self.stack.row = row
        return self.stack

    def measure(self, row: Row, outcomes: list[Outcome], keep: Callable[[dict], None]) -> None:
        """Strike so many times in all; a robot that does not come back is started anew.

        `outcomes` are those of before. `keep` gets the entry after each repeat. One of WRONG
        where it does not work a few times.
        """
        failed = 0
        while len(outcomes) < self.repeats:
            try:
                stack = self.ready(row)

                def kept(stack=stack) -> None:
                    keep({**summed(row, outcomes, self.numbers), **stack.about()})

                if not self.series(stack, outcomes, kept):
                    self.__exit__()
            except WRONG as why:
                self.__exit__()
                failed += 1
                say(f'{row.name}: {why}')
                if failed == STARTS:
                    raise

    def place(self, row: Row) -> Path:
        """Return a new folder for logs: what an earlier start said is kept."""
        return next(path for n in itertools.count(1)
                    if not (path := self.logs / row.setup / str(n)).exists())

    def series(self, stack: FaultyStack, outcomes: list[Outcome],
               kept: Callable[[], None]) -> bool:
        """Strike until all repeats are done, or it does not come back; return which.

        There is one drive more than strikes: it shows that the last one was recovered from.
        """
        full_mps = FULL_SHARE * self.numbers['max_speed_mps']
        struck: Outcome | None = None       # the last one, until it is known what came of it
        done_s = 0.0                        # when its cause was gone
        while True:
            number = len(outcomes) + (struck is not None)
            rng = np.random.default_rng([self.seed, zlib.crc32(stack.row.name.encode()), number])
            blow = BY[stack.row.strike['by']](stack, int(rng.integers(2**31)))
            try:
                blow.prepare()
                errands = partial(lambda rng, attempt: self.errand(rng), rng)
                stack.observer.full_speed(errands, full_mps, rng.uniform(0, DELAY_S))
            except WRONG as why:
                if struck is None:
                    raise
                say(f'{stack.row.name}: it did not come back: {why}')
                outcomes.append(struck)
                kept()
                return False
            if struck is not None:
                struck.recovered, struck.recovery_s = True, time.monotonic() - done_s
                outcomes.append(struck)
                kept()
            if len(outcomes) == self.repeats:
                return True
            struck, done_s = self.strike(stack, blow)
            if struck is None:
                say(f'{stack.row.name}: it was told rest just before; once more')
                continue
            say(f'{stack.row.name} {len(outcomes) + 1}/{self.repeats}: {told(struck)}')

    def errand(self, rng: np.random.Generator) -> LaneGoal:
        """Draw a lane, and take the picture at its end."""
        way = lane(cast(Simulator, self.body).world, self.body.robot, rng)
        seed = int(rng.integers(2**31))
        self.body.reset(way.goal, seed)
        return LaneGoal(way, self.body.camera(), seed)

    def strike(self, stack: FaultyStack, blow: Injector) -> tuple[Outcome | None, float]:
        """Strike once, take it back, and watch; return what came, and when the cause was gone.

        None where it was told rest before the strike: who stops by itself shows nothing.
        """
        observer = stack.observer
        trace = Trace(blow.strike(), looks=observer.log.looked, said=observer.log.said)
        struck_s = time.monotonic() - (time.time_ns() - trace.struck_ns) / 1e9
        blow.meanwhile()
        observer.watch(struck_s + stack.row.hold_s - time.monotonic())
        trace.restored_ns = time.time_ns()
        blow.restore()
        done_s = time.monotonic()
        observer.watch(RESUME_S, lambda: any(look.rest_s == 0.0 for look in trace.after()))
        trace.ended_ns = time.time_ns()
        before = trace.before()
        if before is not None and before.rest_s > 0.0:
            return None, done_s
        out = judge(trace, stack.row, self.numbers)
        out.why_not += blow.why_not()
        out.named = out.named.replace(str(self.logs), '...')       # that is of this machine
        out.load = os.getloadavg()[0]
        return rounded(out), done_s


def rounded(out: Outcome) -> Outcome:
    """Round to what is known: tenths of milliseconds and of millimetres."""
    told: dict[str, Any] = {key: round(value, 4) for key, value in vars(out).items()
                            if isinstance(value, float)}
    return replace(out, **told)


def told(out: Outcome) -> str:
    """Say in a line what a strike came to."""
    def seconds(value: float | None) -> str:
        return 'never' if value is None else f'{value:.3f} s'
    return (f'from {out.speed_at_strike_mps:.2f} m/s, told rest {seconds(out.time_to_zero_s)}, '
            f'stood {seconds(out.time_to_stand_s)}, {out.distance_after_m:.2f} m on, '
            f'{out.collisions} collisions, silent for {seconds(out.longest_silence_s)}, '
            f'latched {out.latched}, named {seconds(out.time_to_named_s)} ({out.named}); '
            f'{"; ".join(out.why_not) or "as expected"}')


def main(args: argparse.Namespace) -> int:
    """Run `ami-ros faults`; returns the exit status: 0 when all that was asked for passed."""
    robot = find(ROBOT)
    numbers = numbers_of(POLICY, robot)
    table = read(share('config/faults.yaml'), numbers)
    rows = chosen(table, args.only)
    for row in rows:
        if row.strike.get('by') == 'tamper':
            known(row.strike['at'], row.strike['how'])
    if args.list:
        say(listed(rows, numbers))
        return 0
    module = open_module(args.module)
    asked = {'seed': args.seed, 'repeats': args.repeats, 'robot': robot.name,
             'robot_file': digest(Path(robot.path)), 'policy': digest(share(POLICY)),
             'module': module.manifest['name'], 'module_version': module.manifest['version']}
    about = {'machine': machine(), 'versions': versions(), 'definitions': DEFINITIONS,
             'full_speed_mps': FULL_SHARE * numbers['max_speed_mps']}
    ledger = FaultLedger(args.report, asked, about, tuple(row.name for row in table))
    world_seed = home(module)
    with open_body('pybullet', robot, SimRoom(world_seed), 0, robot.camera_size) as body, Campaign(
            args.seed, args.repeats, numbers, body, world_seed,
            args.report.with_suffix('.logs').resolve(), args.module) as campaign:
        for row in sorted(rows, key=lambda row: row.setup):     # those that share a robot together
            if ledger.has(row):
                say(f'{row.name}: is in {args.report} already')
            elif row.needs:
                ledger.put(impossible(row, numbers))
                say(f'{row.name}: not possible yet: needs {row.needs}')
            else:
                try:
                    campaign.measure(row, ledger.outcomes(row), ledger.put)
                except WRONG as why:        # the others can be tried all the same
                    say(f'{row.name}: could not be tried: {why}')
    return conclusion(rows, ledger)


def digest(path: Path) -> str:
    """Return what tells a file from what it was."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def conclusion(rows: tuple[Row, ...], ledger: FaultLedger) -> int:
    """Say what came of the campaign; return the exit status."""
    passed = 0
    for row in rows:
        if not ledger.has(row):
            say(f'{row.name}: could not be tried')
        elif ledger.entries[row.name]['passed']:
            passed += 1
        else:
            say(f'{row.name}: {"; ".join(ledger.entries[row.name]["why_not"])}')
    say(f'{passed} of {len(rows)} passed; {ledger.path}')
    return 0 if passed == len(rows) else 1


def listed(rows: tuple[Row, ...], numbers: Mapping[str, float]) -> str:
    """Say what is expected of each fault."""
    lines = []
    for row in rows:
        bound_s = row.bound_s(numbers)
        within = '' if bound_s is None else f' within {bound_s:.3f} s'
        missing = f' (not possible yet: needs {row.needs})' if row.needs else ''
        lines.append(f'{row.name}: {row.expected}{within}: {row.why}{missing}')
    return '\n'.join(lines)
