# SPDX-License-Identifier: Apache-2.0
"""Measure lag, braking, odometry, lidar and camera step by step, and write the robot file."""

import argparse
import math
from pathlib import Path

from ami_ros.cli.arguments_and_reports import count, make_way, write_report
from ami_ros.core.errors import AmiError


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--robot', default='', metavar='FILE',
        help='Robot file to update; for the name of a packaged robot nothing is written; '
             'default: the robot of the running nodes')
    one.add_argument(
        '--only', default='', metavar='LIST',
        help='Calibrations to run, e.g. lag,braking; default: no_return, lag, forward, turn, '
             'braking, camera, latency')
    one.add_argument('--namespace', default='', metavar='NS', help='Namespace of the robot')
    one.add_argument(
        '--speed', type=positive, default=math.inf, metavar='M/S',
        help='Maximum test speed; default: the limit of the robot file')
    one.add_argument(
        '--distance', type=positive, default=1.0, metavar='M',
        help='Length of the drive that is compared with a wall or a tape measure')
    one.add_argument(
        '--rounds', type=count, default=1, metavar='N',
        help='Number of full turns on the spot')
    one.add_argument(
        '--yes', action='store_true',
        help='Run without confirmation prompts, for unattended use')
    one.add_argument('--dry-run', action='store_true', help='Measure without writing a file')
    one.add_argument('--report', type=Path, default=None, help='JSON file for the measurements')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 0 when all that was asked for is known."""
    from ami_ros.operator.calibration.session import calibrate, opened, wanted
    from ami_ros.operator.calibration.toolkit import Kit
    from ami_ros.robots.find_robot import find
    make_way(args.report)
    asked, named = wanted(args.only), args.robot
    if not named:
        from ami_ros.operator.running_robot_file import running_robot
        named = running_robot(args.namespace.strip('/'))
        if not named:
            raise AmiError('no node that runs here says which robot this is; write --robot '
                           'FILE, and see that the critic runs in this namespace')
    robot = find(named)
    with opened(robot, args.namespace) as calibrator:
        kit = Kit(calibrator, robot, Prompt(args.yes), args.speed, args.distance, args.rounds)
        report = calibrate(kit, named, asked, args.dry_run)
    write_report(args.report, report)
    if report.get('aborted') == 'interrupted':
        return 130
    states = [report['quantities'].get(one, {}).get('state') for one in asked]
    return 0 if all(state in ('written', 'found') for state in states) else 1


def positive(text: str) -> float:
    """Read a number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number above 0')
    return value


class Prompt:
    """The person in front of the terminal."""

    def __init__(self, yes: bool):
        self.yes = yes

    def say(self, line: str) -> None:
        """Print a line."""
        print(line, flush=True)

    def agrees(self, question: str) -> bool:
        """Ask for a y."""
        if self.yes:
            return True
        try:
            return input(f'{question} [y/n] ').strip().lower() in ('y', 'yes')
        except EOFError:
            return False

    def number(self, question: str) -> float | None:
        """Ask until a number comes; None where nobody is there."""
        while not self.yes:
            try:
                value = float(input(f'{question} ').strip().replace(',', '.'))
            except EOFError:
                return None
            except ValueError:
                print('  a number, please, as 0.98')
                continue
            if math.isfinite(value):
                return value
        return None
