# SPDX-License-Identifier: Apache-2.0
"""Rewrite old names in robot files, parameter files and safety policies."""

import argparse
from pathlib import Path


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        'file', type=Path, nargs='+', metavar='FILE',
        help='Robot file, parameter file or safety policy to rewrite in place')
    one.add_argument(
        '--dry-run', action='store_true',
        help='Print the changes without writing a file')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.operator.migrate import migrate
    for path in args.file:
        for line in migrate(path, args.dry_run) or [f'{path}: no old name is used']:
            print(line)
    return 0
