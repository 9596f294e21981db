# SPDX-License-Identifier: Apache-2.0
"""Options of `ami-ros evaluate` for a tour through unseen scenes before the episodes."""

import argparse
import math
import sys
import time

from ami_ros.cli.arguments_and_reports import bar, count, make_way, write_report
from ami_ros.core.errors import AmiError

PLANNER = 'oracle'      # of an evaluation with a tour, where none is named
GOAL_STEPS = 20
# options that have no meaning with a tour, and their defaults
UNTOURED = {'episodes': 20, 'world_seed': None, 'furniture_moved': False, 'counterfactual': False,
            'carried': False, 'cluster': ''}
NEEDED = ('generator', 'worlds')
OPTIONAL = ('legs', 'mission', 'episodes_per_world', 'tour_camera', 'jobs')


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options; those that are not given have no value."""
    group = one.add_argument_group(
        'evaluation with a tour', 'Before the episodes, a scripted driver tours the robot '
        'through a scene that its model never saw')

    def option(name: str, **more) -> None:
        group.add_argument(name, default=argparse.SUPPRESS, **more)

    option('--tour', type=minutes, metavar='MINUTES',
           help='Duration of the tour through each world in minutes of simulated time')
    option('--generator', metavar='G',
           help='Generator of the scenes; required with --tour: room, rooms, building, hall, '
                'clutter or mixed')
    option('--worlds', type=span, metavar='FIRST:COUNT',
           help='First world seed and number of worlds; required with --tour; 60000 to 65999 '
                'are for tuning, 100000 to 100999 for published figures')
    option('--legs', type=span, metavar='A:B',
           help='Draw goals whose shortest way is A to B actions of 0.25 s; replaces --goal-steps')
    option('--mission', type=count, metavar='N',
           help='Drive N legs in a row without a reset; --legs sets their length; default of '
                '--legs: 50:200')
    option('--episodes-per-world', type=count, metavar='N',
           help='Number of goal drives, legs or missions in each world; default: 5')
    option('--tour-camera', metavar='PRESET',
           help='Camera preset during the tour; default: that of --camera')
    option('--jobs', type=count, metavar='J', help='Number of processes; default: 1')


def refuse(args: argparse.Namespace) -> None:
    """Refuse options that need --tour where it is missing; ValueError names the first."""
    for name in (*NEEDED, *OPTIONAL):
        if name in args:
            raise AmiError(f'{flag(name)} is an option of an evaluation with a tour; give '
                           '--tour MINUTES')


def run(args: argparse.Namespace) -> int:
    """Tour and drive; return the exit status."""
    for name in NEEDED:
        if name not in args:
            raise AmiError(f'--tour needs {flag(name)}')
    for name, usual in UNTOURED.items():
        if getattr(args, name) != usual:
            raise AmiError(f'{flag(name)} cannot be used with --tour'
                           + ('; use --episodes-per-world' if name == 'episodes' else ''))
    if 'goal_steps' in args and ('legs' in args or 'mission' in args):
        raise AmiError('--goal-steps cannot be used with --legs or --mission; they draw goals '
                       'in different ways')
    from ami_ros.validation.tours.asked import Asked, CAMERA, LEGS
    from ami_ros.validation.tours.tour_evaluation import evaluate
    given = vars(args)
    drives = 0 if 'legs' in args or 'mission' in args else given.get('goal_steps', GOAL_STEPS)
    first, worlds = args.worlds
    asked = Asked(
        generator=args.generator, first_world=first, worlds=worlds, minutes=args.tour,
        goal_steps=drives, legs=given.get('legs', LEGS), mission=given.get('mission', 0),
        episodes=given.get('episodes_per_world', 5), seed=args.seed, changes=args.world_changes,
        camera=given.get('camera', CAMERA), tour_camera=given.get('tour_camera', ''),
        engine=args.engine, planner=given.get('planner', PLANNER), module=args.module,
        robot=args.robot, settings=tuple(args.changes), backend=args.backend,
        precision=args.precision)
    make_way(args.report)
    ledger = None if args.report is None else args.report.with_suffix('.rows')
    begun = time.monotonic()

    def progress(row: dict, done: int, total: int) -> None:
        if 'left_out' in row:
            print(f'world {row["world_seed"]}: left out, {row["left_out"]}', flush=True)
        else:
            good = sum(e['success'] for e in row['episodes'])
            print(f'world {row["world_seed"]}: {good} of {len(row["episodes"])} succeeded',
                  flush=True)
        bar(done, total, begun, 'worlds')

    try:
        report = evaluate(asked, given.get('jobs', 1), ledger, progress)
    except KeyboardInterrupt:
        if ledger is None:
            raise
        sys.stderr.write(f'\nthe worlds that are finished are in {ledger}; the same command '
                         'resumes from there\n')
        return 130
    tell(report)
    write_report(args.report, report)
    if ledger is not None:
        ledger.unlink(missing_ok=True)
    return 0


def tell(report: dict) -> None:
    """Print the figures of all worlds."""
    worlds, left_out = len(report['worlds']), len(report['worlds_left_out'])
    print(f'{report["protocol"]["planner"]}: {report["legs"]} legs in {worlds} worlds'
          + (f', {left_out} worlds left out' if left_out else ''))
    names = ['success_rate', 'reached_rate', 'false_arrival_rate', 'collision_rate']
    for name in names + ['mission_success_rate'] * ('mission_success_rate' in report):
        spread = report['interval_95'][name]
        print(f'{name.replace("_", " "):22s}{100 * report[name]:6.1f} %' + (
            f' (95 %: {100 * spread[0]:.1f} to {100 * spread[1]:.1f})' if spread else ''))
    where, off = report['localised'], report['localised']['error_m']
    print(f'localised {100 * where["share"]:.1f} % of the time; position error '
          f'{shown(off["p50"])} m (median), {shown(off["p95"])} m (95 %)')
    print(f'tours {report["tour_s"]:.0f} s, finishing them {report["finish_tour_s"]:.1f} s; '
          f'decision {shown(report["decide_ms"]["p50"])} ms (median), '
          f'{shown(report["decide_ms"]["p95"])} ms (95 %)')


def shown(value: float | None) -> str:
    """Return a figure in two decimals; '-' where there is none."""
    return '-' if value is None else f'{value:.2f}'


def flag(name: str) -> str:
    """Return an option as it is typed."""
    return '--' + name.replace('_', '-')


def minutes(text: str) -> float:
    """Read a duration above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of minutes above 0')
    return value


def span(text: str) -> tuple[int, int]:
    """Read two whole numbers, A:B."""
    first, colon, second = text.partition(':')
    if not (colon and first.isdecimal() and second.isdecimal()):
        raise argparse.ArgumentTypeError(f'{text!r} is not two whole numbers like 50:200')
    return int(first), int(second)
