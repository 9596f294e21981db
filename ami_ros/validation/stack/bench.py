# SPDX-License-Identifier: Apache-2.0
"""
Runs `ami-ros bench`: measures the stages, the loop in one function, and the loop over ROS.

Three blocks of each, in turn; a figure is the median over the blocks of the block's percentile.
Frames come at the pace of the camera everywhere, since a loop without pauses flatters itself.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
import json
import math
import os
from pathlib import Path
import platform
import sys
import tempfile
import time
from typing import Any

import numpy as np

from ami_ros import __version__
from ami_ros.core.robot_processes import THREADS
from ami_ros.inference import Options
from ami_ros.modules.module import Module, open_module
from ami_ros.nodes.mind_settings import engines
from ami_ros.robots.find_robot import find
from ami_ros.sim.simulator_interface import open_body, SimRoom
from ami_ros.validation import evaluate
from ami_ros.validation.loop_timing import one_function, STAGES
from ami_ros.validation.stack import sim_session, startup_and_recovery_benchmark
from ami_ros.validation.stack.episode_runner import Drive
from ami_ros.validation.stack.timer_jitter import Probe

BLOCKS, HZ, GOAL_BLOCKS, SEED = 3, 10, 20, 100
SHARE = 0.5             # of a block over ROS: how long one in one function takes
SAY = ('p50', 'p95', 'p99', 'max')
MODES = {'one_function': 'one function', 'composed': 'over ROS, composed',
         'separate': 'over ROS, one process a node',
         'composed_640': 'composed, 640x480', 'separate_640': 'one process, 640x480'}
LARGE = (640, 480)
# as far up and down as the module sees, so that its square view can be cut out: a third wider
LARGE_HFOV_RAD = 2 * math.atan(4 / 3 * math.tan(math.radians(110) / 2)) + 0.01


def over_ros(args: argparse.Namespace, world_seed: int, separate: bool, large: bool) -> dict:
    """Drive over ROS in real time; only frames that were searched for count."""
    drives: list[Drive] = []
    with tempfile.TemporaryDirectory() as logs:
        asked = sim_session.Session(logs=Path(logs), real_time=True, camera_hz=HZ,
                                    separate=separate,
                                    module=args.module, world_seed=world_seed,
                                    thinking={'backend': args.backend,
                                              'precision': args.precision},
                                    image=LARGE if large else (64, 64),
                                    image_hfov_rad=LARGE_HFOV_RAD if large else 0.0,
                                # PyBullet takes 90 ms to draw it, and that is no matter of ROS
                                    engine='loopback' if large else 'pybullet')
        robot = find('rover')
        with open_body('pybullet', robot, SimRoom(world_seed), 0, robot.camera_size) as body:
            begun: list[float] = []

            def more(index: int) -> bool:
                return not begun or time.monotonic() - begun[0] < args.seconds

            def done(errand: sim_session.EpisodeSpec, drive: Drive) -> None:
                if not begun:
                    begun.append(time.monotonic() - drive.episode.duration_s)
                drives.append(drive)

            cost = sim_session.run(asked, sim_session.errands(body, GOAL_BLOCKS, SEED, more), done)
    searched = [replace(drive, ticks={n: tick for n, tick in drive.ticks.items()
                                      if tick.plan and tick.plan.iterations}) for drive in drives]
    return {**sim_session.latencies(searched), 'plans': sim_session.punctuality(drives, 1 / HZ),
            'processes': {name: {'cores': said['cores'], 'memory_mb': said['memory_mb']['late']}
                          for name, said in cost.items()}}


def block(mode: str, args: argparse.Namespace, module: Module, world_seed: int) -> dict:
    """Measure one block of one kind, with a bare timer beside it."""
    with Probe() as probe:
        if mode == 'one_function':
            took_ms = one_function(module, GOAL_BLOCKS, SEED, SHARE * args.seconds,
                                   args.backend, Options(args.precision, cache=engines('')))
            said = {'latency_ms': {stage: sim_session.percentiles(values)
                                   for stage, values in took_ms.items()}}
        else:
            said = over_ros(args, world_seed, 'separate' in mode, '640' in mode)
    return {**said, 'noise_ms': sim_session.percentiles(probe.late_ms)}


def median(values: list):
    """Take the median over blocks, of whatever is nested in them."""
    if isinstance(values[0], dict):
        return {key: median([value[key] for value in values]) for key in values[0]}
    there = [value for value in values if value is not None]
    return round(float(np.median(there)), 3) if there else None


def with_noise(said: dict) -> dict:
    """Put the bare timer of a mode beside each of its rows."""
    noise = {key: said['noise_ms'][key] for key in SAY}
    return {stage: {**row, 'noise': noise} for stage, row in said['latency_ms'].items()}


def machine() -> dict:
    """Say where this was measured."""
    info = Path('/proc/cpuinfo')
    names = [line.split(':', 1)[1].strip() for line in info.read_text().splitlines()
             if line.startswith('model name')] if info.exists() else []
    return {'cpu': names[0] if names else platform.machine(), 'cores': os.cpu_count(),
            'system': platform.system(), 'kernel': platform.release(),
            'load_before': [round(load, 2) for load in os.getloadavg()]}


def versions() -> dict:
    """Say with what."""
    from importlib.metadata import PackageNotFoundError, version

    def known(*names: str) -> str:
        for name in names:
            try:
                return version(name)
            except PackageNotFoundError:
                continue
        return 'unknown'

    return {'ami_ros': __version__, 'python': platform.python_version(),
            'numpy': np.__version__, 'onnxruntime': known('onnxruntime', 'onnxruntime-gpu'),
            'rclpy': known('rclpy', 'ros-rclpy', 'ros-jazzy-rclpy', 'ros-kilted-rclpy'),
            'ros': os.environ.get('ROS_DISTRO', 'wheels'),
            'rmw': os.environ.get('RMW_IMPLEMENTATION', 'default')}


def table(report: dict) -> str:
    """Write the report for people."""
    lines = [f'{"ms":38s}' + ''.join(f'{name:>9s}' for name in SAY) + '   a bare timer beside it']
    for mode, title in MODES.items():
        if mode not in report:
            continue
        for stage, row in report[mode]['latency_ms'].items():
            numbers = ''.join(f'{row[name] if row[name] is not None else "-":>9}' for name in SAY)
            noise = ''.join(f'{row["noise"][name]:>8}' for name in SAY)
            lines.append(f'{title + ": " if stage == STAGES[0] else "":>30s}'[:30].ljust(20)
                         + f'{stage:>18s}{numbers}   {noise}')
        over = report[mode].get('ros_overhead_ms')
        if over:
            lines.append(f'{"ROS overhead":>38s}' + ''.join(f'{over[n]:>9}' for n in SAY))
            plans = report[mode]['plans']
            lines.append(f'{"periods without a new plan":>38s}{plans["missed"]:>9} of '
                         f'{plans["periods"]}')
    life = report.get('life')
    if life is None:
        return '\n'.join(lines)
    starts = [start['first_plan_s'] for start in life['cold_start']]
    lines.append(f'cold start to the first plan, s: {starts}')
    lines += [f'mind {how}, until it can be armed again, s: {took}'
              for how, took in life['revival_s'].items()]
    lines.append(f'idle, cores: {life["idle"]["cores"]}, '
                 f'together {life["idle"]["cores_together"]}')
    return '\n'.join(lines)


def main(args: argparse.Namespace, say: Callable[[str], object] = sys.stderr.write) -> int:
    """Run `ami-ros bench`; returns the exit status."""
    module = open_module(args.module)
    world_seed = evaluate.home(module)
    about = {'machine': machine(), 'versions': versions(),
             'threads': {name: os.environ.get(name) for name in
                         THREADS}
             | {'onnxruntime_intra_op': 1},
             'protocol': {'blocks': BLOCKS, 'seconds': args.seconds, 'camera_hz': HZ,
                          'goal_steps': GOAL_BLOCKS, 'seed': SEED, 'world_seed': world_seed,
                          'backend': args.backend, 'precision': args.precision,
                          'module': module.manifest['name'],
                          'module_version': module.manifest['version']}}
    blocks: dict[str, list[dict]] = {mode: [] for mode in args.modes}
    begun = time.monotonic()
    life = startup_and_recovery_benchmark.measure(args.module, world_seed, args.repeats,
                                                  args.idle_seconds, say) \
        if args.repeats else None
    for number in range(BLOCKS):
        for mode in args.modes:
            say(f'{time.monotonic() - begun:4.0f} s  block {number + 1} of {BLOCKS}: '
                f'{MODES[mode]}\n')
            blocks[mode].append(block(mode, args, module, world_seed))
    report: dict[str, Any] = {**about, 'life': life}
    for mode, said in blocks.items():
        report[mode] = median(said)
        report[mode]['latency_ms'] = with_noise(report[mode])
    if {'one_function', 'composed'} <= set(args.modes):
        report['latency_ms'] = {**report['one_function']['latency_ms'], 'camera_to_command':
                                report['composed']['latency_ms']['camera_to_command']}
        report['ros_overhead_ms'] = report['composed']['ros_overhead_ms']
    report['blocks'] = blocks
    sys.stdout.write(table(report) + '\n')
    if args.report is not None:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        sim_session.write(args.report, report)
        sys.stdout.write(f'report: {args.report}\n')
    sys.stdout.write(json.dumps({key: value for key, value in report.items()
                                 if key not in ('blocks', *MODES)}) + '\n')
    return 0
