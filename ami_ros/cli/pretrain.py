# SPDX-License-Identifier: Apache-2.0
"""Train the general model on the bags of many worlds."""

import argparse
from pathlib import Path

from ami_ros.cli.common import count, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--worlds', type=Path, required=True, metavar='FOLDER',
        help='Folder of bags made by `ami-ros collect --worlds N --out FOLDER`')
    one.add_argument('--out', type=Path, required=True, help='Output folder of the module')
    one.add_argument('--steps', type=count, default=3000, help='Number of training steps')
    one.add_argument('--seed', type=whole, default=0, help='Seed of the training run')
    one.add_argument('--threads', type=count, default=1,
                     help='Number of CPU threads of each process')
    one.add_argument('--resume', action='store_true', help='Resume from the last checkpoint')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.training.general_model import build
    build.run(build.Job(args.worlds, args.out, args.steps, args.seed, args.threads, args.resume),
              lambda line: print(line, flush=True))
    return 0
