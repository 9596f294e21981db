# SPDX-License-Identifier: Apache-2.0
"""Drive about and record."""

import argparse
from pathlib import Path
import time

from ami_ros.verbs.common import bar, count, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--world-seed', type=whole, required=True)
    one.add_argument('--out', type=Path, required=True, help='bag folder to write')
    one.add_argument('--seed', type=whole, default=0, help='of the drives')
    one.add_argument('--frames', type=count, default=100_000)
    one.add_argument('--drive-seconds', type=float, default=60.0)
    one.add_argument('--jobs', type=count, default=2, help='processes')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.training.collect import collect as work
    begun = time.monotonic()
    done = work(args.out, args.world_seed, args.seed, args.frames, args.drive_seconds, args.jobs,
                lambda d, n: bar(d, n, begun, 'collecting'))
    print(f'{args.out}: {done["drives"]} drives of {args.drive_seconds:g} s in '
          f'{time.monotonic() - begun:.0f} s, sha256 {done["sha256"]}')
    return 0
