# SPDX-License-Identifier: Apache-2.0
"""Train a module on a bag, or on several of the same robot."""

import argparse
from pathlib import Path

from ami_ros.cli.common import count, pair, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--bag', type=Path, nargs='+', required=True, metavar='BAG')
    one.add_argument('--out', type=Path, required=True, help='module folder to write')
    one.add_argument('--robot', default='', metavar='ROBOT',
                     help='a name, or the path of a robot file; its topics are read. Without '
                     'it the robot that the bag was recorded with, else the rover')
    one.add_argument('--steps', type=count, default=4500)
    one.add_argument('--seed', type=whole, default=0)
    one.add_argument('--threads', type=count, default=1)
    one.add_argument('--bf16', action='store_true', help='quicker on GPUs, and on CPUs with AMX')
    one.add_argument('--encoder', default='convolutions',
                     help='or vit_tiny, vit_small, vit_base: 6, 22, 86 million parameters; '
                     'camera_size of the robot file says how large its pictures are')
    one.add_argument('--device', default='auto', help='cpu or cuda; auto: a GPU if there is one')
    one.add_argument('--resume', action='store_true', help='go on from the last checkpoint')
    one.add_argument('--topic', type=pair, action='append', default=[], metavar='NEED=NAME',
                     help='the topic of: camera, odom, command, scan or imu; scan=none and '
                     'imu=none go without')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.training import build
    build.run(build.Job(tuple(args.bag), args.out, args.robot, args.steps, args.seed, args.threads,
                        args.resume, tuple(args.topic), args.bf16, args.encoder,
                        args.device),
              lambda line: print(line, flush=True))
    return 0
