# SPDX-License-Identifier: Apache-2.0
"""Drive the critic with hostile plans for hours, without ROS, and count collisions."""

import argparse
from pathlib import Path
import sys
import time

from ami_ros.verbs.common import bar, count, make_way, whole, write_report


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--hours', type=hours, default=1.0, metavar='H', help='simulated')
    one.add_argument('--seed', type=whole, default=500, metavar='S',
                     help='of rooms, plans and noise')
    one.add_argument('--moving', action='store_true',
                     help='furniture goes to and fro and people walk, slower than the rover')
    one.add_argument('--policy', default='rover', help='a name, or the path of a policy file')
    one.add_argument('--robot', default='rover', help='a name, or the path of a robot file')
    one.add_argument('--jobs', type=count, default=1, metavar='N',
                     help='processes; the report is the same')
    one.add_argument('--report', type=Path, default=Path('runs/hostile.json'), metavar='FILE',
                     help='goes on where it was, by the ledger beside it')


def hours(text: str) -> float:
    """Read a time; of an infinite one nobody would see the end."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 10_000:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of hours, above 0')
    return value


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where something was hit, 130 where it was interrupted."""
    from ami_ros.trials.hostile.campaign import campaign, Hostile
    make_way(args.report)
    ledger = args.report.with_suffix('.legs')
    ask = Hostile(args.hours, args.seed, args.moving, args.policy, args.robot)
    begun, first = time.monotonic(), []

    def progress(done: int, total: int) -> None:
        first.append(done) if not first else None
        bar(done, total, begun, 'legs')

    try:
        report = campaign(ask, ledger, progress, jobs=args.jobs)
    except KeyboardInterrupt:
        sys.stderr.write(f'\nthe legs that are finished are in {ledger}; the same command goes '
                         'on from there\n')
        return 130
    for line in said(report):
        print(line)
    write_report(args.report, report)
    return 1 if report['collisions'] else 0


def said(report: dict) -> list[str]:
    """Say the figures for a person."""
    def percent(value: float | None) -> str:
        return '-' if value is None else f'{100 * value:.2f} %'

    rows = {'all': report, **report['kinds']}
    return [f'{"plans":12s} {"hours":>7s} {"km":>7s} {"collisions":>10s} {"false stops":>11s} '
            f'{"progress":>8s} {"wedged":>6s}',
            *(f'{name:12s} {row["hours"]:7.2f} {row["km"]:7.3f} {row["collisions"]:10d} '
              f'{percent(row["false_stop_rate"]):>11s} {row["progress_ratio"] or 0:8.3f} '
              f'{row["wedged"]:6d}' for name, row in rows.items())]
