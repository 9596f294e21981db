# SPDX-License-Identifier: Apache-2.0
"""Test the critic without ROS, with adversarial plans or sensor faults, and count collisions."""

import argparse
from pathlib import Path
import sys
import time

from ami_ros.cli.common import bar, count, make_way, whole, write_report


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--hours', type=hours, default=1.0, metavar='H',
        help='Simulated hours to run')
    one.add_argument(
        '--seed', type=whole, default=500, metavar='S',
        help='Seed of rooms, plans and noise')
    one.add_argument(
        '--moving', action='store_true',
        help='Add moving furniture and walking people, slower than the rover')
    one.add_argument(
        '--lies', type=count, metavar='N', nargs='?', const=20,
        help='Instead of adversarial plans, run N drives towards a wall with each sensor fault; '
             'N is 20 if it is not given')
    one.add_argument(
        '--only', action='append', default=[], metavar='LIE',
        help='Fault to run with --lies; may be given several times')
    one.add_argument(
        '--safety-policy', default='rover',
        help='Name or path of a safety policy file')
    one.add_argument('--robot', default='rover', help='Name or path of a robot file')
    one.add_argument(
        '--jobs', type=count, default=1, metavar='N',
        help='Number of processes; the report does not depend on it')
    one.add_argument(
        '--report', type=Path, metavar='FILE',
        help='Report file; default: runs/adversarial.json, with --lies runs/lies.json; a run '
             'without --lies resumes from the ledger beside the report')


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
    if args.lies is not None:
        return lying(args)
    from ami_ros.validation.adversarial.campaign import AdversarialCampaign, campaign
    args.report = args.report or Path('runs/adversarial.json')
    make_way(args.report)
    ledger = args.report.with_suffix('.legs')
    ask = AdversarialCampaign(args.hours, args.seed, args.moving, args.safety_policy, args.robot)
    begun = time.monotonic()
    first: list = []

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


def lying(args: argparse.Namespace) -> int:
    """Let sensors lie; return 1 where a lie that can be shown led to a contact."""
    from ami_ros.validation.sensor_lies.campaign import Ask, campaign
    args.report = args.report or Path('runs/lies.json')
    make_way(args.report)
    begun = time.monotonic()
    report = campaign(Ask(args.lies, args.seed, args.safety_policy, args.robot, tuple(args.only)),
                      lambda done, total: bar(done, total, begun, 'drives'), args.jobs)
    for line in lies_said(report):
        print(line)
    write_report(args.report, report)
    return 1 if report['contacts_of_lies_that_can_be_shown'] else 0


def lies_said(report: dict) -> list[str]:
    """Say the figures of lies for a person."""
    lines = [f'{"lie":18s} {"drives":>6s} {"contacts":>8s} {"noticed":>7s} '
             f'{"after (p50, max)":>17s} {"nearest":>8s}  rules']
    for name, row in report['lies'].items():
        after = row['stopped_s']
        seconds = '-' if after is None else f'{after["p50"]:.2f} s, {after["max"]:.2f} s'
        rules = ', '.join(f'{rule} {n}' for rule, n in row['rules'].items())
        lines.append(f'{name:18s} {row["drives"]:6d} {row["contacts"]:8d} {row["noticed"]:7d} '
                     f'{seconds:>17s} {row["nearest_m"]:6.3f} m  {rules}')
    return lines


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
