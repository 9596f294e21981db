# SPDX-License-Identifier: Apache-2.0
"""Drive the robot by keyboard or joystick."""

import argparse

from ami_ros.nodes import ros_arguments


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--robot', default='rover',
        help='Robot file whose speed limits are never exceeded')
    one.add_argument(
        '--speed', type=float, default=None, metavar='MPS',
        help='Initial speed in m/s; default: half of the robot limit')
    one.add_argument(
        '--turn', type=float, default=None, metavar='RADPS',
        help='Initial turn rate in rad/s; default: half of the robot limit')
    one.add_argument(
        '--joy', action='store_true',
        help='Use a joystick in addition to the keyboard; works without a terminal')
    one.add_argument(
        '--stamped', action=argparse.BooleanOptionalAction, default=None,
        help='Command type, TwistStamped or Twist; default: the type in the robot file')
    ros_arguments.add(one, '-p enable_button:=4')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.operator import teleop
    return teleop.main(args)
