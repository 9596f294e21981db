# SPDX-License-Identifier: Apache-2.0
"""Train a module on one or more bags of the same robot."""

import argparse
from pathlib import Path

from ami_ros.cli.common import count, pair, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--bag', type=Path, nargs='+', required=True, metavar='BAG',
        help='One or more training bags')
    one.add_argument('--out', type=Path, required=True, help='Output folder of the module')
    one.add_argument(
        '--robot', default='', metavar='ROBOT',
        help='Name or path of a robot file whose topics are read; default: the robot of the bag, '
             'otherwise the rover')
    one.add_argument('--steps', type=count, default=4500, help='Number of training steps')
    one.add_argument('--seed', type=whole, default=0, help='Seed of the training run')
    one.add_argument('--threads', type=count, default=1, help='Number of CPU threads')
    one.add_argument(
        '--bf16', action='store_true',
        help='Train in bfloat16; faster on GPUs and on CPUs with AMX')
    one.add_argument(
        '--encoder', default='convolutions',
        help='Encoder; vit_tiny, vit_small and vit_base have 6, 22 and 86 million parameters; '
             'camera_size of the robot file sets the image size')
    one.add_argument(
        '--device', default='auto',
        help='Training device, cpu or cuda; auto selects a GPU if one is available')
    one.add_argument(
        '--base', default='', metavar='MODULE',
        help='Folder of a module whose weights the training starts from; default: random '
             'weights')
    one.add_argument('--resume', action='store_true', help='Resume from the last checkpoint')
    one.add_argument(
        '--topic', type=pair, action='append', default=[], metavar='INPUT=TOPIC',
        help='Topic of camera, odom, command, scan or imu; scan=none and imu=none omit the sensor')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.training import build
    build.run(build.Job(tuple(args.bag), args.out, args.robot, args.steps, args.seed, args.threads,
                        args.resume, tuple(args.topic), args.bf16, args.encoder,
                        args.device, args.base),
              lambda line: print(line, flush=True))
    return 0
