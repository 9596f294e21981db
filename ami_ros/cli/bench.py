# SPDX-License-Identifier: Apache-2.0
"""Measure latencies."""

import argparse
from pathlib import Path

from ami_ros.cli.common import whole

MODES = ('one_function', 'composed', 'separate', 'composed_640', 'separate_640')


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--report', type=Path, default=None)
    one.add_argument('--module', default='')
    one.add_argument('--backend', default='onnx', help='what runs the networks')
    one.add_argument('--precision', default='float32')
    one.add_argument('--seconds', type=float, default=12.0, help='of each block over ROS')
    one.add_argument('--modes', nargs='+', choices=MODES, default=list(MODES), metavar='MODE',
                     help=', '.join(MODES))
    one.add_argument('--repeats', type=whole, default=3, help='of cold starts and lost minds')
    one.add_argument('--idle-seconds', type=float, default=30.0, help='how long it does nothing')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.validation.stack import bench
    return bench.main(args)
