# SPDX-License-Identifier: Apache-2.0
"""Check this computer: power, temperature, memory, clock, permissions and software."""

import argparse
from pathlib import Path

from ami_ros.cli.common import make_way, write_report


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--root', type=Path, default=Path('/'),
        help='Folder with the files of another machine, read instead of /; commands are then not '
             'executed')
    one.add_argument(
        '--json', type=Path, default=None, metavar='FILE',
        help='JSON file for the results')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where anything is wrong."""
    from ami_ros.core import findings
    from ami_ros.host import board
    from ami_ros.host.host import host
    from ami_ros.host.inspect import inspect
    make_way(args.json)
    here = host(args.root)
    found, header = inspect(here), board.header(here)
    print(findings.page(header, found))
    write_report(args.json, findings.report({'host': header}, found))
    return findings.status(found)
