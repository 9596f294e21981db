# SPDX-License-Identifier: Apache-2.0
"""Do harm to the simulated rover, one fault at a time, and measure how soon it stops."""

import argparse
from pathlib import Path

from ami_ros.cli.common import count, make_way, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--repeats', type=count, default=20, metavar='N', help='of each fault')
    one.add_argument('--seed', type=whole, default=0, metavar='S', help='of lanes and moments')
    one.add_argument('--report', type=Path, default=Path('runs/faults.json'), metavar='FILE',
                     help='goes on where it was, if the file is there')
    one.add_argument('--only', nargs='+', default=None, metavar='NAME', help='these faults')
    one.add_argument('--module', default='', help='folder; default: the shipped one')
    one.add_argument('--list', action='store_true', help='say what is expected, and do nothing')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where anything is not as expected, or not possible yet."""
    from ami_ros.validation.fault_injection import campaign
    make_way(args.report)
    return campaign.main(args)
