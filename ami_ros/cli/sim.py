# SPDX-License-Identifier: Apache-2.0
"""Drive the simulated robot to goal images over ROS 2 topics."""

import argparse
from pathlib import Path

from ami_ros.cli.arguments_and_reports import count, make_way, whole
from ami_ros.core.errors import AmiError


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--episodes', type=whole, default=4, help='Number of episodes to run')
    one.add_argument('--seed', type=whole, default=100, help='Seed of the first episode')
    one.add_argument(
        '--goal-steps', type=count, default=40, metavar='K',
        help='Number of 0.25 s actions between start and goal')
    one.add_argument(
        '--wall-clock', action='store_true',
        help='Use wall time instead of lock-step')
    one.add_argument(
        '--seconds', type=float, default=0.0,
        help='Keep driving for this many seconds of wall time, whatever the number of episodes')
    one.add_argument('--camera-hz', type=float, default=10.0, help='Camera frame rate in Hz')
    one.add_argument(
        '--no-composition', action='store_true',
        help='Run each node in its own process')
    one.add_argument(
        '--world-seed', type=whole, default=None,
        help='Seed of the scene; default: the room in which the module was trained')
    one.add_argument(
        '--module', default='',
        help='Folder of the module; default: the active module')
    one.add_argument(
        '--params', type=Path, default=None,
        help='Parameter YAML file; default: config/rover_node_parameters.yaml')
    one.add_argument(
        '--record', type=Path, default=None, metavar='BAG',
        help='Folder of a bag to record with all data that a replay needs')
    one.add_argument('--out', type=Path, default=None, help='Output folder; default: runs/<time>')
    one.add_argument(
        '--report', type=Path, default=None,
        help='Report JSON file; default: OUT/report.json')
    one.add_argument(
        '--min-successes', type=int, default=3,
        help='Exit with a non-zero status below this number of successes')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.validation.stack import sim_session
    make_way(args.report)
    if args.params is not None and not args.params.is_file():
        raise AmiError(f'there is no parameter file {args.params}; '
                       'config/rover_node_parameters.yaml is one')
    if args.record is not None and args.record.exists():
        raise AmiError(f'{args.record} is there already, and no recording is replaced; '
                       'give another --record')
    if args.episodes < 1 and not args.seconds > 0:
        raise AmiError('nothing to drive: give --episodes from 1 on, or --seconds')
    return sim_session.main(args)
