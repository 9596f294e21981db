# SPDX-License-Identifier: Apache-2.0
"""Evaluate goal driving under changed cameras, light and furniture."""

import argparse
from pathlib import Path
import sys
import time

from ami_ros.cli.arguments_and_reports import bar, cluster, count, make_way, whole, write_report


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--episodes', type=count, default=30, help='Number of episodes per condition')
    one.add_argument('--seed', type=whole, default=1000, help='Seed of the first episode')
    one.add_argument(
        '--goal-steps', type=count, default=20, metavar='K',
        help='Number of 0.25 s actions between start and goal')
    one.add_argument(
        '--only', nargs='+', default=[], metavar='CONDITION',
        help='Names of the conditions to run; default: all')
    one.add_argument(
        '--module', default='',
        help='Folder of the module; empty means the active or shipped module')
    one.add_argument(
        '--world-seed', type=whole, default=None,
        help='Seed of the scene; default: the room in which the module was trained')
    one.add_argument('--robot', default='rover', help='Name or path of a robot file')
    one.add_argument('--jobs', type=count, default=1, metavar='N', help='Number of processes')
    cluster(one)
    one.add_argument(
        '--report', type=Path, default=Path('runs/robustness.json'), metavar='FILE',
        help='JSON file for the results; a PNG file of the same name shows example images; an '
             'interrupted run resumes from the ledger beside the JSON file')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.perception.images import draw
    from ami_ros.validation.evaluate import Trial
    from ami_ros.validation.robustness import page, robustness
    make_way(args.report)
    ledger, begun = args.report.with_suffix('.rows'), time.monotonic()
    trial = Trial(blocks=args.goal_steps, episodes=args.episodes, seed=args.seed,
                  world_seed=args.world_seed, module=args.module, robot=args.robot)
    print(f'{"condition":18s} {"success":>8s} {"false arrivals":>15s} {"collisions":>11s}')

    def progress(row: dict, done: int, total: int) -> None:
        print(f'{row["name"]:18s} {100 * row["success_rate"]:6.1f} % '
              f'{100 * row["false_arrival_rate"]:13.1f} % {100 * row["collision_rate"]:9.1f} %',
              flush=True)
        bar(done, total, begun, 'conditions')

    try:
        report = robustness(trial, tuple(args.only), args.jobs, ledger, progress,
                            args.cluster)
    except KeyboardInterrupt:
        sys.stderr.write(f'\nthe conditions that are finished are in {ledger}; the same command '
                         'resumes from there\n')
        return 130
    write_report(args.report, report)
    draw.write_png(args.report.with_suffix('.png'), page(trial, report))
    ledger.unlink(missing_ok=True)
    return 0
