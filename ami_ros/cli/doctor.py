# SPDX-License-Identifier: Apache-2.0
"""Check a running robot topic by topic and report problems."""

import argparse
from pathlib import Path

from ami_ros.cli.common import make_way, write_report


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--robot', default='',
        help='Name or path of a robot file; default: the robot of the running nodes')
    one.add_argument('--namespace', default='', metavar='NS', help='Namespace of the robot')
    one.add_argument(
        '--module', default='',
        help='Module to compare with; default: the module that the robot runs')
    one.add_argument(
        '--seconds', type=positive, default=5.0, metavar='S',
        help='Listening time in seconds')
    one.add_argument(
        '--live', action='store_true',
        help='Show the heartbeats in a live table with the first recommended action')
    one.add_argument(
        '--json', type=Path, default=None, metavar='FILE',
        help='JSON file for the results')


def positive(text: str) -> float:
    """Read seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.5 <= value <= 600:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of seconds from 0.5 to 600')
    return value


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where anything is wrong."""
    from ami_ros.core import findings
    from ami_ros.operator.checks import silence
    from ami_ros.operator.checks.diagnose import diagnose, unnamed
    from ami_ros.robots.find import find
    if args.live:
        from ami_ros.operator import live_table
        return live_table.main(args.namespace.strip('/'), args.seconds)
    make_way(args.json)
    from ami_ros.operator.doctor import examine
    from ami_ros.operator.running_robot import running_robot
    named = args.robot or running_robot(args.namespace.strip('/'))
    seen = examine(find(named or 'rover'), args.namespace.strip('/'), args.seconds, args.module)
    found, header = diagnose(seen), silence.header(seen)
    if named is None:
        found = [*found, unnamed(seen)]
    print(findings.page(header, found))
    write_report(args.json, findings.report({'asked': header}, found))
    return findings.status(found)
