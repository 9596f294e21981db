# SPDX-License-Identifier: Apache-2.0
"""Inject faults into the simulated rover one at a time and measure the stop time."""

import argparse
from pathlib import Path

from ami_ros.cli.arguments_and_reports import count, make_way, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--repeats', type=count, default=20, metavar='N',
        help='Number of runs of each fault')
    one.add_argument(
        '--seed', type=whole, default=0, metavar='S',
        help='Seed of lanes and injection times')
    one.add_argument(
        '--report', type=Path, default=Path('runs/faults.json'), metavar='FILE',
        help='Report file; an existing file is resumed')
    one.add_argument(
        '--only', nargs='+', default=None, metavar='NAME',
        help='Names of the faults to run')
    one.add_argument(
        '--module', default='',
        help='Folder of the module; default: the shipped module')
    one.add_argument(
        '--list', action='store_true',
        help='List the expected results without running faults')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where anything is not as expected, or not possible yet."""
    from ami_ros.validation.fault_injection import campaign
    make_way(args.report)
    return campaign.main(args)
