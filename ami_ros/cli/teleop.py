# SPDX-License-Identifier: Apache-2.0
"""Drive by hand, from the keyboard or a joystick."""

import argparse

from ami_ros.nodes import cli_arguments


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--robot', default='rover', help='robot file; its limits are never exceeded')
    one.add_argument('--speed', type=float, default=None, metavar='MPS',
                     help='m/s to begin with; default: half of what the robot can do')
    one.add_argument('--turn', type=float, default=None, metavar='RADPS',
                     help='rad/s to begin with; default: half of what the robot can do')
    one.add_argument('--joy', action='store_true',
                     help='listen to a joystick, too; needs no terminal')
    one.add_argument('--stamped', action=argparse.BooleanOptionalAction, default=None,
                     help='TwistStamped or Twist; default: what the robot file says')
    cli_arguments.add(one, '-p enable_button:=4')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.operator import teleop
    return teleop.main(args)
