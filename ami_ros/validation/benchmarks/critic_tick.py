# SPDX-License-Identifier: Apache-2.0
"""
Measures the computing time of a critic tick, and its delay while both cores are busy.

python3 -m ami_ros.validation.benchmarks.critic_tick --report docs/reports/critic_tick.json

Cost: `Critic.judge` for a rover that wanders with a lidar of 360 beams, under the rover's policy
and under the strict one with every rule; by the thread's own clock, so that other processes count
only where they slow the core down, and by the wall.

Lateness: the real node, its 50 Hz steady timer, every input at its usual rate, one process a core
that does nothing but compute, and a bare timer beside it; with a real-time priority and without,
in turn. Late is from the instant of the grid at which a tick was due until it begins.
"""

import argparse
from contextlib import ExitStack
import gc
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

from ami_ros.core.robot_processes import THREADS

os.environ.update(THREADS)

import numpy as np  # noqa: E402

from ami_ros.host.realtime_priority import take_priority  # noqa: E402
from ami_ros.validation.benchmarks import critic_tick_scenario  # noqa: E402
from ami_ros.validation.stack.bench import machine, versions  # noqa: E402

NODE = ('-m', 'ami_ros.validation.benchmarks.critic_tick_node')
SAY = (50, 95, 99, 99.9, 100)
WARM = 200              # ticks, and readings of a timer, that are not counted
BURN = 'while True: pass'


def percentiles(values) -> dict[str, float]:
    """Return percentiles of milliseconds."""
    found = np.percentile(values, SAY).round(4).tolist()
    return {**dict(zip(('p50', 'p95', 'p99', 'p999', 'max'), found)), 'count': len(values)}


def cost(policy: str, ticks: int, seed: int) -> dict:
    """Measure so many ticks of one policy."""
    world, cpu, wall = critic_tick_scenario.Wander(policy, seed), [], []
    actions: dict = {}
    gc.collect()
    for _ in range(ticks + WARM):
        now = world.tick()
        begun, since = time.perf_counter_ns(), time.thread_time_ns()
        verdict = world.critic.judge(*now)
        cpu.append((time.thread_time_ns() - since) / 1e6)
        wall.append((time.perf_counter_ns() - begun) / 1e6)
        actions[verdict.action] = actions.get(verdict.action, 0) + 1
        world.obey(verdict.command)
    return {'rules': len(world.critic.rules), 'beams': world.robot.lidar_beams,
            'actions': actions, 'cpu_ms': percentiles(cpu[WARM:]),
            'wall_ms': percentiles(wall[WARM:])}


def lateness(real_time: bool, seconds: float, nice: int, domain: int) -> dict:
    """Run the node for a while with both cores busy; return how late it and a bare timer were."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        env = {**os.environ, 'ROS_DOMAIN_ID': str(domain)}

        def start(*words: str) -> subprocess.Popen:
            child = subprocess.Popen([sys.executable, *words], env=env,
                                     preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, nice))
            ends.callback(child.wait)
            ends.callback(child.send_signal, signal.SIGTERM)
            return child

        bare = start(*NODE, 'bare', f'{folder}/bare', str(int(real_time)))
        critic = start(*NODE, 'critic', f'{folder}/critic',
                       str(int(real_time)), folder)
        body = start(*NODE, 'body', f'{folder}/body', '0')
        while not all(Path(f'{folder}/{name}.ready').exists() for name in ('bare', 'critic',
                                                                           'body')):
            time.sleep(0.1)
        for _ in range(os.cpu_count() or 1):
            start('-c', BURN)
        time.sleep(seconds)
        for child in (bare, critic, body):
            child.send_signal(signal.SIGTERM)
        for child in (bare, critic, body):
            child.wait()
        said = {name: json.loads(Path(f'{folder}/{name}').read_text())
                for name in ('bare', 'critic')}
    return {name: {'late_ms': [ns / 1e6 for ns in one['late_ns'][WARM // 4:]],
                   'priority': one['priority'], 'moved': one.get('moved')}
            for name, one in said.items()}


def both(seconds: float, blocks: int, nice: int, domain: int) -> dict:
    """Measure with a real-time priority and without, in turn."""
    found: dict[str, list] = {'real_time': [], 'ordinary': []}
    for block in range(blocks):
        for kind in found:
            said = lateness(kind == 'real_time', seconds / blocks, nice, domain)
            found[kind].append(said)
            print(f'block {block + 1} of {blocks}, {kind}: critic p99 '
                  f'{np.percentile(said["critic"]["late_ms"], 99):.2f} ms, bare timer '
                  f'{np.percentile(said["bare"]["late_ms"], 99):.2f} ms', flush=True)
            time.sleep(2.0)
    return {kind: {
        **{name: percentiles([ms for said in blocks for ms in said[name]['late_ms']])
           for name in ('critic', 'bare')},
        'priority': {said['critic']['priority'] for said in blocks}.pop(),
        'moved': sum(said['critic']['moved'] for said in blocks)}
        for kind, blocks in found.items()}


def main() -> None:
    """Measure, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('--ticks', type=int, default=25_000, help='Number of ticks of each policy')
    parser.add_argument('--seed', type=int, default=1, help='Random seed')
    parser.add_argument('--seconds', type=float, default=60.0,
                        help='Duration of each priority, in seconds')
    parser.add_argument('--blocks', type=int, default=4,
                        help='Number of alternating blocks of each priority')
    parser.add_argument('--nice', type=int, default=0,
                        help='Nice value of all processes; below 0 they outrank other load')
    parser.add_argument('--domain', type=int, default=97, help='ROS domain ID used')
    parser.add_argument('--only', choices=('cost', 'lateness'),
                        help='Measure only the computing time or only the delay')
    parser.add_argument('--report', type=Path, help='Report JSON file')
    args = parser.parse_args()
    known = json.loads(args.report.read_text()) if args.report and args.report.exists() else {}
    report = {**known, 'machine': machine(), 'versions': versions(), 'seed': args.seed}
    if args.only != 'lateness':
        priority = take_priority() or 'real-time'       # as the node has it
        report['cost'] = {'priority': priority, 'load_before': os.getloadavg()[0],
                          **{policy: cost(policy, args.ticks, args.seed)
                             for policy in ('rover', 'strict')}}
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        print(json.dumps(report['cost']), flush=True)
    if args.only != 'cost':
        report['lateness'] = {'seconds': args.seconds, 'blocks': args.blocks, 'nice': args.nice,
                              'load_before': os.getloadavg()[0],
                              **both(args.seconds, args.blocks, args.nice, args.domain)}
    if args.report:
        args.report.write_text(json.dumps(report, indent=1) + '\n')
    print(json.dumps(report.get('lateness')))


if __name__ == '__main__':
    main()
