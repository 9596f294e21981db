# SPDX-License-Identifier: Apache-2.0
"""Convert a trained module to int8 and keep it only if the task performance holds."""

import argparse
from pathlib import Path
import time

from ami_ros.cli.arguments_and_reports import bar, count, make_way, pair, whole, write_report
from ami_ros.core.errors import AmiError


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--module', default='', help='Module to convert; default: the shipped module')
    one.add_argument(
        '--bag', type=Path, nargs='+', default=[],
        help='Bag with calibration images; default: the images stored in the module')
    one.add_argument('--out', type=Path, required=True, help='Output folder of the module')
    one.add_argument('--robot', default='rover', help='Name or path of a robot file')
    one.add_argument(
        '--topic', type=pair, action='append', default=[], metavar='INPUT=TOPIC',
        help='Topic of camera, odom, command, scan or imu if the bag has several')
    one.add_argument(
        '--goal-steps', type=count, default=20, metavar='K',
        help='Number of 0.25 s actions between start and goal')
    one.add_argument(
        '--episodes', type=count, default=400,
        help='Number of episodes driven with both modules on the same seeds')
    one.add_argument('--seed', type=whole, default=500, help='Seed of the first episode')
    one.add_argument('--report', type=Path, default=None, help='JSON file for the results')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 0 only where the module is kept."""
    from ami_ros.inference.benchmark_inputs import pictures
    from ami_ros.modules.module import open_module
    from ami_ros.training import quantize
    from ami_ros.validation import evaluate, paired_comparison
    make_way(args.report)
    module = open_module(args.module)
    evaluate.home(module)           # without a room that can be simulated nothing can be shown
    seen = from_bags(args, module) if args.bag else pictures(module)
    trying = args.out.with_name(args.out.name + '.trying')
    if args.out.exists():
        raise AmiError(f'{args.out} exists; give another --out, or remove it')
    quantize.make(module, seen, trying)
    reports = []
    for path in (args.module, str(trying)):
        begun = time.monotonic()
        done: list = []

        def progress(episode, begun=begun, done=done) -> None:
            done.append(episode)
            bar(len(done), args.episodes, begun,
                f'{sum(e.success for e in done)} of {len(done)} succeeded')

        reports.append(evaluate.evaluate(evaluate.Trial(
            blocks=args.goal_steps, episodes=args.episodes, seed=args.seed, module=path,
            robot=args.robot), progress))
    said = paired_comparison.compare(*reports)
    print(f'int8 against float32, K = {args.goal_steps}, {said}')
    write_report(args.report, {'paired': str(said), 'holds': said.holds, 'float32': reports[0],
                               'int8': reports[1]})
    if not said.holds:
        print('not accepted: it is not shown that at most '
              f'{100 * paired_comparison.MOST_WORSE:g} points of success are lost; what was tried '
              f'is in {trying}. More episodes narrow the interval; more images of the robot '
              '(--bag) may mend the loss')
        return 1
    trying.rename(args.out)
    print(f'accepted: {args.out}; sign it with ami-ros modules sign')
    return 0


def from_bags(args: argparse.Namespace, module):
    """Read what the robot saw."""
    from ami_ros.robots.find_robot import find
    from ami_ros.training import merge_bags
    robot = find(args.robot)
    data = merge_bags.read(tuple(args.bag), robot, dict(args.topic), 0,
                           lambda line: print(line, flush=True))
    if data.images.shape[2:0:-1] != module.camera_size:
        raise AmiError(f'the bag shows {data.images.shape[2:0:-1]}, the module sees '
                       f'{module.camera_size}')
    return data.images
