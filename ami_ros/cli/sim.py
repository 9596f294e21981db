# SPDX-License-Identifier: Apache-2.0
"""Drive to goal pictures over real ROS 2 topics."""

import argparse
from pathlib import Path

from ami_ros.cli.common import count, make_way, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--episodes', type=whole, default=4)
    one.add_argument('--seed', type=whole, default=100, help='of the first episode')
    one.add_argument('--goal-steps', type=count, default=40, metavar='K',
                     help='actions of 0.25 s between start and goal')
    one.add_argument('--wall-clock', action='store_true', help='wall time instead of lock-step')
    one.add_argument('--seconds', type=float, default=0.0,
                     help='real time: keep driving for so long, whatever the episodes')
    one.add_argument('--camera-hz', type=float, default=10.0)
    one.add_argument('--no-composition', action='store_true', help='one process a node')
    one.add_argument('--world-seed', type=whole, default=None, help="default: the module's room")
    one.add_argument('--module', default='', help='folder; default: the active one')
    one.add_argument('--params', type=Path, default=None, help='YAML; default: config/rover.yaml')
    one.add_argument('--record', type=Path, default=None, metavar='BAG',
                     help='folder of a bag to make, with all that a replay needs')
    one.add_argument('--out', type=Path, default=None, help='folder; default: runs/<time>')
    one.add_argument('--report', type=Path, default=None, help='default: OUT/report.json')
    one.add_argument('--min-successes', type=int, default=3,
                     help='exit non-zero below so many successes')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.validation.stack import session
    make_way(args.report)
    if args.params is not None and not args.params.is_file():
        raise ValueError(f'there is no parameter file {args.params}; config/rover.yaml is one')
    if args.record is not None and args.record.exists():
        raise ValueError(f'{args.record} is there already, and no recording is replaced; '
                         'give another --record')
    if args.episodes < 1 and not args.seconds > 0:
        raise ValueError('nothing to drive: give --episodes from 1 on, or --seconds')
    return session.main(args)
