# SPDX-License-Identifier: Apache-2.0
"""Measure latencies."""

import argparse
from pathlib import Path


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--report', type=Path, default=None)
    one.add_argument('--module', default='')
    one.add_argument('--seconds', type=float, default=12.0, help='of each block over ROS')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.nodes import bench
    return bench.main(args)
