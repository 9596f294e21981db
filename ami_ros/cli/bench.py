# SPDX-License-Identifier: Apache-2.0
"""Measure the latencies of the stack."""

import argparse
from pathlib import Path

from ami_ros.cli.arguments_and_reports import whole

MODES = ('one_function', 'composed', 'separate', 'composed_640', 'separate_640')


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--report', type=Path, default=None, help='JSON file for the results')
    one.add_argument(
        '--module', default='',
        help='Folder of the module; empty means the active or shipped module')
    one.add_argument('--backend', default='onnx', help='Backend that runs the networks')
    one.add_argument('--precision', default='float32', help='Numeric precision of the networks')
    one.add_argument(
        '--seconds', type=float, default=12.0,
        help='Duration of each measurement block over ROS, in seconds')
    one.add_argument(
        '--modes', nargs='+', choices=MODES, default=list(MODES), metavar='MODE',
        help=f'Measurements to run: {", ".join(MODES)}')
    one.add_argument(
        '--repeats', type=whole, default=3,
        help='Number of cold starts and planner restarts')
    one.add_argument(
        '--idle-seconds', type=float, default=30.0,
        help='Duration of the idle measurement, in seconds')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.validation.stack import bench
    return bench.main(args)
